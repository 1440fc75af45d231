package synthetic

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
	"hwsim/sim"
)

// conventional draws the edges of an R-MAT graph one by one.
func conventional(scale, factor int, r *sim.Rand) (out, in []float64) {
	n := 1 << scale
	out, in = make([]float64, n), make([]float64, n)
	for range factor * n {
		row, column := 0, 0
		for range scale {
			toss := r.Float64()
			row, column = 2*row, 2*column
			switch {
			case toss < quadrantA:
			case toss < quadrantA+quadrantB:
				column++
			case toss < quadrantA+quadrantB+quadrantC:
				row++
			default:
				row, column = row+1, column+1
			}
		}
		out[row]++
		in[column]++
	}
	return out, in
}

// implicit lists the edges of an implicit graph.
func implicit(g *rmat) (out, in []float64) {
	n := uint32(1) << g.scale
	out, in = make([]float64, n), make([]float64, n)
	for id := range n {
		row := g.row(id)
		for k := range g.degree(row) {
			out[id]++
			in[g.neighbour(row, k)]++
		}
	}
	return out, in
}

// share returns the part of all edges that the n vertices with the most have.
func share(degrees []float64, n int) float64 {
	d := slices.Clone(degrees)
	slices.SortFunc(d, func(a, b float64) int { return int(b - a) })
	all, top := 0.0, 0.0
	for i, x := range d {
		all += x
		if i < n {
			top += x
		}
	}
	return top / all
}

// none returns the part of the vertices without edges.
func none(degrees []float64) float64 {
	n := 0.0
	for _, d := range degrees {
		if d == 0 {
			n++
		}
	}
	return n / float64(len(degrees))
}

func TestImplicitGraphIsAsSkewedAsADrawnOne(t *testing.T) {
	const scale, factor = 14, 16
	r := sim.NewRand(3)
	drawnOut, drawnIn := conventional(scale, factor, &r)
	g := newRMAT(scale, factor, true, &r)
	out, in := implicit(g)
	total := 0.0
	for _, d := range out {
		total += d
	}
	assert.InEpsilon(t, factor, total/(1<<scale), 0.005)
	for _, c := range []struct{ drawn, got []float64 }{{drawnOut, out}, {drawnIn, in}} {
		assert.InDelta(t, none(c.drawn), none(c.got), 0.01)
		for _, n := range []int{1, 16, 163, 1638} {
			assert.InEpsilon(t, share(c.drawn, n), share(c.got, n), 0.03, "top %d", n)
		}
	}
}

// of edges from the hub, each level leads right with b/(a+b); from the last row
// with d/(c+d)
func TestNeighboursFollowTheMatrix(t *testing.T) {
	r := sim.NewRand(3)
	g := newRMAT(20, 16, false, &r)
	for _, c := range []struct {
		row  uint32
		want float64
	}{{0, 0.25}, {1<<20 - 1, 0.05 / 0.24}} {
		var right [20]float64
		const n = 100000
		pairs := 0.0
		for k := range uint32(n) {
			column := g.neighbour(c.row, k)
			for level := range right {
				right[level] += float64(column >> level & 1)
			}
			pairs += float64(column & (column >> 1) & 1)
		}
		for level := range right {
			assert.InDelta(t, c.want, right[level]/n, 4*math.Sqrt(c.want*(1-c.want)/n))
		}
		assert.InDelta(t, c.want*c.want, pairs/n, 0.004) // levels are independent
	}
}

func TestEdgeListsLieSideBySide(t *testing.T) {
	r := sim.NewRand(4)
	for _, permuted := range []bool{false, true} {
		g := newRMAT(10, 16, permuted, &r)
		next := uint64(0)
		for id := range uint32(1 << 10) {
			require.Equal(t, next, g.first(id))
			next += uint64(g.degree(g.row(id)))
		}
		graph := Graph{Scale: 10, EdgeFactor: 16}
		assert.LessOrEqual(t, next, uint64(graph.edges()))
	}
}

func TestPermutedHubsLieAnywhere(t *testing.T) {
	r := sim.NewRand(4)
	for _, permuted := range []bool{false, true} {
		out, _ := implicit(newRMAT(12, 16, permuted, &r))
		first := 0.0
		for _, d := range out[:1<<11] {
			first += d
		}
		half := first / (16 << 12)
		if permuted {
			assert.InDelta(t, 0.5, half, 0.1)
		} else {
			assert.InDelta(t, 0.76, half, 0.01)
		}
	}
}

// startKernel returns a kernel ready to run, and a sink for its accesses.
func startKernel[T generator](c *Config) (T, *emitter) {
	g := find(c.Kind).place(c, new(space)).(T)
	g.start(sim.NewRand(9))
	return g, &emitter{}
}

