package validation

import (
	"fmt"
	"strings"

	"hwsim/hierarchy"
)

// users are those of the measuring program, and what they use most.
var users = map[string]route{
	"hbm_read": {tier: hierarchy.HBM, bytes: 8 * gib}, "hbm_copy": {tier: hierarchy.HBM, bytes: 8 * gib},
	"l2_resident": {tier: hierarchy.HBM, bytes: 16 * mib},
	"h2d_dma":     {tier: hierarchy.DDR, bytes: gib}, "d2h_dma": {tier: hierarchy.DDR, bytes: gib},
	"zerocopy_read": {tier: hierarchy.DDR, bytes: gib}, "peer_read": {tier: hierarchy.PeerHBM, bytes: 4 * gib},
}

// compileInterference compares the rates of two users of the memory, each
// alone and while the other runs.
func compileInterference(t *table) {
	for _, r := range t.rows {
		r.word("test", "interfere")
		a, b, ok := strings.Cut(r.text("pair"), "+")
		if !ok {
			r.bad("pair", fmt.Sprintf("%q: want two users, as in hbm_read_120sm+h2d_dma", r.text("pair")))
			continue
		}
		task := interfere{a, b}
		for _, x := range []struct {
			bucket       bucket
			user, column string
		}{
			{aTogether, a, "a_together_GBps"}, {bTogether, b, "b_together_GBps"}, {aAlone, a, "a_alone_GBps"}, {bAlone, b, "b_alone_GBps"},
		} {
			c := t.rate(r, x.bucket, task, string(x.bucket), gb, r.positive(x.column), r.repeated(x.column+"_repeat"))
			if way, ok := users[withoutSMs(x.user)]; ok {
				c.over(way.tier, way.bytes)
			}
		}
	}
}

// withoutSMs strips a user's number of SMs: hbm_read of hbm_read_120sm.
func withoutSMs(user string) string {
	if i := strings.LastIndexByte(user, '_'); i >= 0 && strings.HasSuffix(user, "sm") {
		return user[:i]
	}
	return user
}
