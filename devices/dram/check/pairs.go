package check

// place says where the second of two commands acts, seen from the first.
type place uint8

const (
	sameBank  place = iota
	sameGroup       // another bank of the group
	sameRank        // another group of the rank
	otherRank       // of the pseudo-channel
	numPlaces
)

// Sets of places and commands, one bit each.
const (
	inBank   = 1 << sameBank
	inGroup  = 1 << sameGroup
	inRank   = 1 << sameRank
	inOthers = 1 << otherRank

	act      = 1 << ACT
	pre      = 1<<PRE | 1<<PREab | 1<<PREsb
	rd       = 1 << RD
	wr       = 1 << WR
	refSome  = 1<<REFpb | 1<<REFsb
	refEvery = refSome | 1<<REFab
)

// constraint is one line of the list: a command of then takes effect at least
// need ticks after one of first, where it acts in one of places.
type constraint struct {
	rule        string
	first, then int // sets of Op
	places      int // set of place
	need        int64
}

// constraints lists the rules between two commands of one pseudo-channel.
func (r *Rules) constraints() []constraint {
	t := &r.Timings
	scope := inGroup | inRank // of tRRD and tRREFD
	turn := inRank            // of tWTRS
	writes := inRank          // of tCCDS_WR
	between := inOthers       // of tCCDR, for writes
	if !r.ActPerRank {
		writes, between = inRank|inOthers, 0
		scope |= inOthers
		turn |= inOthers
	}
	data := t.CWL + r.Burst // WR to the end of its data
	return []constraint{
		{"tRCDRD", act, rd, inBank, t.RCDRD},
		{"tRCDWR", act, wr, inBank, t.RCDWR},
		{"tRAS", act, pre, inBank, t.RAS},
		{"tRC", act, act | refEvery, inBank, t.RC},
		{"tRP", pre, act | refEvery, inBank, t.RP},
		{"tRTP", rd, pre, inBank, t.RTP},
		{"tWR", wr, pre, inBank, after(data, t.WR)},

		{"tRRDL", act, act, inGroup, t.RRDL},
		{"tRRDS", act, act, scope &^ inGroup, t.RRDS},
		{"tRRDS", act, refSome, scope, t.RRDS},
		{"tPPD", pre, pre, inBank | inGroup | inRank | inOthers, t.PPD},

		{"tCCDL", rd, rd, inBank | inGroup, t.CCDL},
		{"tCCDS", rd, rd, inRank, t.CCDS},
		{"tCCDL_WR", wr, wr, inBank | inGroup, t.CCDLWR},
		{"tCCDS_WR", wr, wr, writes, t.CCDSWR},
		{"tCCDR", rd, rd, inOthers, t.CCDR},
		{"tCCDR", wr, wr, between, t.CCDR},
		{"tRTW", rd, wr, inBank | inGroup | inRank | inOthers, t.RTW},
		{"tWTRL", wr, rd, inBank | inGroup, after(data, t.WTRL)},
		{"tWTRS", wr, rd, turn, after(data, t.WTRS)},

		{"tRFCab", 1 << REFab, act | pre | refEvery, inBank, t.RFCab},
		{"tRFCpb", 1 << REFpb, act | pre | refEvery, inBank, t.RFCpb},
		{"tRFCsb", 1 << REFsb, act | pre | refEvery, inBank, t.RFCsb},
		{"tRREFD", refSome, act | refSome, scope, t.RREFD},
	}
}

// after is the distance from a WR where the rule counts from the end of its
// data: none where the rule does not bind.
func after(data, need int64) int64 {
	if need == 0 {
		return 0
	}
	return data + need
}

// limit is one rule of a pair of commands at one place.
type limit struct {
	rule string
	need int64
}

// table is the list by first command, second command and place.
type table [numOps][numOps][numPlaces][]limit

func newTable(list []constraint) *table {
	t := new(table)
	for _, c := range list {
		for first := range numOps {
			for then := range numOps {
				for at := range numPlaces {
					if c.need > 0 && c.first>>first&1 != 0 && c.then>>then&1 != 0 && c.places>>at&1 != 0 {
						t[first][then][at] = append(t[first][then][at], limit{c.rule, c.need})
					}
				}
			}
		}
	}
	return t
}
