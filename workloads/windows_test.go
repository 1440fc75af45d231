package workloads

import (
	"context"
	"encoding/json"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// coarsely samples as steps that are put together may be.
const coarsely = "sampling.tolerance=0.03"

// together runs the tiny configuration put together of windows.
func together(t testing.TB, w *Windows, sets ...string) *Result {
	t.Helper()
	res, err := Run(context.Background(), load(t, sets...), Options{Seed: 1, Fidelity: "sampled", Workers: 1, Windows: w})
	require.NoError(t, err)
	require.True(t, res.Complete)
	return res
}

// bound copies to far less than the kernels' rate.
var copyBound = with(halfDDR, prefetch, paged, "system.host.link.raw_gbps=4", "workload.context=16384", coarsely)

func TestStepsOfWindowsAgreeWithWholeOnesWithinTheirBounds(t *testing.T) {
	for name, c := range map[string]struct {
		sets  []string
		parts []part
	}{
		"near":             {with("workload.context=4096", coarsely), []part{attentionPart, restPart}},
		"near, experts":    {with("model.moe.experts=4", "model.moe.active=2", "model.moe.expert_ffn=512", coarsely), []part{attentionPart, restPart}},
		"read where it is": {with(thirds, zeroCopy, coarsely), []part{attentionPart, restPart}},
		"copies":           {copyBound, []part{copiesPart}},
		"copied as read":   {with(copyBound, onDemand), []part{wholeStep}},
		"finely sampled":   {with(copyBound, "sampling.tolerance=0.01"), []part{wholeStep}},
		"both count":       {with(halfDDR, prefetch, coarsely, "system.host.link.raw_gbps=200"), []part{wholeStep}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := outline(load(t, c.sets...), Options{Seed: 1})
			require.NoError(t, err)
			require.Equal(t, c.parts, r.parts())
			got, want := together(t, &Windows{}, c.sets...), simulate(t, "sampled", c.sets...)
			assert.InDelta(t, want.StepNs, got.StepNs, got.Bound*got.StepNs+want.Bound*want.StepNs)
			assert.InDelta(t, got.StepNs, got.KernelNs+got.GapNs+got.ExposedNs, 1e-6*got.StepNs, "time is attributed")
			assert.Equal(t, want.RooflineNs, got.RooflineNs)
			assert.Equal(t, want.Objects, got.Objects)
			assert.InEpsilon(t, want.Energy.StepJ, got.Energy.StepJ, 0.02)
			for i, tier := range want.Tiers {
				assert.Equal(t, tier.Used, got.Tiers[i].Used)
				assert.InEpsilon(t, float64(tier.Read), float64(got.Tiers[i].Read), 0.02, tier.Tier)
			}
		})
	}
}

// What a window does not feel is no reason to simulate it again.
func TestWindowsAreSharedByStepsThatDifferElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		steps [][]string
		want  WindowStats
	}{
		"channels of a memory that is not used": {[][]string{{"system.host.ddr.channels=1"}, {"system.host.ddr.channels=2"}}, WindowStats{Simulated: 2, Shared: 2}},
		"contexts":                              {[][]string{{"workload.context=512"}, {"workload.context=1024"}}, WindowStats{Simulated: 3, Shared: 1}},
		"policies":                              {[][]string{under("48_snapkv"), under("29_h2o")}, WindowStats{Simulated: 3, Shared: 1}},
		"batches":                               {[][]string{{"workload.batch=2"}, {"workload.batch=3"}}, WindowStats{Simulated: 4}},
		"sequences that have as many pages":     {[][]string{with(copyBound, "workload.batch=2"), with(copyBound, "workload.batch=4", "workload.context=8192")}, WindowStats{Simulated: 1, Shared: 1}},
		"channels of a memory that is":          {[][]string{copyBound, with(copyBound, "system.host.ddr.channels=1")}, WindowStats{Simulated: 2}},
		"names":                                 {[][]string{{}, {`system.name="another"`}}, WindowStats{Simulated: 2, Shared: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &Windows{}
			for _, sets := range c.steps {
				res := together(t, w, with(sets, coarsely)...)
				require.Equal(t, together(t, &Windows{}, with(sets, coarsely)...), res, "shared or not")
			}
			require.Equal(t, c.want, w.Stats())
		})
	}
}

// tested is a memo in memory.
type tested struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (m *tested) Get(key string, window any) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.kept[key]
	return ok && json.Unmarshal(text, window) == nil
}

func (m *tested) Put(key string, window any) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[key], err = json.Marshal(window)
	return err
}

func TestAMemoTellsTheSameToTheLastBit(t *testing.T) {
	memo := &tested{kept: map[string][]byte{}}
	first := &Windows{Memo: memo}
	want := together(t, first, coarsely)
	require.Equal(t, WindowStats{Simulated: 2}, first.Stats())
	var all sync.WaitGroup
	again := &Windows{Memo: memo}
	for range 4 {
		all.Go(func() {
			res, err := Run(context.Background(), load(t, coarsely), Options{Seed: 1, Fidelity: "sampled", Workers: 1, Windows: again})
			assert.NoError(t, err)
			assert.Equal(t, want, res)
		})
	}
	all.Wait()
	require.Equal(t, WindowStats{Memoised: 2, Shared: 6}, again.Stats())
}

// A step that is cut short is not kept.
func TestInterruptedWindowsAreNotKept(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	memo := &tested{kept: map[string][]byte{}}
	_, err := Run(ctx, load(t, coarsely), Options{Seed: 1, Fidelity: "sampled", Workers: 1, Windows: &Windows{Memo: memo}})
	require.ErrorIs(t, err, errNothing)
	require.Empty(t, memo.kept)
}

// Every value of a configuration is part of a window's key, but for names.
func TestKeysOfWindowsHaveAllThatAConfigurationHas(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(ty reflect.Type, at string)
	walk = func(ty reflect.Type, at string) {
		if seen[ty] {
			return
		}
		seen[ty] = true
		switch ty.Kind() {
		case reflect.Struct:
			for f := range ty.Fields() {
				assert.True(t, f.IsExported(), "%s.%s: a key cannot have it", at, f.Name)
				assert.Empty(t, f.Tag.Get("json"), "%s.%s", at, f.Name)
				walk(f.Type, at+"."+f.Name)
			}
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(ty.Elem(), at)
		case reflect.Func, reflect.Chan, reflect.Interface:
			assert.Fail(t, "a key cannot have it", "%s is a %s", at, ty)
		}
	}
	walk(reflect.TypeFor[Config](), "")
	key := func(sets ...string) string {
		k, err := keyOf(load(t, sets...), 1, wholeStep)
		require.NoError(t, err)
		return k
	}
	want := key()
	require.Equal(t, want, key(`system.name="another"`))
	for _, set := range []string{"system.hbm.channels=8", "system.gpu.sms=3", "workload.batch=7", "kv.page_tokens=32", "sampling.layers=5", "model.layers=9"} {
		require.NotEqual(t, want, key(set), set)
	}
}
