package check

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bare returns the rules of a DDR-like channel of two ranks of two groups of
// two banks that nothing but the length of commands and bursts binds.
func bare() Rules {
	return Rules{PseudoChannels: 2, Ranks: 2, BankGroups: 2, BanksPerGroup: 2, TicksPerCK: 1, Burst: 2,
		ActTicks: 1, ColTicks: 1, RowTicks: 1, ActPerRank: true}
}

// on is a command of one bank, numbered (rank, group, bank): 0 and 1 are of
// one group, 2 and 3 of the other of its rank, 4 to 7 of the other rank.
func on(at int64, op Op, bank int) Command {
	return Command{At: at, Op: op, Rank: bank / 4, Group: bank / 2 % 2, Bank: bank % 2, Banks: 1 << uint(bank)}
}

// all is a command of all banks of the first rank.
func all(at int64, op Op) Command { return Command{At: at, Op: op, Banks: 0x0f} }

// run checks commands and returns what they broke.
func run(r Rules, commands ...Command) (found []Violation) {
	k := New(r)
	for _, c := range commands {
		found = append(found, k.Command(c)...)
	}
	return found
}

// moved returns the commands with the last one at a tick.
func moved(commands []Command, at int64) []Command {
	list := append([]Command(nil), commands...)
	list[len(list)-1].At = at
	return list
}

// auto is the column command with auto-precharge.
func auto(cmd Command) Command {
	cmd.AutoPrecharge = true
	return cmd
}

// opened are banks opened at ticks 0, 1, ...
func opened(banks ...int) (list []Command) {
	for i, b := range banks {
		list = append(list, on(int64(i), ACT, b))
	}
	return list
}

