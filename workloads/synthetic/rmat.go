package synthetic

import (
	"math"
	"math/bits"

	"hwsim/devices"
	"hwsim/sim"
)

// The probabilities of an edge's quadrant at each level of the recursive matrix
// (Graph500's Kronecker generator, after R-MAT of Chakrabarti, Zhan and
// Faloutsos, SDM 2004).
const (
	quadrantA = 0.57
	quadrantB = 0.19
	quadrantC = 0.19
	quadrantD = 0.05
)

// rmat is a directed R-MAT graph of which no edge is stored. A vertex's row in
// the recursive matrix gives the number of its edges: Poisson with the row's
// share of all edges for its mean, as that of edges drawn one by one is in the
// limit. Given the row's bit at a level, the column's bit is 1 with a
// probability of its own. Hashes of the row and the edge's place in its list
// stand for the draws, so that an edge is the same whenever it is looked at.
//
// Left out: that there are exactly edge-factor edges a vertex, not in the mean
// only, and the spread of degrees with a mean of 16 and more, at most a quarter.
type rmat struct {
	scale  int
	seed   uint64
	ids    *permutation // from ids to rows; nil: they are the same
	means  []degrees    // by the number of 1 bits in the row
	right  [2][columnBits]uint32
	before []uint64 // edges before every 16th vertex
}

// degrees is the distribution of the degrees of some rows.
type degrees struct {
	mean float64
	none float64 // probability of 0; 0: rounded, not Poisson
}

// columnBits is the precision of the probabilities of a column's bits.
const columnBits = 16

// block is how many vertices have one entry in the index of edges.
const block = 16

func newRMAT(scale int, factor float64, permuted bool, r *sim.Rand) *rmat {
	g := &rmat{scale: scale, seed: r.Uint64(), means: make([]degrees, scale+1)}
	if permuted {
		p := newPermutation(1<<scale, r)
		g.ids = &p
	}
	for ones := range g.means {
		share := math.Pow(quadrantA+quadrantB, float64(scale-ones)) * math.Pow(quadrantC+quadrantD, float64(ones))
		d := degrees{mean: factor * share * float64(uint64(1)<<scale)}
		if d.mean < 16 {
			d.none = math.Exp(-d.mean)
		}
		g.means[ones] = d
	}
	for bit, p := range [2]float64{quadrantB / (quadrantA + quadrantB), quadrantD / (quadrantC + quadrantD)} {
		digits := uint32(math.Round(p * (1 << columnBits)))
		for i := range g.right[bit] {
			g.right[bit][i] = -(digits >> i & 1)
		}
	}
	g.index()
	return g
}

// index counts the edges before every vertex that begins a block.
func (g *rmat) index() {
	n := uint64(1) << g.scale
	g.before = make([]uint64, 0, n/block)
	sum := uint64(0)
	for id := range n {
		if id%block == 0 {
			g.before = append(g.before, sum)
		}
		sum += uint64(g.degree(g.row(uint32(id))))
	}
}

// row returns the row of a vertex.
func (g *rmat) row(id uint32) uint32 {
	if g.ids == nil {
		return id
	}
	return uint32(g.ids.at(uint64(id)))
}

// first returns the number of edges before those of the vertex.
func (g *rmat) first(id uint32) uint64 {
	sum := g.before[id/block]
	for other := id / block * block; other < id; other++ {
		sum += uint64(g.degree(g.row(other)))
	}
	return sum
}

// degree returns the number of edges of a row's vertex.
func (g *rmat) degree(row uint32) uint32 {
	d := &g.means[bits.OnesCount32(row)]
	toss := float64(devices.Mix(g.seed+uint64(row))>>11) / (1 << 53)
	if d.none == 0 {
		return uint32(d.mean + toss)
	}
	n, p := uint32(0), d.none
	for toss >= p && n < 128 { // far beyond what 53 bits can tell from 1
		toss -= p
		n++
		p *= d.mean / float64(n)
	}
	return n
}

// neighbour returns the vertex that edge k of a row leads to.
//
// All bits of the column are drawn at once. Bit i of a word is one comparison of
// a random binary fraction with the probability, from the last digit on: where
// the probability's digit is 1 it becomes "random bit or what is below", and
// where it is 0 "random bit and what is below".
func (g *rmat) neighbour(row, k uint32) uint32 {
	h := g.seed ^ (uint64(row)<<32 | uint64(k))
	var left, right uint32 // column bits where the row's is 0, and where it is 1
	for i := 0; i < columnBits; i += 2 {
		h += 0x9e3779b97f4a7c15
		random := devices.Mix(h)
		low, high := uint32(random), uint32(random>>32)
		left = left&low | (left^low)&g.right[0][i]
		right = right&low | (right^low)&g.right[1][i]
		left = left&high | (left^high)&g.right[0][i+1]
		right = right&high | (right^high)&g.right[1][i+1]
	}
	column := (left&^row | right&row) & (1<<g.scale - 1)
	if g.ids == nil {
		return column
	}
	return uint32(g.ids.from(uint64(column)))
}
