package workloads

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/internal/touch"
)

// scenarios reach data in every way there is.
var scenarios = map[string][]string{
	"hbm":      {"workload.context=1024"},
	"paged":    with(paged, "kv.layout=hnd", "workload.contexts=[100,1000,3]"),
	"prefetch": with(thirds, paged, prefetch),
	"ondemand": with(halfDDR, onDemand, "kv.unit=layer", "kv.copy_bytes=4096"),
	"zerocopy": with(thirds, zeroCopy),
	"weights":  {"weights.split.hbm=0.5", "weights.split.ddr=0.5", "weights.access=prefetch"},
	"stream":   {"weights.split.hbm=0.5", "weights.split.ddr=0.5", "weights.access=zerocopy"},
	"experts":  {"model.moe.experts=4", "model.moe.active=2", "model.moe.shared=1", "model.moe.expert_ffn=512"},
	"latent":   {"model.mla.q_lora_rank=128", "model.mla.kv_lora_rank=64", "model.mla.qk_nope_dim=32", "model.mla.qk_rope_dim=16", "model.mla.v_dim=32"},
	"ranks":    {"workload.tp=2"},
	"peer":     with("kv.split.hbm=0.5", "kv.split.peer=0.5", prefetch),
	"narrow":   {"weights.dtype=int4", "kv.dtype=fp8"},
}

// simulated is what the scenarios came to: every test looks at the same runs.
var simulated = map[string]outcome{}

type outcome struct {
	run *run
	res *Result
}

// eachScenario passes on the scenarios, simulated exactly.
func eachScenario(t *testing.T, f func(t *testing.T, r *run, res *Result)) {
	for name, sets := range scenarios {
		t.Run(name, func(t *testing.T) {
			if simulated[name].run == nil {
				r := begin(t, "exact", sets...)
				simulated[name] = outcome{r, finish(t, r)}
			}
			f(t, simulated[name].run, simulated[name].res)
		})
	}
}

// asked adds up what a run's programs ask for, by class and by tier.
func asked(r *run) (class map[string]uint64, read [hierarchy.NumTiers]uint64) {
	class = map[string]uint64{}
	for i := range r.decode.graph.Ops {
		o := &r.decode.graph.Ops[i]
		if o.Kernel == nil {
			continue
		}
		touch.Walk(o.Kernel, func(run gpu.Run, write bool) {
			class[o.Class] += run.Total()
			if !write {
				read[devices.Tier(run.Addr)] += run.Total()
			}
		})
	}
	return class, read
}

// copied adds up the copies' bytes by tier.
func copied(r *run) (bytes [hierarchy.NumTiers]uint64) {
	for _, c := range r.system.Copies {
		for _, s := range c.Segments {
			bytes[devices.Tier(s.Src)] += s.Bytes
		}
	}
	return bytes
}

func sum(bytes [hierarchy.NumTiers]uint64) (n uint64) {
	for _, b := range bytes {
		n += b
	}
	return n
}

func TestKernelsMoveWhatTheirProgramsAsk(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		want, _ := asked(r)
		got := map[string]uint64{}
		for _, k := range res.Kernels {
			got[k.Class] = k.Bytes
		}
		require.Equal(t, want, got)
	})
}

func TestCopiesAndZeroCopyReadsCrossTheLinks(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		_, read := asked(r)
		copies := copied(r)
		require.Equal(t, sum(copies), res.TransferBytes)
		for link, tiers := range map[string][]hierarchy.TierID{"pcie from host": {hierarchy.DDR, hierarchy.CXLMem}, "nvlink from peer": {hierarchy.PeerHBM}} {
			want := uint64(0)
			for _, tier := range tiers {
				want += copies[tier] + read[tier]
				if got := readOf(res, tier); copies[tier]+read[tier] > 0 { // memory moves whole bursts
					require.GreaterOrEqual(t, got, copies[tier]+read[tier], "%v", tier)
					require.LessOrEqual(t, float64(got), 1.01*float64(copies[tier]+read[tier]), "%v", tier)
				}
			}
			require.Equal(t, want, linkRow(t, res, link).Bytes, link)
		}
	})
}

// readOf returns what a tier's channels have read.
func readOf(res *Result, tier hierarchy.TierID) uint64 {
	for _, row := range res.Tiers {
		if row.Tier == tier.String() {
			return row.Read
		}
	}
	return 0
}

const sector = 32