// search returns the vertices that a textbook search reaches, in their order.
func search(g *graphData, root uint32, seen []bool) (order []uint32) {
	order = append(order, root)
	seen[root] = true
	for i := 0; i < len(order); i++ {
		row := g.row(order[i])
		for k := range g.degree(row) {
			if id := g.neighbour(row, k); !seen[id] {
				seen[id] = true
				order = append(order, id)
			}
		}
	}
	return order
}

// sent sorts a kernel's accesses by where they go.
func sent(g *graphData, out *emitter) (objects, writes map[uint32]int, edges map[uint64]int) {
	objects, writes, edges = map[uint32]int{}, map[uint32]int{}, map[uint64]int{}
	owner, edge := map[uint64]uint32{}, map[uint64]uint64{}
	for id := range g.n {
		for at := 0; at < g.VertexBytes; at += wordBytes {
			owner[g.object(id)+uint64(at)] = id
		}
		first := g.first(id)
		for k := range uint64(g.degree(g.row(id))) {
			edge[g.edge(id, first+k)] = first + k
		}
	}
	for _, a := range out.accesses {
		id, object := owner[a.Addr]
		n, list := edge[a.Addr]
		switch {
		case object && a.Write:
			writes[id]++
		case object:
			objects[id]++
		case list:
			edges[n]++
		}
	}
	return objects, writes, edges
}

func TestSearchReachesEachVertexOnce(t *testing.T) {
	for _, kind := range []string{"bfs", "sssp", "bc"} {
		g, out := startKernel[*traversal](small(kind))
		g.restart(out)
		root := g.order[0]
		for g.list.next < g.list.end || g.head < len(g.order) {
			if g.list.next < g.list.end {
				g.relax(out)
			} else {
				g.pop(out)
			}
		}
		want := search(&g.graphData, root, make([]bool, g.n))
		require.Equal(t, want, g.order, kind)
		require.Greater(t, len(want), 100)
		_, writes, edges := sent(&g.graphData, out)
		assert.Len(t, writes, len(want))
		listed := 0
		for _, id := range want {
			require.Equal(t, 1, writes[id])
			first := g.first(id)
			for k := range g.degree(g.row(id)) {
				require.Equal(t, 1, edges[first+uint64(k)])
				listed++
			}
		}
		assert.Len(t, edges, listed)
	}
}

func TestWayBackTakesTheSameEdges(t *testing.T) {
	g, _ := startKernel[*traversal](small("bc"))
	out := step(g, func() bool { return g.ebb == len(g.order) && g.list.next == g.list.end })
	var taken []int // places of the queue
	for _, a := range out.accesses {
		if a.Addr >= g.queue && !a.Write {
			taken = append(taken, int(a.Addr-g.queue)/wordBytes)
		}
	}
	for i, place := range taken {
		require.Equal(t, min(i, len(taken)-1-i), place) // there and back
	}
	require.Len(t, taken, 2*len(g.order))
	_, _, edges := sent(&g.graphData, out)
	listed := 0
	for _, id := range g.order {
		first := g.first(id)
		for k := range g.degree(g.row(id)) {
			require.Equal(t, 2, edges[first+uint64(k)])
			listed++
		}
	}
	assert.Len(t, edges, listed)
}

func TestComponentsReachEveryVertex(t *testing.T) {
	g, _ := startKernel[*traversal](small("cc"))
	step(g, func() bool { return g.root == g.n && g.head == len(g.order) && g.list.next == g.list.end })
	assert.Len(t, g.order, int(g.n))
	slices.Sort(g.order)
	assert.Equal(t, int(g.n), len(slices.Compact(g.order)))
}

// step runs a kernel until done, one step at a time in an emitter that is all but
// full, and returns its accesses.
func step(g generator, done func() bool) *emitter {
	all, one := &emitter{}, &emitter{}
	for {
		one.accesses = append(one.accesses[:0], make([]cpu.Access, chunk-1)...)
		one.before = uint64(len(all.accesses)) - (chunk - 1)
		g.run(one)
		all.accesses = append(all.accesses, one.accesses[chunk-1:]...)
		if done() {
			return all
		}
	}
}

