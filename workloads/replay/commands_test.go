package replay

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"hwsim/devices/dram"

	"github.com/stretchr/testify/require"
)

// command is what a golden command trace and ours have in common. Its tick is
// Ramulator's, where a request's first command issues a tick after arrival.
type command struct {
	tick                  int64
	name                  string
	pc, rank, group, bank int
}

// goldenCommands reads a command trace, and skips the test where the
// reference data are not checked out.
func goldenCommands(t *testing.T, name string) (all []command, requests uint64) {
	t.Helper()
	f, err := os.Open("../../../shared/reference/dram/cmdtrace_ramulator2_" + name + ".csv")
	if err != nil {
		t.Skip("no reference data: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		var v [5]int
		for i, cell := range []string{row[0], row[2], row[3], row[4], row[5]} {
			v[i], err = strconv.Atoi(cell)
			require.NoError(t, err)
		}
		all = append(all, command{int64(v[0]), row[1], v[1], v[2], v[3], v[4]})
		if row[1] == "RD" || row[1] == "WR" {
			requests++
		}
	}
	return all, requests
}

// ourCommands runs n requests and returns the commands as the goldens have them.
func ourCommands(t *testing.T, device, pattern string, n uint64, p Pace) (all []command) {
	c := channel(t, device)
	all = []command{}
	c.Trace = func(m dram.Command) {
		k := command{m.At + 1, m.Op.String(), m.PseudoChannel, m.Rank, m.Group, m.Bank}
		switch m.Op {
		case dram.PRE:
			k.name = "PREpb"
		case dram.PREab, dram.REFab:
			k.group, k.bank = -1, -1
			if c.Spec().Ranks > 1 && !c.Spec().ActPerRank {
				k.rank = -1
			}
		}
		all = append(all, k)
	}
	src, err := Generate(pattern, c.Spec(), 1, n, 1)
	require.NoError(t, err)
	Run(c, src, p)
	return all
}

// compareCommands demands the golden's commands, at its ticks.
func compareCommands(t *testing.T, device, pattern, mode string, p Pace) {
	want, n := goldenCommands(t, fmt.Sprintf("%s_%s_%s", device, pattern, mode))
	require.Equal(t, want, ourCommands(t, strings.ToLower(device), pattern, n, p), "%s %s %s", device, pattern, mode)
}

func TestEveryCommandIsRamulatorsAtItsTick(t *testing.T) {
	for _, device := range []string{"HBM2_2000", "HBM3_6400", "DDR4_3200AA", "DDR5_4800BN"} {
		for _, pattern := range []string{"seq", "rand"} {
			compareCommands(t, device, pattern, "load", Pace{Load: Saturated})
		}
	}
}