func TestOneTickTooSoonIsReported(t *testing.T) {
	for _, x := range []struct {
		rule, what string
		set        func(r *Rules)
		commands   []Command // the last is moved
		at         int64     // the first tick it may issue at
	}{
		{"tRCDRD", "", func(r *Rules) { r.Timings.RCDRD = 9 }, []Command{on(0, ACT, 0), on(0, RD, 0)}, 9},
		{"tRCDRD", "ACT of three edges", func(r *Rules) { r.Timings.RCDRD, r.ActDelay = 9, 2 }, []Command{on(0, ACT, 0), on(0, RD, 0)}, 11},
		{"tRCDWR", "", func(r *Rules) { r.Timings.RCDWR = 9 }, []Command{on(0, ACT, 0), on(0, WR, 0)}, 9},
		{"tRCDWR", "column of two edges", func(r *Rules) { r.Timings.RCDWR, r.ColDelay = 9, 1 }, []Command{on(0, ACT, 0), on(0, WR, 0)}, 8},
		{"tRAS", "", func(r *Rules) { r.Timings.RAS = 9 }, []Command{on(0, ACT, 0), on(0, PRE, 0)}, 9},
		{"tRAS", "PREab", func(r *Rules) { r.Timings.RAS = 9 }, []Command{on(0, ACT, 0), all(0, PREab)}, 9},
		{"tRC", "ACT", func(r *Rules) { r.Timings.RC = 9 }, []Command{on(0, ACT, 0), on(3, PRE, 0), on(0, ACT, 0)}, 9},
		{"tRC", "REFpb", func(r *Rules) { r.Timings.RC = 9 }, []Command{on(0, ACT, 0), on(3, PRE, 0), on(0, REFpb, 0)}, 9},
		{"tRP", "ACT", func(r *Rules) { r.Timings.RP = 9 }, []Command{on(0, ACT, 0), on(1, PRE, 0), on(0, ACT, 0)}, 10},
		{"tRP", "REFab", func(r *Rules) { r.Timings.RP = 9 }, []Command{on(0, ACT, 0), all(1, PREab), all(0, REFab)}, 10},
		{"tRP", "REFsb", func(r *Rules) { r.Timings.RP = 9 }, []Command{on(0, ACT, 0), {At: 1, Op: PREsb, Banks: 5}, {Op: REFsb, Banks: 5}}, 10},
		{"tRTP", "", func(r *Rules) { r.Timings.RTP = 9 }, []Command{on(0, ACT, 0), on(2, RD, 0), on(0, PRE, 0)}, 11},
		{"tWR", "", func(r *Rules) { r.Timings.WR, r.Timings.CWL = 9, 5 }, []Command{on(0, ACT, 0), on(2, WR, 0), on(0, PRE, 0)}, 2 + 5 + 2 + 9},
		{"tRP", "after RDA", func(r *Rules) { r.Timings.RP, r.Timings.RTP = 9, 4 }, []Command{on(0, ACT, 0), auto(on(2, RD, 0)), on(0, ACT, 0)}, 2 + 4 + 9},
		{"tRP", "after RDA before tRAS", func(r *Rules) { r.Timings.RP, r.Timings.RAS = 9, 20 }, []Command{on(0, ACT, 0), auto(on(2, RD, 0)), on(0, REFpb, 0)}, 20 + 9},
		{"tRP", "after WRA", func(r *Rules) { r.Timings.RP, r.Timings.WR, r.Timings.CWL = 9, 3, 5 }, []Command{on(0, ACT, 0), auto(on(2, WR, 0)), on(0, ACT, 0)}, 2 + 5 + 2 + 3 + 9},
		{"tRRDL", "", func(r *Rules) { r.Timings.RRDL = 9 }, []Command{on(0, ACT, 0), on(0, ACT, 1)}, 9},
		{"tRRDS", "ACT", func(r *Rules) { r.Timings.RRDS = 9 }, []Command{on(0, ACT, 0), on(0, ACT, 2)}, 9},
		{"tRRDS", "ACT of another stack id", func(r *Rules) { r.Timings.RRDS, r.ActPerRank = 9, false }, []Command{on(0, ACT, 0), on(0, ACT, 4)}, 9},
		{"tRRDS", "REFpb", func(r *Rules) { r.Timings.RRDS = 9 }, []Command{on(0, ACT, 0), on(0, REFpb, 1)}, 9},
		{"tFAW", "", func(r *Rules) { r.Timings.FAW = 9 }, append(opened(0, 1, 2, 3), on(4, PRE, 0), on(0, ACT, 0)), 9},
		{"tFAW", "two stack ids", func(r *Rules) { r.Timings.FAW, r.ActPerRank = 9, false }, append(opened(0, 1, 2, 4), on(0, ACT, 5)), 9},
		{"tPPD", "same rank", func(r *Rules) { r.Timings.PPD = 9 }, append(opened(0, 3), on(5, PRE, 0), on(0, PRE, 3)), 14},
		{"tCCDL", "one bank", func(r *Rules) { r.Timings.CCDL = 9 }, append(opened(0), on(3, RD, 0), on(0, RD, 0)), 12},
		{"tCCDL", "two banks", func(r *Rules) { r.Timings.CCDL = 9 }, append(opened(0, 1), on(3, RD, 0), on(0, RD, 1)), 12},
		{"tCCDS", "", func(r *Rules) { r.Timings.CCDS = 9 }, append(opened(0, 2), on(3, RD, 0), on(0, RD, 2)), 12},
		{"tCCDL_WR", "", func(r *Rules) { r.Timings.CCDLWR = 9 }, append(opened(0, 1), on(3, WR, 0), on(0, WR, 1)), 12},
		{"tCCDS_WR", "", func(r *Rules) { r.Timings.CCDSWR = 9 }, append(opened(0, 2), on(3, WR, 0), on(0, WR, 2)), 12},
		{"tCCDR", "RD", func(r *Rules) { r.Timings.CCDR = 9 }, append(opened(0, 4), on(3, RD, 0), on(0, RD, 4)), 12},
		{"tCCDR", "WR", func(r *Rules) { r.Timings.CCDR = 9 }, append(opened(0, 4), on(3, WR, 0), on(0, WR, 4)), 12},
		{"tRTW", "", func(r *Rules) { r.Timings.RTW = 9 }, append(opened(0, 2), on(3, RD, 0), on(0, WR, 2)), 12},
		{"tRTW", "other rank", func(r *Rules) { r.Timings.RTW = 9 }, append(opened(0, 4), on(3, RD, 0), on(0, WR, 4)), 12},
		{"tWTRL", "", func(r *Rules) { r.Timings.WTRL, r.Timings.CWL = 9, 5 }, append(opened(0), on(3, WR, 0), on(0, RD, 0)), 3 + 5 + 2 + 9},
		{"tWTRS", "", func(r *Rules) { r.Timings.WTRS, r.Timings.CWL = 9, 5 }, append(opened(0, 2), on(3, WR, 0), on(0, RD, 2)), 3 + 5 + 2 + 9},
		{"tWTRS", "other stack id", func(r *Rules) { r.Timings.WTRS, r.Timings.CWL, r.ActPerRank = 9, 5, false },
			append(opened(0, 4), on(3, WR, 0), on(0, RD, 4)), 3 + 5 + 2 + 9},
		{"tCS", "RD of two ranks", func(r *Rules) { r.Timings.CS = 3 }, append(opened(0, 4), on(3, RD, 0), on(0, RD, 4)), 8},
		{"tCS", "WR then RD of two ranks", func(r *Rules) { r.Timings.CS, r.Timings.CWL = 3, 5 }, append(opened(0, 4), on(3, WR, 0), on(0, RD, 4)), 3 + 5 + 2 + 3},
		{"data bus", "", func(r *Rules) { r.Burst = 7 }, append(opened(0, 2), on(3, RD, 0), on(0, RD, 2)), 10},
		{"data bus", "RD then WR", func(r *Rules) { r.Timings.CL = 4 }, append(opened(0, 2), on(3, RD, 0), on(0, WR, 2)), 9},
		{"tRFCab", "ACT", func(r *Rules) { r.Timings.RFCab = 9 }, []Command{all(0, REFab), on(0, ACT, 0)}, 9},
		{"tRFCab", "REFab", func(r *Rules) { r.Timings.RFCab = 9 }, []Command{all(0, REFab), all(0, REFab)}, 9},
		{"tRFCpb", "", func(r *Rules) { r.Timings.RFCpb = 9 }, []Command{on(0, REFpb, 0), on(0, ACT, 0)}, 9},
		{"tRFCsb", "", func(r *Rules) { r.Timings.RFCsb = 9 }, []Command{{Op: REFsb, Banks: 5}, on(0, ACT, 2)}, 9},
		{"tRREFD", "ACT", func(r *Rules) { r.Timings.RREFD = 9 }, []Command{on(0, REFpb, 0), on(0, ACT, 1)}, 9},
		{"tRREFD", "REFpb", func(r *Rules) { r.Timings.RREFD = 9 }, []Command{on(0, REFpb, 0), on(0, REFpb, 2)}, 9},
		{"row bus", "", func(r *Rules) { r.SplitBuses, r.ActTicks = true, 3 }, []Command{on(0, ACT, 0), on(0, ACT, 2)}, 3},
		{"row bus", "two pseudo-channels", func(r *Rules) { r.SplitBuses, r.ActTicks = true, 3 },
			[]Command{on(0, ACT, 0), {Op: ACT, PseudoChannel: 1, Banks: 1}}, 3},
		{"column bus", "", func(r *Rules) { r.SplitBuses, r.ColTicks, r.Burst = true, 3, 1 }, append(opened(0, 2), on(2, RD, 0), on(0, RD, 2)), 5},
		{"command bus", "", func(r *Rules) { r.ActTicks = 3 }, []Command{on(0, ACT, 0), on(0, RD, 0)}, 3},
		{"clock edge", "", func(r *Rules) { r.TicksPerCK = 2 }, []Command{on(0, ACT, 0)}, 2},
		{"clock edge", "odd edges rise", func(r *Rules) { r.TicksPerCK, r.RisingEdge = 2, 1 }, []Command{on(0, ACT, 0)}, 3},
	} {
		t.Run(x.rule+" "+x.what, func(t *testing.T) {
			r := bare()
			x.set(&r)
			assert.Empty(t, run(r, moved(x.commands, x.at)...), "at tick %d", x.at)
			found := run(r, moved(x.commands, x.at-1)...)
			require.Len(t, found, 1, "at tick %d", x.at-1)
			assert.Equal(t, x.rule, found[0].Rule)
			assert.Equal(t, x.at-1, found[0].Second.At)
			if found[0].Needed > 0 {
				assert.Equal(t, found[0].Needed-1, found[0].Apart)
			}
		})
	}
}