func TestPageRankPushesAlongEveryEdge(t *testing.T) {
	g, _ := startKernel[*pageRank](small("pr"))
	out := step(g, func() bool { return g.phase == sumChange && g.list.next == g.list.end })
	_, in := implicit(g.rmat)
	objects, writes, edges := sent(&g.graphData, out)
	sum := 0
	for id, n := range in {
		assert.Equal(t, int(n), writes[uint32(id)])
		assert.Equal(t, int(n)*2+1, objects[uint32(id)]) // two lines for a neighbour, one for the source
		sum += int(n)
	}
	assert.Len(t, edges, sum)
	out = step(g, func() bool { return g.phase == setAside })
	objects, writes, edges = sent(&g.graphData, out)
	assert.Len(t, objects, int(g.n))
	assert.Empty(t, writes)
	assert.Empty(t, edges)
	out = step(g, func() bool { return g.phase == pushRanks })
	objects, writes, edges = sent(&g.graphData, out)
	assert.Len(t, objects, int(g.n))
	assert.Len(t, writes, int(g.n))
	assert.Empty(t, edges)
}

func TestColouringMarksEveryNeighbour(t *testing.T) {
	g, _ := startKernel[*colouring](small("gc"))
	begun := false
	out := step(g, func() bool {
		begun = begun || g.next > 0
		return begun && g.next == 0 && g.list.next == g.list.end
	})
	out0, _ := implicit(g.rmat)
	marks, edges := 0, 0
	for _, a := range out.accesses {
		if a.Write && a.Addr-g.array < colours {
			marks++
		}
	}
	for id, n := range out0 {
		edges += int(n)
		require.LessOrEqual(t, g.colour(uint32(id)), uint64(min(n, colours-1)))
	}
	assert.Equal(t, edges+int(g.n)*colours/wordBytes, marks)
}

func TestTrianglesMergeBothEndsOfUpwardEdges(t *testing.T) {
	for _, lists := range []bool{false, true} {
		c := small("tc")
		c.Graph.SortedLists = lists
		g, _ := startKernel[*triangles](c)
		begun := false
		out := step(g, func() bool {
			begun = begun || g.next > 0
			return begun && g.next == 0 && g.list.next == g.list.end && (g.mine.next == g.mine.end || g.other.next == g.other.end)
		})
		counts := map[uint32]int{} // of merges, by vertex
		shortest, longest, reads := 0, 0, 0
		for id := range g.n {
			mine := g.degree(g.row(id))
			for k := range mine {
				if other := g.neighbour(g.row(id), k); other > id && g.degree(g.row(other)) > 0 {
					n := g.degree(g.row(other))
					shortest += int(min(mine, n))
					longest += int(mine + n)
					counts[id]++
					counts[other]++
				}
			}
		}
		_, writes, edges := sent(&g.graphData, out)
		assert.Equal(t, counts, writes)
		if lists {
			for _, n := range edges {
				reads += n
			}
			reads -= int(g.first(g.n-1)) + int(g.degree(g.row(g.n-1))) // the lists themselves
		} else {
			for _, a := range out.accesses {
				if a.Addr >= g.nodes {
					reads++
					require.Equal(t, uint64(keyOffset), (a.Addr-g.nodes)%nodeBytes)
				}
			}
		}
		assert.Greater(t, reads, shortest)
		assert.LessOrEqual(t, reads, longest)
	}
}

// a node's address is the data of the node before in the same tree
func TestTreeNodesAreChained(t *testing.T) {
	g, _ := startKernel[*triangles](small("tc"))
	out := step(g, func() bool { return g.next == 40 })
	owner := map[uint64]uint32{}
	for id := range g.n {
		for k := range uint64(g.degree(g.row(id))) {
			owner[g.first(id)+k] = id
		}
	}
	own := func(addr uint64) uint32 { return owner[(addr-g.nodes)/nodeBytes] }
	links := 0
	for i, a := range out.accesses {
		if before := i - int(a.After); a.Addr >= g.nodes && out.accesses[before].Addr >= g.nodes {
			require.Equal(t, own(a.Addr), own(out.accesses[before].Addr))
			links++
		}
	}
	assert.Greater(t, links, 1000)
}

// the graph's own memory, apart from what a traversal holds for its vertices
func TestGraphStoresNoEdges(t *testing.T) {
	r := sim.NewRand(1)
	g := newRMAT(16, 16, true, &r)
	assert.Len(t, g.before, 1<<16/block)
}

// A share of the edges ends in a branch that is mispredicted on the neighbour's
// data.
func TestBranchesAreMispredictedAsOftenAsSaid(t *testing.T) {
	for _, share := range []float64{0, 0.25, 1} {
		c := Config{Kind: "gc", Graph: Graph{Scale: 10, Mispredicted: &share}}
		s, err := New(&c, 1)
		require.NoError(t, err)
		batch := make([]cpu.Access, 100_000)
		s.Fill(batch)
		flushes, edges := 0, 0
		g := c.graph()
		for _, a := range batch {
			if a.Flush {
				flushes++
			}
			if a.After == uint32(g.Lines) { // the last line of a neighbour's object
				edges++
			}
		}
		require.InDelta(t, share, float64(flushes)/float64(edges), 0.1)
	}
}
