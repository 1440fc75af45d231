package sweep

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep/store"
)

// outcomes gives each point what f makes of its values.
func outcomes(d *Design, f func(values []any) store.Outcome) (records []store.Record) {
	for k, p := range d.Points {
		set, err := d.Set(p)
		if err != nil {
			panic(err)
		}
		records = append(records, store.Record{Point: k, Key: string(rune('a' + k)), Set: set, Outcome: f(p.Values)})
	}
	return records
}

func metrics(m map[string]float64) store.Outcome { return store.Outcome{Metrics: m} }

const twoAxes = `
[[sweep.axes]]
key = "x"
values = [0, 1, 2, 3]
[[sweep.axes]]
key = "y"
values = [0, 1]
`

// speed = x falls with y, cost = x + y: the best are those with y = 0. Of the box
// from (3, 0) to (-1, 3) [speed, cost], scaled to 1, the staircase has
// (1·3 + 1·2 + 1·1)/3/4 from the points' steps in speed of 1 in 4.
func TestTheFrontAndWhatItDominates(t *testing.T) {
	d := design(t, 1, "objectives = ['max speed', 'min cost + y']\n"+twoAxes)
	records := outcomes(d, func(v []any) store.Outcome {
		x, y := float64(v[0].(int64)), float64(v[1].(int64))
		if x == 3 {
			return store.Outcome{Problem: "kv: 12.5 GiB do not fit"}
		}
		return metrics(map[string]float64{"speed": x - y, "cost": x})
	})
	a, err := Analyse(d, store.Header{}, records)
	require.NoError(t, err)
	require.Equal(t, 8, a.Finished)
	require.Equal(t, 6, a.Run)
	require.Equal(t, []Problem{{"kv: … GiB do not fit", 2}}, a.Problems)
	var front []int
	for _, r := range a.Front {
		front = append(front, r.Point)
	}
	require.Equal(t, []int{4, 2, 0}, front, "fastest first")
	require.Equal(t, []float64{2, 0}, a.Best)
	require.Equal(t, []float64{-1, 3}, a.Reference)
	require.InDelta(t, (1*3+1*2+1*1)/9.0, a.Hypervolume, 1e-12)

	d.Config.Reference = []float64{0, 2}
	a, err = Analyse(d, store.Header{}, records)
	require.NoError(t, err)
	require.InDelta(t, 1/4.0, a.Hypervolume, 1e-12, "from speed 0 and cost 2, only the middle point dominates any")
}

func TestAnObjectiveWithoutAValueIsAMistake(t *testing.T) {
	d := design(t, 1, "objectives = ['max sped']\n"+twoAxes)
	records := outcomes(d, func([]any) store.Outcome { return metrics(map[string]float64{"speed": 1, "cost": 2}) })
	_, err := Analyse(d, store.Header{}, records)
	require.EqualError(t, err, `sweep.objectives.0: "sped": sped has no value at point 0; there are the axes, and cost, speed`)
	require.EqualError(t, d.Check(records[3]), `sweep.objectives.0: "sped": sped has no value at point 3; there are the axes, and cost, speed`)
	require.NoError(t, d.Check(store.Record{Outcome: store.Outcome{Problem: "too large"}}))
}

func TestNothingThatRunsHasNoFront(t *testing.T) {
	d := design(t, 1, "objectives = ['max speed']\n"+twoAxes)
	a, err := Analyse(d, store.Header{}, outcomes(d, func([]any) store.Outcome { return store.Outcome{Problem: "no"} }))
	require.NoError(t, err)
	require.Empty(t, a.Front)
	require.Zero(t, a.Hypervolume)
	a, err = Analyse(d, store.Header{}, nil)
	require.NoError(t, err)
	require.Zero(t, a.Finished)
}

func TestEffectsAreOfOneAxisEach(t *testing.T) {
	d := design(t, 1, "design = 'oat'\nobjectives = ['min cost']\n"+twoAxes)
	a, err := Analyse(d, store.Header{}, outcomes(d, func(v []any) store.Outcome {
		return metrics(map[string]float64{"cost": 10 + float64(v[0].(int64)) - 5*float64(v[1].(int64))})
	}))
	require.NoError(t, err)
	require.Equal(t, []Effect{
		{"x", "min cost", 11, 10, int64(0), 13, int64(3)},
		{"y", "min cost", 11, 6, int64(1), 11, int64(0)},
	}, a.Effects)
}

// Ishigami's function, over axes (see package sobol's test for the figures).
func TestIndicesOfAxes(t *testing.T) {
	d := design(t, 1, `design = "sobol"
points = 4096
objectives = ["min f"]
[[sweep.axes]]
key = "a"
range = [-1.0, 1.0]
[[sweep.axes]]
key = "b"
range = [-1.0, 1.0]
[[sweep.axes]]
key = "c"
range = [-1.0, 1.0]
`)
	records := outcomes(d, func(v []any) store.Outcome {
		x := func(i int) float64 { return math.Pi * v[i].(float64) }
		return metrics(map[string]float64{"f": math.Sin(x(0)) + 7*math.Pow(math.Sin(x(1)), 2) + 0.1*math.Pow(x(2), 4)*math.Sin(x(0))})
	})
	a, err := Analyse(d, store.Header{}, records)
	require.NoError(t, err)
	require.Equal(t, 4096, a.Whole)
	for i, want := range [][2]float64{{0.3139, 0.5576}, {0.4424, 0.4424}, {0, 0.2437}} {
		require.InDelta(t, want[0], a.Indices[i].First, 0.02, a.Indices[i].Axis)
		require.InDelta(t, want[1], a.Indices[i].Total, 0.02)
	}
	records[7].Outcome = store.Outcome{Problem: "no"}
	a, err = Analyse(d, store.Header{}, records)
	require.NoError(t, err)
	require.Equal(t, 4095, a.Whole, "a row with a problem is left out")
}
