package hostattn

import (
	"context"
	"fmt"
	"math"

	"hwsim/devices/host"
	"hwsim/hierarchy"
)

// Options describe one call: batch × KV heads × context keys and values, and
// as many queries a KV head as there are query heads for it.
type Options struct {
	Threads        int
	Heads, KVHeads int
	HeadDim        int
	Batch, Context int
	BFloat16       bool // else float32
}

// elem returns the bytes of an element.
func (o Options) elem() uint64 {
	if o.BFloat16 {
		return 2
	}
	return 4
}

// Bytes returns the size of keys and values.
func (o Options) Bytes() uint64 {
	return 2 * uint64(o.Batch*o.KVHeads) * uint64(o.Context*o.HeadDim) * o.elem()
}

// Time returns how long a call takes, in ns, when calls follow each other.
func Time(ctx context.Context, h *hierarchy.Host, o Options) (float64, error) {
	if h == nil || h.CPU == nil || h.DDR == nil {
		return 0, fmt.Errorf("the host needs cpu and ddr")
	}
	items := o.Batch * o.KVHeads
	threads := min(o.Threads, items, h.CPU.Cores*h.CPU.Siblings)
	w := newWork(h.CPU, &o, threads)
	each := (items + threads - 1) / threads // the thread with most
	tiles := float64(each) * float64(2*o.Context) / float64(w.tokens)
	// The calls before decide what the cache holds, and that how long they took.
	var ns float64
	kept := 0.0
	for range rounds {
		tile, err := w.run(ctx, h.DDR, kept)
		if err != nil {
			return 0, err
		}
		ns = h.CPU.Attention.CallNs + tiles*tile
		kept = survive(h.CPU, float64(o.Bytes()), ns)
	}
	return ns, nil
}

// rounds is how often time and what the cache keeps are found from each other.
const rounds = 6

// survive returns the share of a call's lines that the last cache still has
// when the next call comes to them, given how long a call takes. Its sets
// replace the line used longest ago, and any number of those used since can
// have gone to a set.
func survive(c *host.CPU, bytes, ns float64) float64 {
	since := (bytes + c.OthersGBps*ns) / float64(c.LLCBytes) * float64(c.LLCWays) // a set
	p := math.Exp(-since)
	sum := 0.0
	for k := range c.LLCWays {
		sum += p
		p *= since / float64(k+1)
	}
	return sum
}

// work is what each thread does with a block of keys or of values.
type work struct {
	cpu     *host.CPU
	threads int
	tokens  int     // a block
	lines   int     // a block
	fills   int     // a thread
	line    float64 // ns, a line's elements go through
	after   float64 // ns, a block's are computed once it is there
}

func newWork(c *host.CPU, o *Options, threads int) *work {
	w := &work{cpu: c, threads: threads, tokens: min(c.Attention.Block, o.Context)}
	elements := float64(w.tokens * o.HeadDim)
	w.lines = int(math.Ceil(elements * float64(o.elem()) / float64(c.LineBytes)))
	p, rows := &c.Attention.Float32, (o.Heads+o.KVHeads-1)/o.KVHeads
	if o.BFloat16 {
		p = &c.Attention.BFloat16
	}
	a := p.OneNs
	if rows > 1 {
		a = p.ManyNs
		if p.Vector {
			a += float64(rows) / c.FMAs
		}
	}
	// Threads lie anywhere: a core's other processors are as busy as the rest.
	busy := 0.0
	if n := c.Cores*c.Siblings - 1; n > 0 {
		busy = float64(threads-1) / float64(n)
	}
	slower := 1 + busy*(c.Crowded-1)
	w.line, w.after = p.LineNs*slower, a*elements*slower
	w.fills = max(1, int(math.Round(float64(c.Fills)*(1-busy*(1-1/float64(c.Siblings))))))
	return w
}