func TestRowState(t *testing.T) {
	wrongRow := on(1, RD, 0)
	wrongRow.Row = 1
	for _, x := range []struct {
		what     string
		commands []Command
		broken   bool
	}{
		{"ACT of an open bank", []Command{on(0, ACT, 0), on(1, ACT, 0)}, true},
		{"ACT of a bank closed by PREab", []Command{on(0, ACT, 0), all(1, PREab), on(2, ACT, 0)}, false},
		{"PRE of a closed bank", []Command{on(0, PRE, 0)}, true},
		{"PREab of closed banks", []Command{all(0, PREab)}, false},
		{"PREsb of closed banks", []Command{{Op: PREsb, Banks: 5}}, false},
		{"RD of a closed bank", []Command{on(0, RD, 0)}, true},
		{"WR of a closed bank", []Command{on(0, WR, 0)}, true},
		{"RD of another row", []Command{on(0, ACT, 0), wrongRow}, true},
		{"RD of the open row", []Command{on(0, ACT, 0), on(1, RD, 0)}, false},
		{"RD after RDA", []Command{on(0, ACT, 0), auto(on(1, RD, 0)), on(3, RD, 0)}, true},
		{"ACT after RDA", []Command{on(0, ACT, 0), auto(on(1, RD, 0)), on(2, ACT, 0)}, false},
		{"REFab with a bank open", []Command{on(0, ACT, 3), all(1, REFab)}, true},
		{"REFpb of an open bank", []Command{on(0, ACT, 3), on(1, REFpb, 3)}, true},
		{"REFpb beside an open bank", []Command{on(0, ACT, 3), on(1, REFpb, 2)}, false},
		{"REFsb of an open bank", []Command{on(0, ACT, 2), {At: 1, Op: REFsb, Banks: 5}}, true},
	} {
		found := run(bare(), x.commands...)
		if !x.broken {
			assert.Empty(t, found, x.what)
			continue
		}
		require.Len(t, found, 1, x.what)
		assert.Equal(t, "row state", found[0].Rule, x.what)
	}
}

