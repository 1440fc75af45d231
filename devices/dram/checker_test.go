//go:build invariants

package dram

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCheckerCatchesABrokenRule shortens one distance of the controller at a
// time and expects the checker to stop it.
func TestCheckerCatchesABrokenRule(t *testing.T) {
	for name, break_ := range map[string]func(c *Channel){
		"tRCDRD": func(c *Channel) { c.actToRead -= c.align },
		"tRCDWR": func(c *Channel) { c.actToWrite -= c.align },
		"tRAS":   func(c *Channel) { c.actToPRE--; c.colToPRE[read] = 0 },
		"tRP":    func(c *Channel) { c.preToACT -= c.align },
		"tRTP":   func(c *Channel) { c.colToPRE[read] -= 2 * c.align },
		"tWR":    func(c *Channel) { c.colToPRE[write]-- },
		"tCCDL":  func(c *Channel) { c.gaps[read][read][0] -= c.align },
		"tCCDS":  func(c *Channel) { c.gaps[read][read][1] -= c.align },
		"tRTW":   func(c *Channel) { c.gaps[read][write] = [3]int64{1, 1, 1} },
		"tWTR":   func(c *Channel) { c.gaps[write][read][0] -= c.align; c.gaps[write][read][1] -= c.align },
	} {
		for _, standard := range []string{"hbm3_6400", "ddr4_3200aa"} {
			no := false
			c := newChannel(t, Config{Standard: standard, Refresh: "none", Map: "A", Hash: &no})
			break_(c)
			s := c.Spec()
			assert.Panics(t, func() {
				load(c, 400, uint32(s.BurstBytes), func(i int) (uint64, bool) { return at(s, 0, 0, 0, 0, i/8, i%8), false })
				load(c, 4000, uint32(s.BurstBytes), half(random(s, uint32(s.BurstBytes))))
				load(c, 4000, uint32(s.BurstBytes), half(sequential(s, uint32(s.BurstBytes))))
			}, "%s %s", standard, name)
		}
	}
	for _, p := range []Param{TRRDS, TRRDL, TFAW, TRC, TPPD} {
		c := newChannel(t, Config{Standard: "hbm3_6400", Refresh: "none"})
		broken := *c.spec
		broken.T[p] = 0
		c.check.s = c.spec
		c.spec = &broken
		if p == TRC {
			broken.T[TRAS], c.actToPRE, c.preToACT = 0, 0, 0
		}
		assert.Panics(t, func() { load(c, 4000, 32, random(&broken, 32)) }, p)
	}
}
