package synthetic

import "hwsim/sim"

// triangles counts, for each edge to a vertex of a higher id, what the two
// vertices' neighbours in the order of their ids have in common: it merges them
// until one list ends. The neighbours are nodes of a tree, as GraphBIG's, or a
// sorted list.
//
// A vertex's nodes lie side by side in the order of its edges, which has nothing
// to do with that of the keys, so that the tree's next node is any of them. Left
// out: the nodes above it on the way there, which were read not long before, and
// building the trees.
type triangles struct {
	sweep
	nodes       uint64 // address
	shuffle     permutation
	mine, other sorted // lists being merged
}

// sorted is a list in the order of its ids.
type sorted struct {
	list
	order permutation // of the nodes
	last  uint64      // count of accesses when the node before the next was read
}

// Bytes of a node of a red-black tree of 64-bit keys in glibc's heap, and where
// the key is in it.
const (
	nodeBytes = 48
	keyOffset = 32
)

func placeTriangles(c *Config, m *space) generator {
	t := &triangles{sweep: sweep{graphData: placeGraph(c, m)}}
	if !t.SortedLists {
		t.nodes = m.region(nodeBytes * t.Graph.edges())
	}
	return t
}

func (t *triangles) start(r sim.Rand) {
	t.shuffle = newPermutation(uint64(t.n), &r)
	t.sweep.start(r)
}

func (t *triangles) run(out *emitter) {
	for !out.full() {
		switch {
		case t.mine.next < t.mine.end && t.other.next < t.other.end:
			t.merge(out)
		case t.list.next < t.list.end:
			t.pair(out)
		default:
			t.advance()
			out.read(t.object(t.list.id))
		}
	}
}

// pair follows the next edge and, if it leads upwards, begins to merge.
func (t *triangles) pair(out *emitter) {
	id := t.neighbour(t.list.row, t.list.next)
	if id <= t.list.id {
		out.read(t.edge(t.list.id, t.list.first+uint64(t.list.next)))
		t.list.next++
		return
	}
	t.follow(out, &t.list)
	mine := t.list
	mine.next = 0
	t.mine, t.other = t.sort(mine), t.sort(t.open(id, t.first(id)))
}

// sort returns a list in the order of its ids. Its first node's address comes
// from the neighbour's object.
func (t *triangles) sort(l list) sorted {
	return sorted{list: l, order: t.shuffle.below(uint64(max(1, l.end)), uint64(l.row)), last: t.touched}
}

// merge reads the list that is less far through: both hold ids of the same
// distribution. The counts of both vertices are written at the end.
func (t *triangles) merge(out *emitter) {
	l := &t.mine
	if uint64(t.other.next)*uint64(t.mine.end) < uint64(t.mine.next)*uint64(t.other.end) {
		l = &t.other
	}
	t.step(out, l)
	if l.next == l.end {
		out.write(t.object(t.mine.id))
		out.write(t.object(t.other.id))
	}
}

// step reads the next id of a list. A node's address is in the node before.
func (t *triangles) step(out *emitter, l *sorted) {
	if t.SortedLists {
		out.read(t.edge(l.id, l.first+uint64(l.next)))
	} else {
		node := l.first + l.order.at(uint64(l.next))
		out.follow(t.nodes+node*nodeBytes+keyOffset, uint32(out.count()-l.last)+1)
		l.last = out.count()
	}
	l.next++
}