// TestScopes holds rules back where they do not reach.
func TestScopes(t *testing.T) {
	for _, x := range []struct {
		what     string
		set      func(r *Rules)
		commands []Command
	}{
		{"tRRDS between DDR ranks", func(r *Rules) { r.Timings.RRDS = 9 }, opened(0, 4)},
		{"tRRDS within a group", func(r *Rules) { r.Timings.RRDS = 9 }, opened(0, 1)},
		{"tRRDL between groups", func(r *Rules) { r.Timings.RRDL = 9 }, opened(0, 2)},
		{"tFAW between DDR ranks", func(r *Rules) { r.Timings.FAW = 9 }, opened(0, 1, 2, 4, 5)},
		{"tRREFD between DDR ranks", func(r *Rules) { r.Timings.RREFD = 9 }, []Command{on(0, REFpb, 0), on(1, ACT, 4)}},
		{"tWTRS between DDR ranks", func(r *Rules) { r.Timings.WTRS = 9 }, append(opened(0, 4), on(2, WR, 0), on(4, RD, 4))},
		{"tCCDS to another rank", func(r *Rules) { r.Timings.CCDS, r.Timings.CCDL = 9, 9 }, append(opened(0, 4), on(2, RD, 0), on(4, RD, 4))},
		{"tCCDL between groups", func(r *Rules) { r.Timings.CCDL = 9 }, append(opened(0, 2), on(2, RD, 0), on(4, RD, 2))},
		{"tCS within a rank", func(r *Rules) { r.Timings.CS = 9 }, append(opened(0, 2), on(2, RD, 0), on(4, RD, 2))},
		{"tRFCpb to another bank", func(r *Rules) { r.Timings.RFCpb = 9 }, []Command{on(0, REFpb, 0), on(1, ACT, 1)}},
		{"tRREFD after REFab", func(r *Rules) { r.Timings.RREFD = 9 }, []Command{all(0, REFab), on(1, ACT, 0)}},
		{"anything between pseudo-channels", func(r *Rules) {
			r.Timings.RRDS, r.Timings.RRDL, r.Timings.FAW, r.Timings.RC = 9, 9, 9, 9
		}, []Command{on(0, ACT, 0), {At: 1, Op: ACT, PseudoChannel: 1, Banks: 1}}},
		{"a column beside a row command", func(r *Rules) { r.SplitBuses, r.ActTicks = true, 3 },
			[]Command{on(0, ACT, 0), on(3, ACT, 2), on(4, RD, 0)}},
		{"PRE at a falling edge", func(r *Rules) { r.TicksPerCK = 2 }, []Command{on(0, ACT, 0), on(3, PRE, 0)}},
		{"write data before read data", func(r *Rules) { r.Timings.CL = 9 }, append(opened(0, 2), on(2, RD, 0), on(4, WR, 2))},
	} {
		r := bare()
		x.set(&r)
		assert.Empty(t, run(r, x.commands...), x.what)
	}
}

