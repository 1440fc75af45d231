package dram

import (
	"fmt"
	"math"
)

// Param names one timing of a standard.
type Param uint8

// Timings, by their JEDEC names. A row says what separates the two commands.
const (
	TRCDRD  Param = iota // ACT to RD, same bank
	TRCDWR               // ACT to WR, same bank
	TRP                  // PRE to ACT, same bank
	TRAS                 // ACT to PRE, same bank
	TRC                  // ACT to ACT, same bank
	TRRDS                // ACT to ACT, other bank group
	TRRDL                // ACT to ACT, same bank group
	TFAW                 // first to fifth ACT
	TCCDS                // RD to RD, other bank group
	TCCDL                // RD to RD, same bank group
	TCCDSWR              // WR to WR, other bank group
	TCCDLWR              // WR to WR, same bank group
	TCCDR                // RD to RD, other rank or stack id; WR to WR, other rank
	TCL                  // RD to its first data
	TCWL                 // WR to its first data
	TWR                  // last write data to PRE
	TWTRS                // last write data to RD, other bank group
	TWTRL                // last write data to RD, same bank group
	TRTP                 // RD to PRE
	TRTW                 // RD to WR, any bank
	TPPD                 // PRE to PRE (HBM3, DDR5)
	TCS                  // data-bus gap between ranks (DDR); 0 where TCCDR rules
	TRFCAB               // REFab to ACT
	TRFCPB               // REFpb to ACT, same bank
	TRFCSB               // REFsb to ACT, same banks (DDR5)
	TREFI                // mean interval of refreshes of one bank
	TRREFD               // REFpb or REFsb to ACT or refresh, other bank
	numParams
)

var paramNames = [numParams]string{"tRCDRD", "tRCDWR", "tRP", "tRAS", "tRC", "tRRDS", "tRRDL", "tFAW",
	"tCCDS", "tCCDL", "tCCDS_WR", "tCCDL_WR", "tCCDR", "tCL", "tCWL", "tWR", "tWTRS", "tWTRL", "tRTP",
	"tRTW", "tPPD", "tCS", "tRFCab", "tRFCpb", "tRFCsb", "tREFI", "tRREFD"}

func (p Param) String() string { return paramNames[p] }

// Timing is one row of a standard's table: a parameter is the longer of NS
// nanoseconds and CK clocks. Source says who states it.
type Timing struct {
	Param  Param
	NS     float64
	CK     int64
	Source string
}

// clocks returns the timing in whole clocks of tCK ns. Minima round up, with
// a twentieth of a clock of slack so that a clock a little faster than
// nominal (3201 for 3200 MHz) keeps the datasheet's count; JEDEC's own
// rounding rule (JESD79-5: 0.3 %) gives as much. tREFI is a mean: it rounds down.
func (t Timing) clocks(tCK float64) int64 {
	if t.Param == TREFI {
		return int64(t.NS / tCK)
	}
	return max(t.CK, int64(math.Ceil(t.NS/tCK-0.05)))
}

// paramNamed finds a timing by name; the error of an unknown one names the nearest.
func paramNamed(name string) (Param, error) {
	for p, n := range paramNames {
		if n == name {
			return Param(p), nil
		}
	}
	return 0, fmt.Errorf("dram: no timing %q; nearest is %q", name, nearest(name, paramNames[:]))
}

// nearest returns the candidate at the least edit distance from name.
func nearest(name string, candidates []string) string {
	best, least := "", math.MaxInt
	for _, c := range candidates {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b, letter case ignored.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i]|0x20 != b[j]|0x20 {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
