package synthetic

import (
	"math/bits"

	"hwsim/sim"
)

// traversal is breadth-first search and what GraphBIG builds on it: from random
// roots (bfs); with a heap for a queue (sssp: all of its weights are 1, so that
// the order is the same); from every vertex not reached before (cc); with a way
// back through the vertices in the order opposite to that of their visits, which
// sums up dependencies (bc). When all is done it begins again from another root.
type traversal struct {
	graphData
	queue  uint64 // address
	heap   bool   // the queue is a heap
	scan   bool   // roots are all vertices in their order
	back   bool   // each search has a way back
	random sim.Rand

	reached []uint64 // bits
	order   []uint32 // vertices reached since the last clearing, the queue's at the end
	head    int      // of order: the first in the queue
	ebb     int      // vertices of order taken on the way back
	root    uint32   // next to look at
	list    list
}

func placeTraversal(c *Config, m *space) generator {
	t := &traversal{graphData: placeGraph(c, m), heap: c.Kind == "sssp", scan: c.Kind == "cc", back: c.Kind == "bc"}
	entry := wordBytes // a pointer
	if t.heap {
		entry = heapBytes
	}
	t.queue = m.region(entry << t.Scale)
	return t
}

func (t *traversal) start(r sim.Rand) {
	t.graphData.start(&r)
	t.random = r
	t.reached = make([]uint64, (t.n+63)/64)
	t.order = make([]uint32, 0, t.n)
}

func (t *traversal) run(out *emitter) {
	for !out.full() {
		switch {
		case t.list.next < t.list.end && t.ebb > 0:
			t.gather(out)
		case t.list.next < t.list.end:
			t.relax(out)
		case t.head < len(t.order):
			t.pop(out)
		case t.back && t.ebb < len(t.order):
			t.recede(out)
		case t.scan:
			t.look(out)
		default:
			t.restart(out)
		}
	}
}

// relax follows an edge; a neighbour seen for the first time is queued.
func (t *traversal) relax(out *emitter) {
	t.reach(out, t.follow(out, &t.list))
}

// reach marks a vertex and queues it, unless it is marked.
func (t *traversal) reach(out *emitter, id uint32) {
	word, bit := &t.reached[id/64], uint64(1)<<(id%64)
	if *word&bit != 0 {
		return
	}
	*word |= bit
	t.order = append(t.order, id)
	out.write(t.object(id))
	t.push(out)
}

// push adds the last vertex of the order to the queue.
func (t *traversal) push(out *emitter) {
	if t.heap {
		t.rise(out)
		return
	}
	out.write(t.entry(len(t.order) - 1))
}

// pop takes the next vertex off the queue and reads its object.
func (t *traversal) pop(out *emitter) {
	id, named := t.order[t.head], out.count()
	if t.heap {
		t.sink(out)
	} else {
		out.read(t.entry(t.head))
	}
	t.head++
	t.visit(out, id, named)
}

// entry returns the address of a place in the queue.
func (t *traversal) entry(i int) uint64 { return t.queue + uint64(i)*wordBytes }

// visit reads the object of a vertex just taken off the queue, which access number
// named has read, and opens its list.
func (t *traversal) visit(out *emitter, id uint32, named uint64) {
	out.follow(t.object(id), uint32(out.count()-named))
	t.list = t.open(id, t.first(id))
}

// recede takes the vertex reached last of those not yet taken on the way back.
func (t *traversal) recede(out *emitter) {
	t.ebb++
	i := len(t.order) - t.ebb
	named := out.count()
	out.read(t.entry(i))
	t.visit(out, t.order[i], named)
}

// gather follows an edge on the way back, and writes the sum after the last.
func (t *traversal) gather(out *emitter) {
	t.follow(out, &t.list)
	if t.list.next == t.list.end {
		out.write(t.object(t.list.id))
	}
}

// look reads the next vertex in the order of ids and begins a search there if
// it has not been reached.
func (t *traversal) look(out *emitter) {
	if t.root == t.n {
		t.root = 0
		t.clear()
	}
	out.read(t.object(t.root))
	t.reach(out, t.root)
	t.root++
}

// restart begins a search at a random vertex, of those with edges if it finds
// one.
func (t *traversal) restart(out *emitter) {
	t.clear()
	root := uint32(0)
	for range 64 {
		root = uint32(t.random.IntN(int(t.n)))
		if t.degree(t.row(root)) > 0 {
			break
		}
	}
	t.reach(out, root)
}

// clear forgets what was reached. A benchmark does this between its searches and
// does not time it: no access stands for it.
func (t *traversal) clear() {
	if len(t.order) < len(t.reached) {
		for _, id := range t.order {
			t.reached[id/64] = 0
		}
	} else {
		clear(t.reached)
	}
	t.order, t.head, t.ebb = t.order[:0], 0, 0
}

// heapBytes is an entry of a heap: a vertex and its distance.
const heapBytes = 16

// node returns the address of a heap's node, from 1.
func (t *traversal) node(i int) uint64 { return t.queue + uint64(i-1)*heapBytes }

// rise adds a node to the heap. Its key is not below any other: it stays where
// it is, once its parent has been looked at.
func (t *traversal) rise(out *emitter) {
	size := len(t.order) - t.head
	out.write(t.node(size))
	out.read(t.node(max(1, size/2)))
}

// sink takes the lowest node off the heap. The hole it leaves moves down to a
// leaf, the lower of two children taking its place each time, by a coin: keys
// differ by 1 at most.
func (t *traversal) sink(out *emitter) {
	size := len(t.order) - t.head
	coins := t.random.Uint64()
	out.read(t.node(1))
	back := uint32(0)
	for hole := 1; 2*hole <= size; {
		child := min(2*hole+int(coins&1), size)
		coins = bits.RotateLeft64(coins, -1)
		out.follow(t.node(child), back)
		out.write(t.node(hole))
		hole, back = child, 2
	}
}