func TestRefreshWaitsNineIntervalsAtMost(t *testing.T) {
	r := bare()
	r.Timings.REFI, r.Timings.RFCab = 100, 10
	assert.Empty(t, run(r, on(910, REFpb, 0), on(1820, REFpb, 0)))
	found := run(r, on(910, REFpb, 0), on(1821, REFpb, 0))
	require.Len(t, found, 1)
	assert.Equal(t, "refresh: [tick 1821 REFpb pc 0 rank 0 bank 0.0] is 911 ticks after "+
		"[tick 910 REFpb pc 0 rank 0 bank 0.0], allowed 910", found[0].String())

	k := New(r)
	k.Refreshed(0, 1, 5000)
	assert.Empty(t, k.Command(on(5910, REFpb, 0)))
	assert.NotEmpty(t, k.Command(on(5920, REFpb, 1)), "the other bank was not refreshed meanwhile")
}

func TestClosedBanksMayBeActivated(t *testing.T) {
	k := New(bare())
	k.Command(on(0, ACT, 0))
	k.Command(on(1, ACT, 2))
	k.Closed(0, 1)
	assert.Empty(t, k.Command(on(50, ACT, 0)))
	assert.NotEmpty(t, k.Command(on(51, ACT, 2)))
}

func TestEveryBrokenRuleIsReportedOnce(t *testing.T) {
	r := bare()
	r.Timings.RP, r.Timings.RC = 9, 30
	found := run(r, append(opened(0, 1, 2, 3), all(10, PREab), all(14, REFab))...)
	require.Len(t, found, 2)
	assert.Equal(t, "tRC", found[0].Rule)
	assert.Equal(t, 3, found[0].First.Group*2+found[0].First.Bank, "the pair furthest below")
	assert.Equal(t, int64(11), found[0].Apart)
	assert.Equal(t, "tRP: [tick 14 REFab pc 0 banks 0xf] is 4 ticks after [tick 10 PREab pc 0 banks 0xf], needs 9", found[1].String())
}

func TestCommandsThatCannotBeAreReported(t *testing.T) {
	for rule, commands := range map[string][]Command{
		"order":   {on(5, ACT, 0), on(4, ACT, 2)},
		"address": {{Op: ACT, PseudoChannel: 2, Banks: 1}},
	} {
		found := run(bare(), commands...)
		require.Len(t, found, 1, rule)
		assert.Equal(t, rule, found[0].Rule)
	}
	assert.Len(t, run(bare(), Command{Op: ACT, Banks: 1 << 8}), 1)
	assert.Len(t, run(bare(), Command{Op: numOps}), 1)
	assert.Panics(t, func() { New(Rules{}) })
}

