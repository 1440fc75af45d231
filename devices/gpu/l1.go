package gpu

import "hwsim/devices/cache"

// l1Ways is the associativity of an L1: not published; 4 as in earlier parts
// (Jia et al., "Dissecting the NVIDIA Volta GPU architecture", 2018).
const l1Ways = 4

// l1 is the tags of an SM's L1, of whole lines in sets with the least recently
// used line replaced. Stores go past it.
type l1 struct {
	bytes int
	sets  [][l1Ways]uint64 // line numbers + 1, the most recently used first; nil until the first load
}

// touch looks a load's line up, brings it in, and reports whether it was
// there. Loads of more than a line count as of their first: those of kernels
// that read through the L1 are of one.
func (c *l1) touch(addr uint64) bool {
	if c.sets == nil {
		if c.bytes < l1Ways*cache.LineBytes {
			return false
		}
		c.sets = make([][l1Ways]uint64, c.bytes/cache.LineBytes/l1Ways)
	}
	line := addr/cache.LineBytes + 1
	set := &c.sets[line%uint64(len(c.sets))]
	way := 0
	for way < l1Ways-1 && set[way] != line {
		way++
	}
	hit := set[way] == line
	copy(set[1:way+1], set[:way])
	set[0] = line
	return hit
}
