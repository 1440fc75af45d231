package synthetic

import (
	"cmp"

	"hwsim/configs"
	"hwsim/sim"
)

// XSBench describes the benchmark of that name (Tramm, Siegel, Islam and Schulz,
// PHYSOR 2014) with its unionised grid. The sizes are those of its default, the
// large Hoogenboom-Martin reactor; local is fitted to the 5.3 % of accesses that
// miss the artifact's first TLB (a nuclide is little more than one such miss).
type XSBench struct {
	Isotopes   int      `toml:"isotopes"`   // isotopes; 355
	GridPoints int      `toml:"gridpoints"` // energies of an isotope; 11303
	Local      *float64 `toml:"local"`      // mean number of accesses to the program's own data for a nuclide; 8.5
}

func (x XSBench) filled() XSBench {
	local := value(x.Local, 8.5)
	x.Local = &local
	x.Isotopes = cmp.Or(x.Isotopes, 355)
	x.GridPoints = cmp.Or(x.GridPoints, 11303)
	return x
}

func validateXSBench(c *Config, report func(key, message string)) {
	x := c.XSBench.filled()
	configs.Within(report, "xsbench.isotopes", x.Isotopes, smallIsotopes, 1024)
	configs.Within(report, "xsbench.gridpoints", x.GridPoints, 2, 1<<16)
	within(report, "xsbench.local", *x.Local, 0, maxMean)
}

// smallIsotopes is how many isotopes the small reactor has. Those that larger
// ones have more of are all in the fuel.
const smallIsotopes = 68

// material is one of the reactor's, with its share of the lookups, that of the
// core's volume, and its nuclides (XSBench, Materials.c and pick_mat).
type material struct {
	share    float64
	nuclides []uint16
}

var (
	fuel      = []uint16{58, 59, 60, 61, 40, 42, 43, 44, 45, 46, 1, 2, 3, 7, 8, 9, 10, 29, 57, 47, 48, 0, 62, 15, 33, 34, 52, 53, 54, 55, 56, 18, 23, 41}
	cladding  = []uint16{63, 64, 65, 66, 67}
	water     = []uint16{24, 41, 4, 5}
	vessel    = []uint16{19, 20, 21, 22, 35, 36, 37, 38, 39, 25, 27, 28, 29, 30, 31, 32, 26, 49, 50, 51, 11, 12, 13, 14, 6, 16, 17}
	reflector = []uint16{24, 41, 4, 5, 19, 20, 21, 22, 35, 36, 37, 38, 39, 25, 49, 50, 51, 11, 12, 13, 14}
	assembly  = []uint16{24, 41, 4, 5, 63, 64, 65, 66, 67}
)

// materials returns all materials, the fuel first.
func materials(isotopes int) []material {
	nuclides := append([]uint16(nil), fuel...)
	for i := smallIsotopes; i < isotopes; i++ {
		nuclides = append(nuclides, uint16(i))
	}
	return []material{
		{0.140, nuclides}, {0.052, cladding}, {0.275, water}, {0.134, water},
		{0.154, vessel}, {0.064, reflector}, {0.066, reflector}, {0.055, reflector},
		{0.008, reflector}, {0.015, reflector}, {0.025, assembly}, {0.013, assembly},
	}
}

// Bytes of the benchmark's arrays.
const (
	keyBytes     = 16 // of the unionised grid: an energy and a pointer
	indexBytes   = 4  // of a nuclide in a row
	pointBytes   = 48 // of an isotope's grid: an energy and five cross sections
	nuclideBytes = 4  // of a material's list
	shareBytes   = 8  // of a nuclide in a material
)

// xsbench looks up cross sections at random energies in random materials. At an
// energy a nuclide's index is the one it has where all grids are equally dense,
// each shifted by its own part of a step: the true grids are random and wander
// off by some tens of points, within about a page.
type xsbench struct {
	XSBench
	keys, rows, grids, lists, shares uint64 // addresses
	points                           int    // of the unionised grid
	materials                        []material
	longest                          int
	own                              stack
	random                           sim.Rand

	energy   int    // point of the unionised grid
	probe    uint64 // count of accesses when the last key was read
	material int
	nuclides []uint16 // still to look up
}

func placeXSBench(c *Config, m *space) generator {
	x := &xsbench{XSBench: c.XSBench.filled()}
	x.points = x.Isotopes * x.GridPoints
	x.materials = materials(x.Isotopes)
	x.longest = len(x.materials[0].nuclides)
	x.keys = m.region(x.points * keyBytes)
	x.rows = m.region(x.points * x.Isotopes * indexBytes)
	x.grids = m.region(x.points * pointBytes)
	x.lists = m.region(len(x.materials) * x.longest * nuclideBytes)
	x.shares = m.region(len(x.materials) * x.longest * shareBytes)
	x.own = newStack(m, *x.Local)
	return x
}

func (x *xsbench) start(r sim.Rand) { x.random = r }

func (x *xsbench) run(out *emitter) {
	for !out.full() {
		if len(x.nuclides) == 0 {
			x.begin(out)
		}
		x.nuclide(out)
	}
}

// begin draws an energy and a material and searches the energy.
func (x *xsbench) begin(out *emitter) {
	x.energy = x.random.IntN(x.points - 1)
	x.material = x.pick()
	x.nuclides = x.materials[x.material].nuclides
	x.search(out)
	x.probe = out.count()
}

func (x *xsbench) pick() int {
	toss := x.random.Float64()
	for i := range x.materials {
		if toss -= x.materials[i].share; toss < 0 {
			return i
		}
	}
	return len(x.materials) - 1
}

// search halves the range of keys until it has the one below the energy. Where
// it looks depends on the key before.
func (x *xsbench) search(out *emitter) {
	back := uint32(0)
	for low, high := 0, x.points-1; high-low > 1; {
		middle := low + (high-low)/2
		out.follow(x.keys+uint64(middle)*keyBytes, back)
		back = 1
		if middle > x.energy {
			high = middle
		} else {
			low = middle
		}
	}
}

// nuclide reads the next nuclide of the material, its place in the row of the
// energy, and the two points of its grid around the energy.
func (x *xsbench) nuclide(out *emitter) {
	id := int(x.nuclides[0])
	place := uint64(x.material*x.longest + len(x.materials[x.material].nuclides) - len(x.nuclides))
	x.nuclides = x.nuclides[1:]
	out.read(x.lists + place*nuclideBytes)
	out.read(x.shares + place*shareBytes)
	out.follow(x.rows+uint64(x.energy*x.Isotopes+id)*indexBytes, uint32(out.count()-x.probe)+1)
	point := x.grids + uint64(id*x.GridPoints+x.below(id))*pointBytes
	for word := uint64(0); word < 2*pointBytes/wordBytes; word++ {
		out.follow(point+word*wordBytes, uint32(word)+1)
	}
	x.own.touch(out)
}

// below returns the point of a nuclide's grid below the energy. It is never the
// last.
func (x *xsbench) below(id int) int {
	return min((x.energy+id)/x.Isotopes, x.GridPoints-2)
}
