package flash

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// small is one channel of one chip of two dies of two planes, with a channel
// of 1 ns a byte.
func small() Config {
	return Config{
		Geometry: Geometry{Channels: 1, Ways: 1, Dies: 2, Planes: 2, Blocks: 4, Pages: 8, PageBytes: 4096},
		Cell:     "mlc", ReadUs: []float64{50, 60}, ProgramUs: []float64{500}, EraseUs: 3000, ChannelGBs: 1,
		ReadCommandNs: 200, ReadPlaneNs: 300, DataOutNs: 100,
		ProgramCommandNs: 400, ProgramPlaneNs: 500, EraseCommandNs: 250, ErasePlaneNs: 350,
	}
}

// pageOf returns a page's number in small.
func pageOf(die, plane, block, page uint32) uint32 { return ((die*2+plane)*4+block)*8 + page }

func run(t *testing.T, c Config, ops ...Op) (ends []sim.Time, s Stats) {
	a, err := New(c)
	require.NoError(t, err)
	for i, op := range ops {
		op.Tag = uint32(i)
		a.Submit(0, op)
	}
	a.Advance(sim.Never)
	require.Len(t, a.Completions(), len(ops))
	ends = make([]sim.Time, len(ops))
	for _, d := range a.Completions() {
		ends[d.Tag] = d.At
	}
	return ends, a.Stats()
}

func read(page uint32) Op    { return Op{Kind: Read, Class: User, Page: page, Bytes: 4096} }
func program(page uint32) Op { return Op{Kind: Program, Class: User, Page: page, Bytes: 4096} }
func erase(page uint32) Op   { return Op{Kind: Erase, Class: Collect, Page: page} }

const ns = sim.Nanosecond

func TestPhasesOfOneOperation(t *testing.T) {
	for name, c := range map[string]struct {
		op   Op
		want sim.Time
	}{
		"read of a low page":  {read(0), 200*ns + 50_000*ns + 100*ns + 4096*ns},
		"read of a high page": {read(1), 200*ns + 60_000*ns + 100*ns + 4096*ns},
		"program":             {program(0), 400*ns + 4096*ns + 500_000*ns},
		"erase":               {erase(0), 250*ns + 3_000_000*ns},
	} {
		t.Run(name, func(t *testing.T) {
			ends, _ := run(t, small(), c.op)
			assert.Equal(t, c.want, ends[0])
		})
	}
}

func TestRealValuedChannelRate(t *testing.T) {
	c := small()
	c.ChannelGBs = 1.4
	ends, _ := run(t, c, read(0))
	assert.Equal(t, 50_300*ns+sim.Time(2_925_714), ends[0], "4096 B at 1.4 GB/s")
}

func TestPlanesOfADieReadAtOnce(t *testing.T) {
	ends, s := run(t, small(), read(pageOf(0, 0, 0, 0)), read(pageOf(0, 1, 2, 0)))
	assert.Equal(t, 500*ns+50_000*ns+2*4196*ns, ends[1])
	assert.Equal(t, uint64(1), s.MultiPlane[Read])
}

func TestPlanesAtOtherPagesDoNotMerge(t *testing.T) {
	_, s := run(t, small(), read(pageOf(0, 0, 0, 0)), read(pageOf(0, 1, 0, 2)))
	assert.Equal(t, uint64(2), s.Commands[Read])
}

// Of plane 1 the second page would go with plane 0's, but its first is not yet
// programmed.
func TestProgramsOfABlockKeepTheirOrder(t *testing.T) {
	ops := []Op{program(pageOf(0, 0, 0, 1)), program(pageOf(0, 1, 0, 0)), program(pageOf(0, 1, 0, 1))}
	ends, s := run(t, small(), ops...)
	assert.Zero(t, s.MultiPlane[Program])
	assert.Less(t, ends[1], ends[2])
	c := small()
	c.AnyOrder = true
	ends, s = run(t, c, ops...)
	assert.EqualValues(t, 1, s.MultiPlane[Program])
	assert.Less(t, ends[2], ends[1])
}

// A page that is submitted when a program ends is among those that the die then
// chooses from: it pairs up with the one that waits.
func TestCompletionsComeBeforeTheNextCommand(t *testing.T) {
	a, err := New(small())
	require.NoError(t, err)
	a.Submit(0, program(pageOf(0, 0, 0, 0)))
	a.Submit(0, program(pageOf(0, 0, 0, 1)))
	for len(a.Completions()) == 0 {
		a.Step()
	}
	a.Submit(a.Completions()[0].At, program(pageOf(0, 1, 0, 1)))
	a.Advance(sim.Never)
	assert.EqualValues(t, 1, a.Stats().MultiPlane[Program])
	assert.Equal(t, a.Completions()[1].At, a.Completions()[2].At)
}

