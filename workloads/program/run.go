package program

import (
	"context"
	"fmt"

	"hwsim/devices/cpu"
	"hwsim/devices/cpucache"
	"hwsim/devices/mmu"
	"hwsim/sim"
	"hwsim/workloads/synthetic"
)

// Options are what a run has besides its configuration.
type Options struct {
	Seed uint64
	Name string // of the configuration
	Hash string // of the effective configuration
}

// Run runs the configured stream. When ctx is cancelled it returns what has been
// counted until then, marked incomplete.
func Run(ctx context.Context, c *Config, o Options) (*Result, error) {
	s, err := synthetic.New(&c.Stream, o.Seed)
	if err != nil {
		return nil, configError{err}
	}
	return run(ctx, &c.Core, s, c.Stream.Kind, uint64(c.Run.warm()), uint64(c.Run.accesses()), o)
}

// Replay runs a recorded stream, called name, to its end or for n accesses, 0
// being all. Accesses before warm are not counted.
func Replay(ctx context.Context, c *cpu.Config, s cpu.Stream, name string, warm, n uint64, o Options) (*Result, error) {
	if n == 0 {
		n = 1 << 62
	}
	m := newMapped(s, c.MMU.Levels)
	r, err := run(ctx, c, m, name, warm, n, o)
	if m.err != nil {
		return nil, configError{fmt.Errorf("%s: %w", name, m.err)}
	}
	return r, err
}

// configError marks an error as the user's: what a core refuses of a configuration
// or a stream, or that memory is full.
type configError struct{ error }

func (configError) UserError() bool { return true }

func (e configError) Unwrap() error { return e.error }

// portion is how many accesses are run between looks at the reach of blocks.
const portion = 4096

func run(ctx context.Context, c *cpu.Config, s cpu.Stream, name string, warm, n uint64, o Options) (*Result, error) {
	k, err := cpu.New(c, o.Seed)
	if err != nil {
		return nil, configError{fmt.Errorf("core: %w", err)}
	}
	if _, err := k.Run(ctx, s, warm); err != nil && ctx.Err() == nil {
		return nil, configError{fmt.Errorf("stream: %w", err)}
	}
	k.Forget()
	var reach mean
	complete := ctx.Err() == nil
	for left := n; left > 0 && complete; {
		ran, err := k.Continue(ctx, s, min(portion, left))
		if err != nil && ctx.Err() == nil {
			return nil, configError{fmt.Errorf("stream: %w", err)}
		}
		complete = ctx.Err() == nil
		reach.add(float64(k.Caches.Reach()))
		left -= ran
		if ran == 0 {
			break
		}
	}
	k.Drain()
	if err := k.MMU.Err(); err != nil {
		return nil, configError{fmt.Errorf("stream: %w", err)}
	}
	r := report(k, c)
	r.Name, r.Hash, r.Seed, r.Complete, r.Core, r.Stream = o.Name, o.Hash, o.Seed, complete, c.Name, name
	r.Translation.ReachBytes = reach.value()
	return r, nil
}

// mean is the mean of what is added.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) { m.sum, m.n = m.sum+v, m.n+1 }

func (m *mean) value() float64 {
	if m.n == 0 {
		return 0
	}
	return m.sum / float64(m.n)
}

// report reads all counters of a core.
func report(k *cpu.Core, c *cpu.Config) *Result {
	s := k.Stats()
	r := &Result{Schema: 1, Instructions: s.Instructions, Accesses: s.Accesses, Cycles: s.Cycles, IPC: s.IPC(),
		TimeNs:      float64(s.Cycles) / c.ClockMHz * 1e3,
		Translating: share(s.Translating, s.Cycles), Waiting: share(s.Waiting, s.Cycles)}
	r.Translation = translation(k.MMU.Stats(), c, s.Instructions)
	caches := k.Caches.Stats()
	for i := range caches.Levels {
		r.Caches = append(r.Caches, cacheRow(i, &caches.Levels[i], s.Instructions))
	}
	r.Memory.Written = caches.Writes
	for kind, n := range caches.Reads {
		r.Memory.Read = append(r.Memory.Read, KindRow{cpucache.Kind(kind).String(), n})
	}
	r.Translation.Blocks, r.Translation.Lines = k.Caches.Blocks()
	r.Translation.BlocksInserted = caches.Inserted
	return r
}

