package validation

import (
	"strconv"
	"strings"

	"hwsim/hierarchy"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30

	maxRange = 1 << 44 // bytes of working set that a row may name
)

// compileChases compares dependent pointer chases: ns per access.
func compileChases(t *table) {
	for _, r := range t.rows {
		c := chase{Tier: hierarchy.HBM, Range: r.whole("range_bytes", 128, maxRange), Nodes: int(r.whole("nodes", 1, 1<<32)),
			L1: r.word("cache_op", "cg", "ca") == "ca"}
		b := c.regime()
		switch test := r.text("test"); {
		case test == "chase_host":
			c.Tier, b = hierarchy.DDR, chaseHost
		case test == "chase_peer":
			c.Tier, b = hierarchy.PeerHBM, chasePeer
		case pageStride(test) > 0:
			c.Stride, b = pageStride(test), chasePages
		default:
			r.word("test", "chase_random", "chase_host", "chase_peer", "chase_pages_<n>KiB")
		}
		t.time(r, b, c, only, r.positive("ns_per_access"), 0)
	}
}

// pageStride returns the stride of a chase over pages, in bytes, 0 of others.
func pageStride(test string) uint64 {
	s, ok := strings.CutPrefix(test, "chase_pages_")
	if s, ok2 := strings.CutSuffix(s, "KiB"); ok && ok2 {
		n, err := strconv.ParseUint(s, 10, 32)
		if err == nil {
			return n * kib
		}
	}
	return 0
}

// regime is what a chase over its range hits.
func (c chase) regime() bucket {
	switch {
	case c.L1 && c.Range <= 192*kib:
		return chaseL1
	case c.L1 && c.Range < 320*kib:
		return chaseL1Edge
	case c.Range <= 24*mib:
		return chaseNear
	case c.Range <= 38*mib:
		return chaseMixed
	case c.Range <= 55*mib:
		return chaseFar
	case c.Range <= 84*mib:
		return chaseEdge
	case c.Range <= 64*gib:
		return chaseHBM
	}
	return chaseBeyond
}
