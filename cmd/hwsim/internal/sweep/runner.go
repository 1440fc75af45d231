package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"hwsim/cmd/hwsim/internal/sweep/store"
	"hwsim/configs"
)

// A Runner runs a sweep's points.
type Runner struct {
	Design  *Design
	Base    *configs.Document // the configuration that the points vary
	Basis   Basis
	Memo    store.Memo
	Workers int // points at a time

	// Simulate runs one configuration. What is wrong with that one alone is its
	// outcome; an error ends the sweep.
	Simulate func(*configs.Document) (store.Outcome, error)

	// Finished is called, from one goroutine, with what was appended to the store; an
	// error ends the sweep.
	Finished func([]store.Record) error
}

// Basis is what an outcome depends on beside its configuration.
type Basis struct {
	Seed     uint64
	Fidelity string
	Version  string // of the program
}

// key identifies an outcome.
func (b Basis) key(config string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s", config, b.Seed, b.Fidelity, b.Version))
	return hex.EncodeToString(sum[:])[:16]
}

// Stats says where outcomes came from.
type Stats struct {
	Simulated int // points
	Shared    int // with another point of the sweep: the same configuration
	Memoised  int // by an earlier or another process
}

// Points returns how many outcomes there are.
func (s Stats) Points() int { return s.Simulated + s.Shared + s.Memoised }

// Run runs the points of a shard that the store has not, and appends them. When ctx
// is cancelled it begins no more, ends those under way, and returns the cause unless
// these were the last.
func (r *Runner) Run(ctx context.Context, s *store.Store, shard Shard) (Stats, error) {
	done := store.Current(s.Records(), r.Basis.Version)
	wanted := func(k int) bool { _, have := done[k]; return shard.Has(k) && !have }
	w := &work{Runner: r, flights: map[string]*flight{}, out: make(chan store.Record, 256)}
	for _, record := range done {
		w.flights[record.Key] = landed(record.Outcome)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w.start(feed(ctx, len(r.Design.Points), wanted), stop)
	err := w.keep(s)
	if err != nil {
		stop(err)
	}
	for range w.out { // none are left unless keep has failed
	}
	switch {
	case w.panicked != nil:
		panic(w.panicked)
	case err != nil:
		return w.stats, err
	case w.kept < count(len(r.Design.Points), wanted):
		return w.stats, context.Cause(ctx)
	}
	return w.stats, nil
}

// Wanted returns how many points of a shard the records of a version lack.
func (d *Design) Wanted(records []store.Record, version string, shard Shard) int {
	done := store.Current(records, version)
	return count(len(d.Points), func(k int) bool { _, have := done[k]; return shard.Has(k) && !have })
}

func count(n int, wanted func(int) bool) (c int) {
	for k := range n {
		if wanted(k) {
			c++
		}
	}
	return c
}

// feed hands out the wanted of n points until ctx ends.
func feed(ctx context.Context, n int, wanted func(int) bool) <-chan int {
	points := make(chan int)
	go func() {
		defer close(points)
		for k := range n {
			if !wanted(k) {
				continue
			}
			select {
			case points <- k:
			case <-ctx.Done():
				return
			}
		}
	}()
	return points
}

// work is a run under way.
type work struct {
	*Runner
	out  chan store.Record
	kept int // records appended

	mu       sync.Mutex
	flights  map[string]*flight // by key
	stats    Stats
	panicked any
}

// flight is an outcome, there or on its way.
type flight struct {
	done    chan struct{} // closed when the outcome is known
	outcome store.Outcome
	err     error
}

func landed(o store.Outcome) *flight {
	f := &flight{done: make(chan struct{}), outcome: o}
	close(f.done)
	return f
}

// start begins the workers, and closes out when they have ended.
func (w *work) start(points <-chan int, stop context.CancelCauseFunc) {
	var workers sync.WaitGroup
	for range max(1, w.Workers) {
		workers.Go(func() { w.take(points, stop) })
	}
	go func() {
		workers.Wait()
		close(w.out)
	}()
}

// take runs points until there are no more, or one says that all is in vain.
func (w *work) take(points <-chan int, stop context.CancelCauseFunc) {
	defer func() {
		if v := recover(); v != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.panicked = fmt.Sprintf("%v\n%s", v, debug.Stack())
			stop(errors.New("panic"))
		}
	}()
	for k := range points {
		record, err := w.point(k)
		if err != nil {
			stop(fmt.Errorf("point %d: %w", k, err))
			return
		}
		w.out <- record
	}
}

// point runs one point, or takes the outcome of its configuration from where it is
// known.
func (w *work) point(k int) (store.Record, error) {
	set, err := w.Design.Set(w.Design.Points[k])
	if err != nil {
		return store.Record{}, err
	}
	d, err := w.Design.variant(w.Base, set)
	if err != nil {
		return store.Record{}, err
	}
	config := d.Hash()
	key := w.Basis.key(config)
	o, err := w.outcome(key, d)
	return store.Record{Point: k, Key: key, Config: config, Version: w.Basis.Version, Set: set, Outcome: o}, err
}

// outcome waits for the outcome of a key, which the first to ask for it finds.
func (w *work) outcome(key string, d *configs.Document) (store.Outcome, error) {
	w.mu.Lock()
	f, ok := w.flights[key]
	if ok {
		w.stats.Shared++
		w.mu.Unlock()
		<-f.done
		return f.outcome, f.err
	}
	f = &flight{done: make(chan struct{}), err: errors.New("its simulation did not end")}
	w.flights[key] = f
	w.mu.Unlock()
	defer close(f.done)
	f.outcome, f.err = w.find(key, d)
	return f.outcome, f.err
}

// find asks the memo, and simulates what it does not know.
func (w *work) find(key string, d *configs.Document) (store.Outcome, error) {
	var o store.Outcome
	known := w.Memo.Get(key, &o)
	w.mu.Lock()
	if known {
		w.stats.Memoised++
	} else {
		w.stats.Simulated++
	}
	w.mu.Unlock()
	if known {
		return o, nil
	}
	o, err := w.Simulate(d)
	if err != nil {
		return o, err
	}
	return o, w.Memo.Put(key, o)
}

// keep appends what workers have finished, all that waits at once: one sync of the
// disk then does for many points.
func (w *work) keep(s *store.Store) error {
	for first := range w.out {
		records := []store.Record{first}
		for more := true; more; {
			select {
			case r, ok := <-w.out:
				if more = ok; ok {
					records = append(records, r)
				}
			default:
				more = false
			}
		}
		if err := s.Append(records...); err != nil {
			return err
		}
		w.kept += len(records)
		if err := w.Finished(records); err != nil {
			return err
		}
	}
	return nil
}
