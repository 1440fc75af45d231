package synthetic

import (
	"cmp"
	"math"

	"hwsim/configs"
	"hwsim/sim"
)

// Graph describes the graph that a kernel works on, and its objects: as in
// GraphBIG, an index of pointers by the vertices' ids, an object for each vertex, and
// lists of edge objects. An edge is an access to its object, one to the neighbour's
// place in the index, those to the lines of the neighbour's object, and some local
// ones. The sizes make 134 MB of index and 19 GB of objects: in the artifact's BFS
// half of the page visits that miss the first TLB go to some 110 MB, and 5 % of the
// walks miss a cache of 16 PDPT entries. The local accesses and the gap are fitted to
// that BFS on its first and second TLB, the mispredicted branches to its
// instructions a cycle.
type Graph struct {
	Scale        int      `toml:"scale"`        // log2 of the number of vertices; 24, of tc 23
	EdgeFactor   float64  `toml:"edge_factor"`  // mean number of edges of a vertex; 16
	Unpermuted   bool     `toml:"unpermuted"`   // ids are rows of the recursive matrix, hubs first
	IndexBytes   int      `toml:"index_bytes"`  // of a vertex in the index; 8
	VertexBytes  int      `toml:"vertex_bytes"` // of a vertex's object; 128
	EdgeBytes    int      `toml:"edge_bytes"`   // of an edge in its vertex's list; 64
	Lines        float64  `toml:"lines"`        // mean number of lines of a neighbour's object that an edge touches; all
	Local        *float64 `toml:"local"`        // mean number of accesses to the program's own data for an edge; 8.3
	Mispredicted *float64 `toml:"mispredicted"` // share of edges after which a branch on the neighbour's object is mispredicted; 0.66, of pr 0
	SortedLists  bool     `toml:"sorted_lists"` // tc merges sorted lists, not trees
}

// graph returns the graph with its defaults.
func (c *Config) graph() Graph {
	g, scale := c.Graph, 24
	if c.Kind == "tc" { // its trees take most of the memory
		scale = 23
	}
	local := value(g.Local, 8.3)
	g.Local = &local
	branches := 0.66
	if c.Kind == "pr" { // it does the same for every neighbour
		branches = 0
	}
	branches = value(g.Mispredicted, branches)
	g.Mispredicted = &branches
	g.Scale = cmp.Or(g.Scale, scale)
	g.EdgeFactor = cmp.Or(g.EdgeFactor, 16)
	g.VertexBytes = cmp.Or(g.VertexBytes, 128)
	g.EdgeBytes = cmp.Or(g.EdgeBytes, 64)
	g.IndexBytes = cmp.Or(g.IndexBytes, 8)
	g.Lines = cmp.Or(g.Lines, float64(g.objectLines()))
	return g
}

func (g *Graph) objectLines() int { return max(1, g.VertexBytes/lineBytes) }

func validateGraph(c *Config, report func(key, message string)) {
	g := c.graph()
	configs.Within(report, "graph.scale", g.Scale, 4, 27)
	within(report, "graph.edge_factor", g.EdgeFactor, 1, 256)
	powerOfTwo(report, "graph.vertex_bytes", g.VertexBytes, 8, 4096)
	powerOfTwo(report, "graph.index_bytes", g.IndexBytes, 1, lineBytes)
	powerOfTwo(report, "graph.edge_bytes", g.EdgeBytes, 4, lineBytes)
	within(report, "graph.lines", g.Lines, 1, float64(g.objectLines()))
	within(report, "graph.local", *g.Local, 0, maxMean)
	within(report, "graph.mispredicted", *g.Mispredicted, 0, 1)
}

// edges returns a number of edges that no seed's graph has more of: the mean and
// 16 deviations.
func (g *Graph) edges() int {
	mean := g.EdgeFactor * float64(uint64(1)<<g.Scale)
	return int(mean + 16*math.Sqrt(mean))
}

// graphData is a graph and where its parts lie: objects and lists of edges in the
// order of the vertices' ids, packed.
type graphData struct {
	Graph
	*rmat
	n        uint32 // vertices
	index    uint64 // addresses
	heap     uint64 // objects and edges
	lines    dither
	own      stack
	branches dither // mispredicted
	touched  uint64 // count of accesses when a neighbour's object had been read
}

func placeGraph(c *Config, m *space) graphData {
	g := graphData{Graph: c.graph()}
	g.n = 1 << g.Scale
	g.index = m.region(g.IndexBytes << g.Scale)
	g.heap = m.region(g.VertexBytes<<g.Scale + g.EdgeBytes*g.Graph.edges())
	g.lines = newDither(g.Lines)
	g.own = newStack(m, *g.Local)
	g.branches = newDither(*g.Mispredicted)
	return g
}

func (g *graphData) start(r *sim.Rand) {
	g.rmat = newRMAT(g.Scale, g.EdgeFactor, !g.Unpermuted, r)
}

// object returns the address of a vertex's object. The heap has the objects of a
// block of vertices, their edges, and so on.
func (g *graphData) object(id uint32) uint64 {
	return g.heap + uint64(id)*uint64(g.VertexBytes) + g.before[id/block]*uint64(g.EdgeBytes)
}

// edge returns the address of an edge of a vertex.
func (g *graphData) edge(id uint32, n uint64) uint64 {
	return g.heap + (uint64(id/block)+1)*block*uint64(g.VertexBytes) + n*uint64(g.EdgeBytes)
}

// list is where a kernel is in the edges of a vertex.
type list struct {
	id, row   uint32
	first     uint64 // edge
	next, end uint32 // edge after first
}

// open returns the list of a vertex whose edges begin at first.
func (g *graphData) open(id uint32, first uint64) list {
	row := g.row(id)
	return list{id: id, row: row, first: first, end: g.degree(row)}
}

// follow reads the list's next edge, and by the index the object of the neighbour
// that it leads to, and returns the neighbour. The first edge's address comes from the
// vertex's object, which is read just before.
func (g *graphData) follow(out *emitter, l *list) uint32 {
	id := g.neighbour(l.row, l.next)
	back := uint32(0)
	if l.next == 0 {
		back = 1
	}
	out.follow(g.edge(l.id, l.first+uint64(l.next)), back)
	l.next++
	out.follow(g.index+uint64(id)*uint64(g.IndexBytes), 1)
	g.touch(out, id)
	g.touched = out.count()
	if g.branches.next() > 0 {
		out.flush()
	}
	g.own.touch(out)
	return id
}

// touch reads lines of an object that the last access points to.
func (g *graphData) touch(out *emitter, id uint32) {
	addr := g.object(id)
	for i := range g.lines.next() {
		out.follow(addr, i+1)
		addr += lineBytes
	}
}
