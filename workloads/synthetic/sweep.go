package synthetic

import "hwsim/sim"

// sweep goes through the vertices in the order of their ids, again and again.
type sweep struct {
	graphData
	next uint32 // vertex
	past uint64 // edges of the vertices before next
	list list
}

// advance opens the list of the next vertex and reports whether it is the last.
func (s *sweep) advance() (last bool) {
	s.list = s.open(s.next, s.past)
	s.past += uint64(s.list.end)
	if s.next++; s.next < s.n {
		return false
	}
	s.next, s.past = 0, 0
	return true
}

func (s *sweep) start(r sim.Rand) { s.graphData.start(&r) }

// pageRank is rounds of three sweeps: every vertex pushes its rank to its
// neighbours, has its change looked at, and puts its new rank aside. It begins
// with a push, which is nearly all of a round.
type pageRank struct {
	sweep
	phase pageRankPhase
}

type pageRankPhase uint8

const (
	pushRanks pageRankPhase = iota
	sumChange
	setAside
	pageRankPhases
)

func placePageRank(c *Config, m *space) generator {
	return &pageRank{sweep: sweep{graphData: placeGraph(c, m)}}
}

func (p *pageRank) run(out *emitter) {
	for !out.full() {
		if p.list.next < p.list.end {
			id := p.follow(out, &p.list)
			out.write(p.object(id))
			continue
		}
		p.vertex(out)
	}
}

func (p *pageRank) vertex(out *emitter) {
	phase := p.phase
	if p.advance() {
		p.phase = (p.phase + 1) % pageRankPhases
	}
	out.read(p.object(p.list.id))
	if phase == setAside {
		out.write(p.object(p.list.id))
	}
	if phase != pushRanks {
		p.list.end = 0
	}
}

// colours is the most colours that colouring tells apart.
const colours = 64

// colouring gives each vertex the first colour that no neighbour has: it marks
// the neighbours' colours in an array of a byte for each and searches that.
type colouring struct {
	sweep
	array uint64 // address
}

func placeColouring(c *Config, m *space) generator {
	g := &colouring{sweep: sweep{graphData: placeGraph(c, m)}}
	g.array = m.region(colours)
	return g
}

func (c *colouring) run(out *emitter) {
	for !out.full() {
		if c.list.next == c.list.end {
			c.vertex(out)
			continue
		}
		id := c.follow(out, &c.list)
		out.write(c.array + c.colour(id))
		if c.list.next == c.list.end {
			c.choose(out)
		}
	}
}

// vertex clears the array and takes the next vertex.
func (c *colouring) vertex(out *emitter) {
	for at := uint64(0); at < colours; at += wordBytes {
		out.write(c.array + at)
	}
	c.advance()
	out.read(c.object(c.list.id))
	if c.list.end == 0 {
		c.choose(out)
	}
}

// choose searches the array up to the vertex's colour and writes that.
func (c *colouring) choose(out *emitter) {
	for at := uint64(0); at <= c.colour(c.list.id); at += wordBytes {
		out.read(c.array + at)
	}
	out.write(c.object(c.list.id))
}

// colour returns what stands for the colour that a vertex gets: any of the first
// ones, as many as its neighbours and one more, the same each time.
func (c *colouring) colour(id uint32) uint64 {
	row := c.row(id)
	return uint64(id) % (uint64(min(c.degree(row), colours-1)) + 1)
}
