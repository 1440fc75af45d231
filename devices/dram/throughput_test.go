package dram

import (
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/assert"
)

// closedForm is facts/dram.md section 0 item 2: the share of the peak rate
// that all-bank refresh, the data bus and, for random bursts, the ACT rate leave.
func closedForm(s *Spec, randomly bool) float64 {
	t := &s.T
	refresh := 1 - float64(t[TRTP]+t[TRP]+t[TRFCAB]+t[TRCDRD])/float64(t[TREFI])
	if !randomly {
		return refresh
	}
	act := max(float64(t[TFAW])/4, float64(t[TRRDS]))
	if s.SplitBuses { // one row bus for the ACTs and PREs of all pseudo-channels
		clocks := s.ActTicks + s.RowTicks
		act = max(act, float64(int64(s.PseudoChannels)*clocks))
	}
	return min(1, float64(s.Burst)/act) * refresh
}

func TestSaturatedThroughputMatchesClosedForm(t *testing.T) {
	for _, name := range Standards() {
		for _, randomly := range []bool{false, true} {
			no := false
			c := newChannel(t, Config{Standard: name, Map: "B", Hash: &no, HitCap: -1})
			s, f := c.Spec(), sequential
			if randomly {
				f = random
			}
			got := load(c, 40000, uint32(s.BurstBytes), f(s, uint32(s.BurstBytes)))
			t.Logf("%s random %v: %.1f %%, closed form %.1f", name, randomly, 100*got, 100*closedForm(s, randomly))
			assert.InDelta(t, closedForm(s, randomly), got, 0.02, "%s random %v", name, randomly)
		}
	}
}

func TestSequentialReadsSaturateTheBusWithoutRefresh(t *testing.T) {
	for _, name := range Standards() {
		c := newChannel(t, Config{Standard: name, Refresh: "none"})
		got := load(c, 20000, 128, sequential(c.Spec(), 128))
		t.Logf("%s: %.1f %%", name, 100*got)
		assert.Greater(t, got, 0.97, name)
	}
}

func TestPerBankRefreshHidesBehindReadStreams(t *testing.T) {
	for _, name := range []string{"hbm2_2000", "hbm2e_3200", "hbm3_5200", "hbm3_6400", "hbm3e_h200"} {
		for _, bytes := range []uint32{32, 128, 1024} {
			c := newChannel(t, Config{Standard: name, Refresh: "per_bank"})
			got := load(c, 12_000_000/int(bytes)/2, bytes, sequential(c.Spec(), bytes))
			t.Logf("%s %d B: %.1f %%", name, bytes, 100*got)
			assert.Greater(t, got, 0.97, "%s %d B", name, bytes)
		}
	}
}

func TestOneBankGroupRunsAtTCCDL(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		n := s.RowBytes / s.BurstBytes
		got := load(c, n, uint32(s.BurstBytes), func(i int) (uint64, bool) { return at(s, 0, 0, 0, 0, 0, i), false })
		want := float64(s.Burst) / float64(s.T[TCCDL]) / float64(s.PseudoChannels)
		first := float64(s.T[TRCDRD]+s.T[TCL]) / float64(int64(n)*s.T[TCCDL])
		assert.InDelta(t, want/(1+first), got, 0.02, name)
	}
}

// TestOneBankGroupWritesAtTCCDLWR writes row after row of one bank group,
// whose banks take turns so that no row is waited for.
func TestOneBankGroupWritesAtTCCDLWR(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		n := s.RowBytes / s.BurstBytes
		got := load(c, 100*n, uint32(s.BurstBytes), func(i int) (uint64, bool) {
			row := i / n
			return at(s, 0, 0, 0, row%s.BanksPerGroup, row/s.BanksPerGroup, i%n), true
		})
		want := float64(s.Burst) / float64(s.T[TCCDLWR]) / float64(s.PseudoChannels)
		t.Logf("%s: %.1f %%, closed form %.1f", name, 100*got, 100*want)
		assert.InEpsilon(t, want, got, 0.02, name)
	}
}

func TestSameBankStrideRunsAtTRC(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		const n = 400
		load(c, n, uint32(s.BurstBytes), func(i int) (uint64, bool) { return at(s, 0, 0, 0, 0, i, 0), false })
		period := max(s.T[TRC], max(s.T[TRAS], s.T[TRCDRD]+s.T[TRTP])+s.T[TRP])
		assert.InDelta(t, n*period, c.now, float64(n*2+period), name)
	}
}

