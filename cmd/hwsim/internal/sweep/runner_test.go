package sweep

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep/store"
	"hwsim/configs"
)

const base = "batch = 1\ncontext = 2\n"

// twenty is 20 points.
const twenty = `objectives = ["max rate", "min batch"]
[[sweep.axes]]
key = "batch"
range = [1, 10]
steps = 10
[[sweep.axes]]
key = "half"
values = [0.25, 0.75]
`

// runs counts simulations of a configuration, by batch.
type runs struct {
	mu     sync.Mutex
	counts map[int64]int
	fail   func(batch int64) error
}

func (r *runs) simulate(d *configs.Document) (store.Outcome, error) {
	v, _ := d.Get("batch")
	batch := v.(int64)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[int64]int{}
	}
	r.counts[batch]++
	if r.fail != nil {
		if err := r.fail(batch); err != nil {
			return store.Outcome{}, err
		}
	}
	if batch == 7 {
		return store.Outcome{Problem: "7 GiB do not fit"}, nil
	}
	return store.Outcome{Metrics: map[string]float64{"rate": float64(10 * batch)}}, nil
}

func runner(t *testing.T, r *runs) *Runner {
	t.Helper()
	return &Runner{
		Design: design(t, 1, twenty), Base: document(t, base), Workers: 4, Basis: Basis{1, "exact", "v1"},
		Simulate: r.simulate, Finished: func([]store.Record) error { return nil },
	}
}

func openStore(t *testing.T, dir string, points int) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Header{Name: "run", Points: points})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestEveryPointIsKeptOnce(t *testing.T) {
	dir, r := t.TempDir(), &runs{}
	w := runner(t, r)
	s := openStore(t, dir, 20)
	stats, err := w.Run(context.Background(), s, Shard{0, 1})
	require.NoError(t, err)
	require.Equal(t, Stats{Simulated: 20}, stats)
	require.NoError(t, s.Close())
	_, records, err := store.Read(dir)
	require.NoError(t, err)
	byPoint := store.Current(records, "v1")
	require.Len(t, records, 20)
	require.Len(t, byPoint, 20)
	require.Equal(t, "7 GiB do not fit", byPoint[12].Problem)
	require.Equal(t, map[string]any{"batch": 3.0, "half": 0.75}, byPoint[5].Set)

	again := openStore(t, dir, 20)
	stats, err = w.Run(context.Background(), again, Shard{0, 1})
	require.NoError(t, err)
	require.Zero(t, stats, "nothing is left to run")
}

// Points of one configuration are simulated once, in this sweep and, by the memo, in
// others.
func TestEqualConfigurationsAreSimulatedOnce(t *testing.T) {
	r := &runs{}
	w := runner(t, r)
	w.Design = design(t, 1, strings.Replace(twenty, "0.75", "0.25", 1)) // both values of the second axis are one
	memo, err := store.OpenMemo(t.TempDir())
	require.NoError(t, err)
	w.Memo = memo
	stats, err := w.Run(context.Background(), openStore(t, t.TempDir(), 20), Shard{0, 1})
	require.NoError(t, err)
	require.Equal(t, Stats{Simulated: 10, Shared: 10}, stats)
	for batch, n := range r.counts {
		require.Equal(t, 1, n, batch)
	}
	stats, err = w.Run(context.Background(), openStore(t, t.TempDir(), 20), Shard{0, 1})
	require.NoError(t, err)
	require.Equal(t, Stats{Memoised: 10, Shared: 10}, stats)
	w.Basis.Version = "v2"
	stats, err = w.Run(context.Background(), openStore(t, t.TempDir(), 20), Shard{1, 2})
	require.NoError(t, err)
	require.Equal(t, Stats{Simulated: 10}, stats, "another version's outcomes are its own")
}

// Stopped anywhere, a run loses and repeats nothing that it has kept.
func TestAStoppedRunGoesOn(t *testing.T) {
	dir, r := t.TempDir(), &runs{}
	w := runner(t, r)
	for stopAfter := 3; ; stopAfter += 3 {
		ctx, stop := context.WithCancel(context.Background())
		s := openStore(t, dir, 20)
		before := len(s.Records())
		kept := 0
		w.Finished = func(records []store.Record) error {
			if kept += len(records); kept >= 3 {
				stop()
			}
			return nil
		}
		_, err := w.Run(ctx, s, Shard{0, 1})
		require.NoError(t, s.Close())
		_, records, readErr := store.Read(dir)
		require.NoError(t, readErr)
		require.Len(t, records, before+kept)
		if err == nil {
			require.Len(t, records, 20)
			break
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	for batch, n := range r.counts {
		require.Equal(t, 2, n, "both points of batch %d, each once", batch)
	}
}

func TestShardsMakeTheWhole(t *testing.T) {
	var dirs []string
	for i := range 3 {
		dir := t.TempDir()
		s := openStore(t, dir, 20)
		_, err := runner(t, &runs{}).Run(context.Background(), s, Shard{i, 3})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		dirs = append(dirs, dir)
	}
	_, merged, err := store.Merge(dirs)
	require.NoError(t, err)
	dir := t.TempDir()
	s := openStore(t, dir, 20)
	_, err = runner(t, &runs{}).Run(context.Background(), s, Shard{0, 1})
	require.NoError(t, err)
	_, records, err := store.Merge([]string{dir})
	require.NoError(t, err)
	require.Equal(t, records, merged)
}

func TestAnErrorEndsTheSweep(t *testing.T) {
	broken := errors.New("simulate: lost a message")
	failing := func(at int64) *runs {
		return &runs{fail: func(batch int64) error {
			if batch == at {
				return broken
			}
			return nil
		}}
	}
	last := runner(t, failing(10))
	last.Workers = 1
	_, err := last.Run(context.Background(), openStore(t, t.TempDir(), 20), Shard{19, 20})
	require.ErrorIs(t, err, broken, "the last point")
	r := failing(5)
	dir := t.TempDir()
	_, err = runner(t, r).Run(context.Background(), openStore(t, dir, 20), Shard{0, 1})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "point ")
	w := runner(t, &runs{})
	w.Finished = func([]store.Record) error { return broken }
	_, err = w.Run(context.Background(), openStore(t, t.TempDir(), 20), Shard{0, 1})
	require.ErrorIs(t, err, broken)
	_, records, err := store.Read(dir)
	require.NoError(t, err)
	for _, record := range records {
		require.NotEqual(t, 8, record.Point)
	}
}

func TestAPanicOfAPointIsThatOfTheSweep(t *testing.T) {
	r := &runs{fail: func(int64) error { panic("tRCD violated") }}
	defer func() { require.Contains(t, fmt.Sprint(recover()), "tRCD violated") }()
	runner(t, r).Run(context.Background(), openStore(t, t.TempDir(), 20), Shard{0, 1}) //nolint:errcheck
}
