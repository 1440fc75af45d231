package replay

import (
	"testing"

	"hwsim/devices/dram"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func spec(t testing.TB, name string) *dram.Spec {
	t.Helper()
	s, err := dram.Standard(name)
	require.NoError(t, err)
	return s
}

// take returns up to n requests of a pattern: bursts, and which are writes.
func take(t *testing.T, pattern string, s *dram.Spec, n, seed uint64) (bursts []uint64, writes []bool) {
	t.Helper()
	src, err := Generate(pattern, s, 1, n, seed)
	require.NoError(t, err)
	var r Request
	for src.Next(&r) {
		require.Zero(t, r.Addr%uint64(s.BurstBytes))
		bursts = append(bursts, r.Addr/uint64(s.BurstBytes))
		writes = append(writes, r.Write)
	}
	require.Len(t, bursts, int(n))
	return bursts, writes
}

func TestRandomNumbersAreTheReferences(t *testing.T) {
	r, w := splitmix(1), splitmix(2)
	for _, want := range []uint64{10451216379200822465, 13757245211066428519, 17911839290282890590} {
		assert.Equal(t, want, r.next())
	}
	for _, want := range []uint64{10905525725756348110, 13819372491320860226, 10987583248141275951} {
		assert.Equal(t, want, w.next())
	}
}

func TestPatterns(t *testing.T) {
	s := spec(t, "hbm3_6400")
	total := s.Bytes() / 32
	const r0, r1 = 10451216379200822465, 13757245211066428519
	for _, test := range []struct {
		pattern string
		bursts  []uint64
	}{
		{"seq", []uint64{0, 1, 2, 3}},
		{"rand", []uint64{r0 % total, r1 % total}},
		{"stride", []uint64{0, 2048, 4096, 6144}}, // pc 2, stack ids 2, groups 4, banks 4, columns 32
		{"blk2", []uint64{r0 % (total / 2) * 2, r0%(total/2)*2 + 1, r1 % (total / 2) * 2}},
		{"blk3", []uint64{r0 % (total / 3) * 3, r0%(total/3)*3 + 1, r0%(total/3)*3 + 2, r1 % (total / 3) * 3}},
		{"blk1", []uint64{r0 % total, r1 % total}},
	} {
		bursts, writes := take(t, test.pattern, s, uint64(len(test.bursts)), 1)
		assert.Equal(t, test.bursts, bursts, test.pattern)
		assert.NotContains(t, writes, true, test.pattern)
	}
}

func TestMixedPatternsWriteByTheTopBit(t *testing.T) {
	s := spec(t, "ddr4_3200aa")
	w := splitmix(2)
	var want []bool
	for range 100 {
		want = append(want, w.next()>>63 == 1)
	}
	for plain, mixed := range map[string]string{"seq": "seqrw50", "rand": "randrw50"} {
		bursts, _ := take(t, plain, s, 100, 1)
		got, writes := take(t, mixed, s, 100, 1)
		assert.Equal(t, bursts, got)
		assert.Equal(t, want, writes)
	}
}

func TestSequencesWrapAround(t *testing.T) {
	s := spec(t, "hbm3_6400")
	s.Rows = 2
	bursts, _ := take(t, "stride", s, 4, 1)
	assert.Equal(t, []uint64{0, 2048, 0, 2048}, bursts)
	bursts, _ = take(t, "seq", s, 4097, 1)
	assert.Equal(t, []uint64{4095, 0}, bursts[4095:])
}

func TestPatternsCoverEveryChannel(t *testing.T) {
	s := spec(t, "hbm3_6400")
	total := 6 * s.Bytes() / 32
	const r0, r1 = 10451216379200822465, 13757245211066428519
	for pattern, want := range map[string][]uint64{
		"rand":   {r0 % total, r1 % total},
		"blk3":   {r0 % (total / 3) * 3, r0%(total/3)*3 + 1},
		"stride": {0, 6 * 2048, 12 * 2048},
	} {
		src, err := Generate(pattern, s, 6, uint64(len(want)), 1)
		require.NoError(t, err)
		for r := (Request{}); src.Next(&r); want = want[1:] {
			assert.Equal(t, want[0]*32, r.Addr, pattern)
		}
	}
}

func TestStrideStaysInABankOfEveryChannel(t *testing.T) {
	a := array(t, "hbm3_6400", 6)
	rows := map[int]int{}
	for _, c := range a.Channels {
		c.Trace = func(c dram.Command) {
			if c.Op == dram.ACT {
				assert.Zero(t, c.PseudoChannel+c.Rank+c.Group+c.Bank)
				rows[c.Row]++
			}
		}
	}
	a.Workers = 1
	a.Run(generate(t, "stride", a, 600), Pace{Load: Saturated})
	assert.Len(t, rows, 600)
}

func TestCopiesAreTheRequestsLeft(t *testing.T) {
	for _, src := range []Source{spans(5), generate(t, "randrw50", array(t, "hbm3_6400", 1), 5)} {
		var a, b Request
		src.Next(&a)
		again := src.Copy()
		for range 4 {
			require.True(t, src.Next(&a) && again.Next(&b))
			assert.Equal(t, a, b)
		}
		assert.False(t, again.Next(&b))
	}
}

func TestSeedsDiffer(t *testing.T) {
	s := spec(t, "hbm3_6400")
	one, _ := take(t, "rand", s, 10, 1)
	two, _ := take(t, "rand", s, 10, 2)
	again, _ := take(t, "rand", s, 10, 1)
	assert.NotEqual(t, one, two)
	assert.Equal(t, one, again)
}

func TestUnknownPatterns(t *testing.T) {
	for _, pattern := range []string{"", "sequ", "blk", "blk0", "blk-1", "blk99999999999", "blk2rw50", "striderw50", "rw50", "blk2.5"} {
		_, err := Generate(pattern, spec(t, "hbm3_6400"), 1, 1, 1)
		assert.ErrorContains(t, err, `"`+pattern+`"`)
	}
}

func TestEveryStandardIsADevice(t *testing.T) {
	depth := map[string][2]int{"hbm2_2000": {64, 64}, "hbm2e_3200": {64, 64}, "hbm3_6400": {128, 64}, "ddr4_3200aa": {32, 32}, "ddr5_4800bn": {32, 32}}
	for _, name := range dram.Standards() {
		c, err := Device(name)
		require.NoError(t, err, name)
		_, err = dram.New(c)
		require.NoError(t, err, name)
		if d, ok := depth[name]; ok {
			assert.Equal(t, d, [2]int{c.QueueDepth, c.WriteQueueDepth}, name)
		}
	}
	_, err := Device("HBM3_640")
	assert.EqualError(t, err, `dram: no standard "HBM3_640"; nearest is "hbm3_6400"`)
}
