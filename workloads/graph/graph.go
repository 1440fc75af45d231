package graph

import (
	"slices"

	"hwsim/devices"
	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Op is a node of the graph: a kernel or a copy, with what the accounts and the
// roofline want to know of it.
type Op struct {
	gpu.Op
	Copy  *dma.Copy
	Class string                     // under which it is counted
	Span  int                        // of the stream
	Bytes [hierarchy.NumTiers]uint64 // that it must move from or to each tier
	FLOPs float64

	Period sim.Time // at which the CTAs of a kernel that go in step do the same again; 0: they do not
}

// far reports whether the op moves anything from or to a memory beyond HBM.
func (o *Op) far() bool {
	return slices.ContainsFunc(o.Bytes[hierarchy.HBM+1:], func(b uint64) bool { return b > 0 })
}

// far returns the memory that a copy joins with HBM.
func far(c *dma.Copy) hierarchy.TierID {
	at := c.Segments[0].Src
	if c.Out {
		at = c.Segments[0].Dst
	}
	return hierarchy.TierID(devices.Tier(at))
}

// Graph is operations in the order in which they are issued.
type Graph struct {
	Ops     []Op
	Classes []string       // by flow
	flows   map[string]int // class → flow
	tail    int            // last op of the stream, -1 at the start
	waits   []int          // further ops that the next op of the stream waits for
}

// New returns an empty graph.
func New() *Graph { return &Graph{flows: map[string]int{}, tail: -1} }

// Add appends an op to the stream: behind its last and further ops. It returns
// its number.
func (g *Graph) Add(o Op, after ...int) int {
	if g.tail >= 0 {
		after = append(after, g.tail)
	}
	o.After = append(after, g.waits...)
	g.waits = nil
	g.tail = g.Put(o)
	return g.tail
}

// Put appends an op that only what its After lists holds back.
func (g *Graph) Put(o Op) int {
	f, ok := g.flows[o.Class]
	if !ok {
		f = len(g.Classes)
		g.flows[o.Class] = f
		g.Classes = append(g.Classes, o.Class)
	}
	if o.Kernel != nil {
		o.Kernel.Name = o.Class
		o.Kernel.Flow = uint8(f)
	} else {
		o.Copy.Flow = uint8(f)
	}
	g.Ops = append(g.Ops, o)
	return len(g.Ops) - 1
}

// Wait makes the stream's next op wait for others.
func (g *Graph) Wait(ids ...int) { g.waits = append(g.waits, ids...) }

// Tail returns the stream's last op, -1 at the start.
func (g *Graph) Tail() int { return g.tail }
