package mmu

// coming are the translations filled last, with when they are known: a lookup is
// made in the order of the program, and may find one that is still on its way.
type coming struct {
	latest int64 // cycle in which the last of them is known
	keys   [comingSize]uint64
	known  [comingSize]int64
	next   int
}

// comingSize covers what a few dozen cycles of walks in the caches bring.
const comingSize = 32

func (c *coming) add(key uint64, known int64) {
	c.keys[c.next], c.known[c.next] = key, known
	c.next = (c.next + 1) % comingSize
	c.latest = max(c.latest, known)
}

// of returns when a key's translation is known, 0 if that is long since.
func (c *coming) of(key uint64) (known int64) {
	for i, k := range c.keys {
		if k == key {
			known = max(known, c.known[i])
		}
	}
	return known
}