func share(part, total int64) float64 {
	if total == 0 {
		return 0
	}
	return float64(part) / float64(total)
}

// perK returns n per 1000 instructions.
func perK(n, instructions uint64) float64 {
	return 1000 * float64(n) / float64(max(1, instructions))
}

func ratio(part, total uint64) float64 { return share(int64(part), int64(total)) }

func cacheRow(n int, s *cpucache.LevelStats, instructions uint64) CacheRow {
	row := CacheRow{Level: levelName(n), Spared: s.Spared}
	for kind := range s.Hits {
		hits, misses := s.Hits[kind], s.Misses[kind]
		if hits+misses == 0 {
			continue
		}
		row.Kinds = append(row.Kinds, LookupRow{cpucache.Kind(kind).String(), hits, misses, ratio(misses, hits+misses), perK(misses, instructions), s.Reuse[kind]})
	}
	return row
}

func levelName(n int) string { return fmt.Sprintf("L%d", n+1) }

// translation sums up an MMU's counters.
func translation(s *mmu.Stats, c *cpu.Config, instructions uint64) Translation {
	t := Translation{
		Lookups: s.Lookups, L1Hits: s.L1Hits, L2Hits: s.L2Hits, L3Hits: s.L3Hits, Merged: s.Merged, L2Misses: s.L2Misses, Misses: s.Misses,
		L1MissRatio: ratio(s.Lookups-s.L1Hits-s.Merged, s.Lookups),
		L1MPKI:      perK(s.Lookups-s.L1Hits-s.Merged, instructions),
		L2MPKI:      perK(s.L2Misses, instructions), MPKI: perK(s.Misses, instructions),
		MissCycles: s.MissMean(),
		Walks:      s.Walks, DRAMWalks: s.DRAMWalks, HostWalks: s.HostWalks, Background: s.Background,
		BlockHits: s.BlocksHit(), POMReads: s.POMReads, POMHits: s.POMHits,
		NestedHits: s.NestedHits, NestedMisses: s.NestedMisses,
		Retagged: s.Retagged, Rejected: s.Rejected, Shootdowns: s.Shootdowns,
		WalkCycles:  quantiles(s),
		QueueCycles: share(s.QueueCycles, int64(s.Walks+s.POMHits)),
	}
	for _, n := range s.BlockHits[1] {
		t.NestedBlockHits += n
	}
	depth := len(c.Caches.Levels)
	for n, reads := range s.Reads[:depth+1] {
		name := "memory"
		if n < depth {
			name = levelName(n)
		}
		t.Reads = append(t.Reads, KindRow{name, reads})
	}
	t.WalkCaches = walkCaches("", s.PWC[:])
	t.WalkCaches = append(t.WalkCaches, walkCaches("host ", s.HostPWC[:])...)
	return t
}

var entryNames = [...]string{2: "PD", 3: "PDPT", 4: "PML4", 5: "PML5"}

func walkCaches(prefix string, stats []mmu.PWCStats) (rows []WalkCacheRow) {
	for level, s := range stats {
		if s.Hits+s.Misses > 0 {
			rows = append(rows, WalkCacheRow{prefix + entryNames[level], s.Hits, s.Misses, ratio(s.Misses, s.Hits+s.Misses)})
		}
	}
	return rows
}

func quantiles(s *mmu.Stats) Quantiles {
	h := &s.WalkLatency
	at := func(q float64) float64 { return float64(h.Quantile(q)) }
	return Quantiles{Mean: s.WalkMean(), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: float64(h.Max() / sim.Picosecond)}
}