// TestRandomPiecesMatchH200 compares with reference/h200/gather.csv: 4.42 ns
// a random 32 B or 64 B piece and pseudo-channel, 128 B pieces at 94.7 % of
// the pin rate (4560 of 4814 GB/s).
func TestRandomPiecesMatchH200(t *testing.T) {
	for _, x := range []struct {
		bytes uint32
		want  float64 // ns a piece and pseudo-channel
	}{{32, 4.42}, {64, 4.42}, {128, 5.28}, {256, 10.28}} {
		c := newChannel(t, Config{Standard: "hbm3e_h200", Refresh: "per_bank", QueueDepth: 192})
		got := float64(x.bytes) / (load(c, 40000, x.bytes, random(c.Spec(), x.bytes)) * c.Spec().PeakGBps() / 2)
		t.Logf("%d B: %.2f ns, measured %.2f", x.bytes, got, x.want)
		assert.InEpsilon(t, x.want, got, 0.03, "%d B", x.bytes)
	}
}

// TestMixedStreamMatchesH200 compares with reference/h200/bandwidth.csv: one
// write in two accesses, 3845 of 4814 GB/s.
func TestMixedStreamMatchesH200(t *testing.T) {
	c := newChannel(t, Config{Standard: "hbm3e_h200", Refresh: "per_bank", QueueDepth: 192})
	got := load(c, 60000, 128, half(sequential(c.Spec(), 128)))
	t.Logf("%.1f %%, measured 79.9", 100*got)
	assert.InDelta(t, 0.80, got, 0.03)
}

func TestRefreshesKeepUpWithTREFI(t *testing.T) {
	for _, x := range []struct{ standard, refresh string }{
		{"hbm3_6400", "all_bank"}, {"hbm3_6400", "per_bank"}, {"hbm2_2000", "per_bank"},
		{"ddr4_3200aa", "all_bank"}, {"ddr5_4800bn", "same_bank"},
	} {
		for i, f := range []func(*Spec, uint32) stream{sequential, random} {
			c := newChannel(t, Config{Standard: x.standard, Refresh: x.refresh})
			s := c.Spec()
			load(c, 200000/(1+3*i), 64, f(s, 64))
			st := c.Stats()
			units := uint64(s.PseudoChannels)
			switch x.refresh {
			case "per_bank":
				units *= uint64(s.Banks())
			case "same_bank":
				units *= uint64(s.BanksPerGroup)
			}
			intervals := float64(c.now) / float64(s.T[TREFI])
			got := float64(st.REFab+st.REFpb+st.REFsb) / float64(units)
			assert.LessOrEqual(t, got, intervals+0.1, "%s %s", x.standard, x.refresh)
			assert.GreaterOrEqual(t, got, intervals-8.1, "%s %s", x.standard, x.refresh)
			if x.refresh == "all_bank" {
				assert.GreaterOrEqual(t, got, intervals-1.2, "%s %s", x.standard, x.refresh)
			}
		}
	}
}

func TestWritesDrainInBatches(t *testing.T) {
	c := newChannel(t, Config{Standard: "hbm3_6400", Refresh: "none", WriteQueueDepth: 128, DrainHigh: 0.8, DrainLow: 0.1})
	load(c, 40000, 32, half(sequential(c.Spec(), 32)))
	st := c.Stats()
	turns := float64(st.Turnarounds) / 2 / 2 // batches of one pseudo-channel's writes
	batch := float64(st.WR) / 2 / turns
	assert.InDelta(t, 0.7*128/2, batch, 12, "bursts a batch and pseudo-channel")
}

func TestLoneWriteDoesNotWaitForWatermark(t *testing.T) {
	c, _ := plain(t, "hbm3_6400")
	c.Enqueue(0, Request{Bytes: 32, Write: true})
	assert.Less(t, drain(c), 50*sim.Nanosecond)
}

func TestClosedPageClosesRowsNobodyWants(t *testing.T) {
	no := false
	c := newChannel(t, Config{Standard: "ddr4_3200aa", Refresh: "none", Page: "closed", Map: "A", Hash: &no})
	s := c.Spec()
	one(c, 0, 0, false)
	got, _ := one(c, sim.Microsecond, at(s, 0, 0, 0, 0, 1, 0), false)
	assert.Equal(t, s.T[TRCDRD]+s.T[TCL]+s.Burst, got, "no precharge before it")
	load(c, 2000, 64, random(s, 64))
}