func TestAPowerCutDropsAllOperations(t *testing.T) {
	a, err := New(small())
	require.NoError(t, err)
	for page := range uint32(6) {
		a.Submit(0, program(pageOf(page%2, 0, 0, page)))
		a.Submit(0, read(pageOf(page%2, 1, 0, page)))
	}
	a.Advance(70_000 * ns)
	a.PowerCut()
	assert.Empty(t, a.Completions())
	assert.Equal(t, sim.Never, a.Next())
	a.Submit(100_000*ns, read(0))
	a.Advance(sim.Never)
	require.Len(t, a.Completions(), 1)
	assert.Equal(t, 100_000*ns+54_396*ns, a.Completions()[0].At, "as on an idle array")
}

func TestDiesDoNotMerge(t *testing.T) {
	_, s := run(t, small(), read(pageOf(0, 0, 0, 0)), read(pageOf(1, 1, 0, 0)))
	assert.Equal(t, uint64(2), s.Commands[Read])
}

func TestDieInterleave(t *testing.T) {
	ops := []Op{read(pageOf(0, 0, 0, 0)), read(pageOf(1, 0, 0, 0))}
	serial, _ := run(t, small(), ops...)
	c := small()
	c.DieInterleave = true
	both, _ := run(t, c, ops...)
	one := 200*ns + 50_000*ns + 4196*ns
	assert.Equal(t, 2*one, serial[1], "a chip is one unit")
	assert.Equal(t, one+4196*ns, both[1], "dies share the channel only")
}

func TestCommandsFirstKeepDiesBusy(t *testing.T) {
	c := small()
	c.ReadUs, c.DieInterleave = []float64{4.5}, true
	ops := []Op{read(0), read(pageOf(1, 0, 0, 0)), read(2)} // the third waits for the first's die
	plain, _ := run(t, c, ops...)
	c.CommandsFirst = true
	first, _ := run(t, c, ops...)
	sent := 200*ns + 4500*ns + 4196*ns // of the first
	assert.Equal(t, sent+4196*ns, plain[1], "data go first")
	assert.Equal(t, sent+4196*ns+200*ns+4500*ns+4196*ns, plain[2])
	assert.Equal(t, sent+200*ns+4196*ns, first[1], "the third's command goes between")
	assert.Equal(t, sent+200*ns+4500*ns+4196*ns, first[2], "and its tR while the second's data leave")
}

func TestCacheReadHidesTheTransfer(t *testing.T) {
	c := small()
	c.ReadUs = []float64{50}
	ops := []Op{read(0), read(2), read(4)}
	plain, _ := run(t, c, ops...)
	c.CacheRead = true
	cached, _ := run(t, c, ops...)
	assert.Equal(t, 3*(200*ns+50_000*ns+4196*ns), plain[2])
	assert.Equal(t, 3*(200*ns+50_000*ns)+4196*ns, cached[2])
	c.ReadUs = []float64{1} // the channel is the limit: pages leave back to back
	cached, _ = run(t, c, ops...)
	assert.Equal(t, 3*(4196*ns+200*ns)+1000*ns, cached[2])
}

func TestReadsSuspendPrograms(t *testing.T) {
	c := small()
	a, err := New(c)
	require.NoError(t, err)
	ends := func(c Config) map[Kind]sim.Time {
		a, err = New(c)
		require.NoError(t, err)
		a.Submit(0, program(0))
		a.Advance(100_000 * ns)
		a.Submit(100_000*ns, read(8))
		a.Advance(sim.Never)
		at := map[Kind]sim.Time{}
		for _, d := range a.Completions() {
			at[d.Kind] = d.At
		}
		return at
	}
	programEnd := 400*ns + 4096*ns + 500_000*ns
	plain := ends(c)
	assert.Equal(t, programEnd, plain[Program])
	assert.Equal(t, programEnd+54_396*ns, plain[Read])
	c.SuspendProgramUs = 20
	suspended := ends(c)
	readEnd := 100_000*ns + 20_000*ns + 54_396*ns
	assert.Equal(t, readEnd, suspended[Read])
	assert.Equal(t, readEnd+programEnd-100_000*ns, suspended[Program], "the rest runs after the read")
	assert.Equal(t, uint64(1), a.Stats().Suspended)
}