const header = "tick,cmd,pc,rank_or_sid,bg,bank,row,col_burst\n"

func TestTrace(t *testing.T) {
	r := bare()
	r.Timings.RCDRD, r.Timings.RFCab = 9, 50
	found, n, err := Trace(r, strings.NewReader(header+
		"0,ACT,0,0,1,1,7,0\n8,RD,0,0,1,1,7,3\n20,PREab,0,0,-1,-1,-1,-1\n30,REF,0,0,-1,-1,-1,-1\n60,ACT,0,1,0,0,1,0\n70,ACT,0,0,0,0,1,0\n"))
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	require.Len(t, found, 2, "the other rank is not refreshed")
	assert.Equal(t, "tRCDRD: [tick 8 RD pc 0 rank 0 bank 1.1 row 7 column 3] is 8 ticks after "+
		"[tick 0 ACT pc 0 rank 0 bank 1.1 row 7], needs 9", found[0].String())
	assert.Equal(t, "tRFCab", found[1].Rule)
}

func TestTraceNamesTheLineOfAnError(t *testing.T) {
	for what, x := range map[string]struct{ text, says string }{
		"no header":         {"", "header"},
		"another header":    {"a,b,c,d,e,f,g,h\n", "line 1"},
		"missing fields":    {header + "1,ACT\n", "line 2"},
		"unknown command":   {header + "1,ACT,0,0,0,0,1,0\n2,RDX,0,0,0,0,1,0\n", `line 3: no command "RDX"`},
		"no number":         {header + "x,ACT,0,0,0,0,1,0\n", `line 2: tick "x"`},
		"negative tick":     {header + "-1,ACT,0,0,0,0,1,0\n", "line 2: tick -1"},
		"no such bank":      {header + "1,ACT,0,0,0,2,1,0\n", "line 2: bank 2"},
		"ACT of every bank": {header + "1,ACT,0,0,-1,-1,1,0\n", "line 2: ACT needs one place"},
		"open quote":        {header + "1,\"ACT,0,0,0,0,1,0\n", "line 2"},
	} {
		_, _, err := Trace(bare(), strings.NewReader(x.text))
		require.Error(t, err, what)
		assert.Contains(t, err.Error(), x.says, what)
	}
	_, _, err := Trace(Rules{}, strings.NewReader(header))
	assert.Error(t, err)
}

func FuzzTrace(f *testing.F) {
	for _, rows := range []string{
		"", "0,ACT,0,0,0,0,5,0\n12,RD,0,0,0,0,5,1\n40,PREpb,0,0,0,0,-1,-1\n",
		"0,REFab,1,-1,-1,-1,-1,-1\n5,REFsb,0,0,-1,1,-1,-1\n5,PREsb,0,1,-1,1,-1,-1\n9,REFpb,0,1,1,1,-1,-1\n",
		"9,WR,1,1,1,1,0,0\n8,WR,1,1,1,1,0,0\n1152921504606846976,WR,1,1,1,1,0,0\n",
		"1,ACT,0,0,0,0,9223372036854775807,-1\n", "1,RDA,0,0,0,0,0,0\n", "1,\"ACT\n",
	} {
		f.Add(header + rows)
	}
	r := bare()
	r.TicksPerCK, r.ActDelay, r.SplitBuses, r.ActPerRank = 2, 2, true, false
	r.Timings = Timings{10, 9, 8, 20, 28, 3, 4, 16, 2, 4, 2, 4, 3, 10, 5, 12, 4, 6, 5, 8, 2, 1, 50, 30, 30, 5, 400}
	f.Fuzz(func(t *testing.T, text string) {
		found, n, err := Trace(r, strings.NewReader(text))
		assert.LessOrEqual(t, n, strings.Count(text, "\n")+1)
		for _, v := range found {
			assert.NotContains(t, v.String(), "\n")
		}
		if err != nil {
			assert.Contains(t, err.Error(), "check: ")
		}
	})
}