// HBM is read at least once for each byte that a step needs and has not made
// itself, and at most once for each time that an SM asks.
func TestHBMReadsLieBetweenDistinctAndAskedBytes(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		reads, writes := touch.Cover{}, touch.Cover{}
		for i := range r.decode.graph.Ops {
			if o := &r.decode.graph.Ops[i]; o.Kernel != nil {
				touch.Walk(o.Kernel, func(run gpu.Run, write bool) {
					switch {
					case devices.Tier(run.Addr) != 0:
					case write:
						sectors(writes, run)
					default:
						sectors(reads, run)
					}
				})
			}
		}
		for _, c := range r.system.Copies {
			for _, s := range c.Segments {
				sectors(writes, gpu.Run{Addr: s.Dst, Rows: 1, Bytes: uint32(s.Bytes)})
			}
		}
		asked := 0
		for _, n := range reads {
			asked += n
		}
		written := 0 // stores of part of a sector may fetch the rest
		for _, n := range writes {
			written += n
		}
		maps.DeleteFunc(reads, func(at uint64, _ int) bool { return writes[at] > 0 })
		got := tierRow(t, res, "hbm").Read
		require.GreaterOrEqual(t, got, uint64(len(reads)*sector))
		require.LessOrEqual(t, got, uint64((asked+written)*64), "bursts of 64 B")
		require.LessOrEqual(t, got, uint64(asked+written)*sector*11/10)
	})
}

// sectors counts the sectors that a run touches.
func sectors(c touch.Cover, r gpu.Run) {
	for row := range uint64(r.Rows) {
		from := r.Addr + row*r.Pitch
		for s := from / sector; s <= (from+uint64(r.Bytes)-1)/sector; s++ {
			c[s*sector]++
		}
	}
}

// Every byte copied is stored into the L2 once, beside what the SMs store. A
// CTA ends when its stores have left: those of the last kernel may still be on
// their way when the step ends.
func TestStagingIsWrittenByTheCopies(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, _ *Result) {
		in := uint64(0)
		for _, p := range r.system.Ports() {
			in += p.Stats().CopiedIn
		}
		require.Equal(t, sum(copied(r)), in)
		stored, last := in, uint64(0)
		for i := range r.decode.graph.Ops {
			if o := &r.decode.graph.Ops[i]; o.Kernel != nil {
				last = 0
				touch.Walk(o.Kernel, func(run gpu.Run, write bool) {
					if write && devices.Tier(run.Addr) == 0 {
						last += run.Total()
					}
				})
				stored += last
			}
		}
		got := r.system.CacheStats().Written
		require.LessOrEqual(t, got, stored)
		require.GreaterOrEqual(t, got, stored-last)
	})
}

func TestNothingExceedsItsPeak(t *testing.T) {
	eachScenario(t, func(t *testing.T, _ *run, res *Result) {
		for _, row := range res.Tiers {
			require.LessOrEqual(t, row.GBps, row.PeakGBps, row.Tier)
			require.LessOrEqual(t, row.Busy, 1.0, row.Tier)
			require.LessOrEqual(t, row.GBps/row.PeakGBps, row.Busy*1.001, "%s moves more than its busy buses can", row.Tier)
			require.LessOrEqual(t, row.RowHits, 1.0, row.Tier)
			require.LessOrEqual(t, row.Used, row.Capacity, row.Tier)
			if bits := 8 * float64(row.Read+row.Written); bits > 1e6 {
				require.InDelta(t, 15, row.EnergyPJ/bits, 14, "%s: 3 pJ a bit of a long stream to 28 of scattered bursts", row.Tier)
			}
			requireOrdered(t, row.LatencyNs)
		}
		for _, row := range res.Links {
			require.LessOrEqual(t, row.GBps, row.PeakGBps, row.Link)
			require.LessOrEqual(t, row.Busy, 1.0, row.Link)
			require.LessOrEqual(t, row.Bytes, row.Wire, row.Link)
		}
		for _, row := range res.Kernels {
			requireOrdered(t, row.LatencyNs)
		}
	})
}

func requireOrdered(t *testing.T, q Quantiles) {
	t.Helper()
	require.LessOrEqual(t, q.P50, q.P99)
	require.LessOrEqual(t, q.P99, q.Max)
	require.LessOrEqual(t, q.Mean, q.Max)
}

func TestTimeAddsUpToTheStep(t *testing.T) {
	check := func(t *testing.T, res *Result) {
		require.InDelta(t, res.StepNs, res.KernelNs+res.GapNs+res.ExposedNs, 1)
		ns := 0.0
		for _, k := range res.Kernels {
			ns += k.Ns
			total := 0.0
			for _, share := range k.Causes {
				total += share
			}
			require.InDelta(t, 1, total, 1e-9, k.Class)
		}
		require.InDelta(t, res.KernelNs, ns, 1)
		require.GreaterOrEqual(t, res.ExposedNs, 0.0)
		require.GreaterOrEqual(t, res.HiddenNs, 0.0)
	}
	eachScenario(t, func(t *testing.T, _ *run, res *Result) { check(t, res) })
	for name, sets := range scenarios {
		t.Run("sampled "+name, func(t *testing.T) { check(t, simulate(t, "sampled", with(sets, "model.layers=8")...)) })
	}
}