func TestRetries(t *testing.T) {
	c := small()
	c.RetryProbability, c.RetrySteps, c.RetryUs, c.Seed = 1, 1, 40, 3
	ends, s := run(t, c, read(0))
	assert.Equal(t, 200*ns+90_000*ns+4196*ns, ends[0])
	assert.Equal(t, uint64(1), s.Retried)
	c.RetryProbability = 0.25
	ops := make([]Op, 4000)
	for i := range ops {
		ops[i] = read(0)
	}
	_, s = run(t, c, ops...)
	assert.InDelta(t, 1000, float64(s.Retried), 100)
}

// Whatever is submitted, every operation ends once, the channel is never
// busier than time, and programs of a plane end in their order.
func TestEveryOperationEndsOnce(t *testing.T) {
	for seed := range uint64(20) {
		r := sim.NewRand(seed)
		c := small()
		c.Channels, c.Ways = 2, 2
		c.DieInterleave, c.CacheRead = seed&1 != 0, seed&2 != 0
		if seed&4 != 0 {
			c.SuspendProgramUs, c.SuspendEraseUs = 10, 30
		}
		a, err := New(c)
		require.NoError(t, err)
		planes := c.AllPlanes()
		written := make([]uint32, planes)
		last := make([]uint32, planes)
		at := sim.Time(0)
		const n = 2000
		seen := map[uint32]bool{}
		check := func() {
			for _, d := range a.Completions() {
				require.False(t, seen[d.Tag])
				seen[d.Tag] = true
				if d.Kind == Program {
					plane := d.Page / 32
					require.GreaterOrEqual(t, d.Tag, last[plane])
					last[plane] = d.Tag
				}
			}
			a.Drop()
		}
		for i := range uint32(n) {
			plane := uint32(r.IntN(planes))
			op := Op{Kind: Kind(r.IntN(3)), Class: Class(r.IntN(int(numClasses))), Bytes: uint32(1 + r.IntN(4096)), Tag: i, Page: plane*32 + uint32(r.IntN(32))}
			if op.Kind == Program {
				op.Class, op.Page = User, plane*32+written[plane]%32
				written[plane]++
			}
			a.Submit(at, op)
			at += sim.Time(r.IntN(40_000)) * ns
			a.Advance(at)
			check()
		}
		a.Advance(sim.Never)
		check()
		assert.Len(t, seen, n)
	}
}

func TestImpossibleConfigs(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"channels":           func(c *Config) { c.Channels = 0 },
		"dies":               func(c *Config) { c.Ways, c.Dies = 64, 2 },
		"blocks":             func(c *Config) { c.Blocks, c.Pages, c.Channels = 1<<20, 1<<14, 64 },
		"cell":               func(c *Config) { c.Cell = "plc" },
		"read_us":            func(c *Config) { c.ReadUs = []float64{1, 2, 3} },
		"channel_gbps":       func(c *Config) { c.ChannelGBs = 0 },
		"data_out_ns":        func(c *Config) { c.DataOutNs = -1 },
		"retry_probability":  func(c *Config) { c.RetryProbability = 2; c.RetrySteps = 1 },
		"retry_steps":        func(c *Config) { c.RetryProbability = 0.1 },
		"suspend_program_us": func(c *Config) { c.SuspendProgramUs = -1 },
	} {
		t.Run(key, func(t *testing.T) {
			c := small()
			spoil(&c)
			_, err := New(c)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "flash: "+key+" must ")
		})
	}
}

func TestPageKindsOfTLC(t *testing.T) {
	want := []int{0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 0, 0}
	for page, kind := range want {
		assert.Equal(t, kind, pageKind(3, page), "page %d", page)
	}
}

// BenchmarkReads reports the page operations a CPU second at the depth of a busy drive.
func BenchmarkReads(b *testing.B) {
	c := small()
	c.Channels, c.Ways, c.DieInterleave = 8, 4, true
	a, err := New(c)
	require.NoError(b, err)
	r := sim.NewRand(1)
	pages := uint32(c.AllPlanes() * c.PlanePages())
	submit := func(at sim.Time) { a.Submit(at, read(uint32(r.IntN(int(pages))))) }
	for range 256 {
		submit(0)
	}
	turn := func() {
		at := a.Next()
		a.Advance(at + 1)
		n := len(a.Completions())
		a.Drop()
		for range n {
			submit(at)
		}
	}
	for range 100_000 {
		turn()
	}
	before := a.Stats().Ops[Read]
	b.ReportAllocs()
	b.ResetTimer()
	for a.Stats().Ops[Read]-before < uint64(b.N) {
		turn()
	}
}
