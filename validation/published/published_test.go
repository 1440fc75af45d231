package published

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads/kv"
)

// short are the figures that fall short, all of them: one that passes leaves
// the list, and one that joins it is a change to explain.
var short = []string{
	"Yi-34B: 250 tokens after 50 K, s",
	"MiniCache: in 4 bits, times less",
	"MiniCache: in 16 bits, times less",
}

func TestAllButTheKnownFiguresPass(t *testing.T) {
	rows, err := ClosedForms()
	require.NoError(t, err)
	var names []string
	for _, r := range Short(rows) {
		names = append(names, r.What)
		assert.NotEmpty(t, r.Missing, r.What)
	}
	assert.Equal(t, short, names)
}

func TestEveryRowSaysWhatItIsOf(t *testing.T) {
	rows, err := ClosedForms()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range rows {
		assert.False(t, seen[r.What], "%s twice", r.What)
		seen[r.What] = true
		assert.NotEmpty(t, r.ID)
		assert.NotEmpty(t, r.Source, r.What)
		assert.Positive(t, r.Ours, r.What)
		assert.True(t, r.Judged() || r.Missing != "", "%s is shown and not judged, without a reason", r.What)
	}
}

func TestABoundMayBeExceeded(t *testing.T) {
	for _, test := range []struct {
		row     Row
		verdict string
	}{
		{Row{Published: 10, Ours: 10.4, Tolerance: 0.05}, "ok"},
		{Row{Published: 10, Ours: 10.6, Tolerance: 0.05}, "short"},
		{Row{Published: 10, Ours: 9.4, Tolerance: 0.05}, "short"},
		{Row{Published: 10, Ours: 20, Tolerance: 0.05, AtLeast: true}, "ok"},
		{Row{Published: 10, Ours: 9.4, Tolerance: 0.05, AtLeast: true}, "short"},
		{Row{Published: 10, Ours: 1}, "shown"},
	} {
		assert.Equal(t, test.verdict, test.row.verdict(), "%+v", test.row)
	}
}

func TestTableHasEveryRowAndWhatIsMissing(t *testing.T) {
	var out strings.Builder
	require.NoError(t, Table(&out, []Row{
		{ID: "V1", What: "bytes", Published: 2, Ours: 2.02, Tolerance: 0.02, Source: "a paper"},
		{ID: "V2", What: "rate", Published: 4, Ours: 2, Tolerance: 0.02, Source: "another", Missing: "a link"},
		{ID: "V3", What: "more", Published: 4, Ours: 2, AtLeast: true, Source: "a third"},
	}))
	assert.Equal(t, `target  figure  published  ours  difference  tolerance         source
V1      bytes   2          2.02  +1.00 %     2 %        ok     a paper
V2      rate    4          2     -50.00 %    2 %        short  another
V3      more    > 4        2     -50.00 %    -          shown  a third
1 of 2 within their tolerance
V2, rate: a link
`, out.String())
	require.ErrorIs(t, Table(broken{}, []Row{{}}), errBroken)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// The published closed form is the sum over a generation's steps, less what a
// sum of whole numbers has beyond an integral: a share of 1/T at most.
func TestTheCostModelIsTheSumOfItsSteps(t *testing.T) {
	b := &book{}
	m, p := b.model("qwen3-8b"), b.policy("37_kinetics")
	require.Empty(t, b.errs)
	of := trials{prompt: 512, generated: 2048, n: 1, block: 16, topk: 64}
	sum := 0.0
	for step := range of.generated {
		l := p.Layer(m.Shape, kv.Context{Prompt: of.prompt, Generated: step + 1}, &kv.Engine{}, 0)
		read, _ := l.Sum(func(f *kv.Flow) bool { return f.Stage == kv.AttendS || f.Stage == kv.Score })
		sum += read * float64(m.Shape.Layers)
	}
	assert.InEpsilon(t, comparator(m, 0, of).memory, sum, 1.0/2048)
}

func TestWorkloadPresetsAreWorkloads(t *testing.T) {
	for _, name := range configs.Presets("workloads") {
		b := &book{}
		w := b.workload(name)
		require.Empty(t, b.errs, name)
		assert.Positive(t, w.Batch, name)
		assert.Positive(t, w.Context, name)
	}
}
