package kv

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/models"
	"hwsim/sim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shapeOf returns a model preset's shape in 16 bits.
func shapeOf(t testing.TB, model string) Shape {
	t.Helper()
	var c struct {
		Model models.Model `toml:"model"`
	}
	d, err := configs.LoadTable("model", model, nil)
	require.NoError(t, err)
	require.NoError(t, d.Decode(&c))
	return ShapeOf(&c.Model, 2)
}

// row sums up an object of all layers of one sequence.
type row struct{ held, read, written float64 }

// table is what a policy keeps and moves in a step, by object, stage and memory.
func table(p *Policy, s Shape, c Context, e *Engine) map[string]row {
	rows := map[string]row{}
	for layer := range s.Layers {
		l := p.Layer(s, c, e, layer)
		for _, h := range l.Held {
			key := fmt.Sprintf("%s%s, %s", h.Object, common(h.Common), h.Tier)
			r := rows[key]
			r.held += h.Bytes
			rows[key] = r
		}
		for _, f := range l.Flows {
			key := fmt.Sprintf("%s%s, %s %s", f.Object, common(f.Common), f.Tier, f.Stage)
			r := rows[key]
			r.read, r.written = r.read+f.Read, r.written+f.Written
			rows[key] = r
		}
	}
	return rows
}

// common marks what all sequences of a batch have in common.
func common(is bool) string {
	if is {
		return " (common)"
	}
	return ""
}

func TestBytesOfAStepByObject(t *testing.T) {
	var out strings.Builder
	for _, model := range []string{"llama3-8b", "llama2-7b"} {
		s := shapeOf(t, model)
		for _, name := range configs.Presets("policies") {
			p, err := Load(name, nil)
			require.NoError(t, err)
			fmt.Fprintf(&out, "%s %s, one sequence of 4096 prompt and 64 generated tokens, MB: held, read and written in a step\n", name, model)
			rows := table(p, s, Context{Prompt: 4096, Generated: 64}, &Engine{})
			keys := make([]string, 0, len(rows))
			for key := range rows {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			for _, key := range keys {
				r := rows[key]
				fmt.Fprintf(&out, "  %-36s %12.6f %12.6f %12.6f\n", key, r.held/1e6, r.read/1e6, r.written/1e6)
			}
		}
	}
	golden := filepath.Join("testdata", "presets.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

func TestEveryEnginePresetLoads(t *testing.T) {
	for _, name := range []string{"vllm", "hf_eager", "flexgen"} {
		assert.Contains(t, configs.Presets("engines"), name)
	}
	for _, name := range configs.Presets("engines") {
		e, err := LoadEngine(name, nil)
		require.NoError(t, err)
		assert.NotEmpty(t, e.Name)
	}
}

func TestSetsAndFilesOfTheUsersOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.toml")
	require.NoError(t, os.WriteFile(file, []byte("name = \"mine\"\n[select]\nsinks = 4\nrecent = { tokens = 60 }\n"), 0o644))
	p, err := Load(file, []string{"select.sinks=8"})
	require.NoError(t, err)
	assert.EqualValues(t, 68, p.Layer(llama3, Context{Prompt: 4096}, &Engine{}, 0).Kept)
}

func TestWhatNoPolicyCanBeIsOneLineEach(t *testing.T) {
	for want, set := range map[string]string{
		"policy.select.sinks: ":              "select.sinks=-1",
		"must be 0 to 1":                     "move.hits=1.5",
		"must be hbm, ddr":                   `place.keys="tape"`,
		"unknown key":                        "select.colour=1",
		"must be one of score":               "object.a.read=1",
		"needs sinks, recent or best":        "select.dense_heads=0.5",
		"goes without ranks":                 "basis.x=true",
		"goes without key_rank":              "basis.key_share=0.5",
		"must be gpu where keys":             `execute.site="cpu"`,
		"must be positive with param_bytes":  "encode.keys.param_bytes=4",
		"must be 0 or a power of two":        "virtual.group_bytes=5000",
		"must be prompt, context or total":   `select.recent.of="all"`,
		"must be drop, average, gaussian":    `combine.rule="melt"`,
		"needs a rank or share":              "basis.factors=true",
		"must be kv, query or layer":         `object.a.heads="all"`,
		"policy.select.layers: must have":    "select.layers=[0]",
		"policy.encode.buffer: ":             "encode.buffer=-1",
		"policy.object.a.once: must be":      "object.a.once=-1",
		"policy.basis.value_share: must be ": "basis.value_share=2",
	} {
		sets := []string{set}
		if strings.HasPrefix(want, "goes without") || strings.HasPrefix(want, "must be gpu") {
			sets = append(sets, "basis.key_rank=8")
		}
		_, err := Load("00_full", sets)
		require.Error(t, err, set)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n", set)
	}
	_, err := LoadEngine("vllm", []string{"host_ns_per_layer=-1"})
	require.ErrorContains(t, err, "engine.host_ns_per_layer")
}

// random returns a policy that fetches chosen values.
func random(r *sim.Rand) *Policy {
	p := &Policy{}
	p.Select.Attend.Tokens = 1 + r.IntN(2000)
	p.Select.Attend.Chunk = 1 << r.IntN(6)
	p.Select.Attend.Beside = r.IntN(2) * r.IntN(300)
	p.Select.Every = 1 + r.IntN(4)
	p.Move.Hits = float64(r.IntN(11)) / 10
	p.Place.Values = []Tier{DDR, CXL, Peer, Network}[r.IntN(4)]
	if r.IntN(2) == 0 {
		p.Encode.Values = Coding{Bits: 4, Group: 32, ParamBytes: 4}
	}
	return p
}

// What crosses a link is chosen tokens x bytes a token x misses.
func TestLinkBytesAreCountTimesBytesTimesMisses(t *testing.T) {
	r := sim.NewRand(1)
	for range 300 {
		p, c := random(&r), Context{Prompt: 5000 + r.IntN(5000), Generated: r.IntN(100)}
		l := p.Layer(llama3, c, &Engine{}, 0)
		tokens := l.Attended - float64(p.Select.Attend.Beside)
		each := 128 * p.Encode.Values.element(2) * 8
		read, written := l.Sum(func(f *Flow) bool { return f.Stage == Fetch && f.Tier == p.Place.Values })
		want := tokens * each * (1 - p.Move.Hits) / float64(p.Select.Every)
		assert.InDelta(t, want, read, 1e-9*tokens*each)
		assert.Zero(t, written)
		_, landed := l.Sum(func(f *Flow) bool { return f.Stage == Fetch && f.Tier == HBM })
		assert.Equal(t, read, landed, "all of it lands in HBM")
	}
}

// A greater budget never keeps or moves less.
func TestMoreBudgetNeverMeansFewerBytes(t *testing.T) {
	r := sim.NewRand(2)
	for _, name := range configs.Presets("policies") {
		p, err := Load(name, nil)
		require.NoError(t, err)
		for range 30 {
			c := Context{Prompt: 1 + r.IntN(20000), Generated: 1 + r.IntN(2000)}
			layer := r.IntN(llama3.Layers)
			less := p.Layer(llama3, c, &Engine{}, layer)
			more := *p
			if more.Select.forgets() {
				more.Select.Best.Tokens += r.IntN(3000)
			}
			if more.Select.chooses() {
				more.Select.Attend.Tokens += r.IntN(3000)
			}
			after := more.Layer(llama3, c, &Engine{}, layer)
			assert.GreaterOrEqual(t, after.Kept, less.Kept, name)
			assert.GreaterOrEqual(t, after.Attended, less.Attended, name)
			attended := func(f *Flow) bool { return f.Stage == Fetch || f.Stage == Rebuild || f.Stage == AttendS }
			was, _ := less.Sum(attended)
			is, _ := after.Sum(attended)
			assert.GreaterOrEqual(t, is*(1+1e-12), was, "%s %+v", name, c)
		}
	}
}

// An engine only adds.
func TestAnEngineOnlyAdds(t *testing.T) {
	eager, err := LoadEngine("hf_eager", nil)
	require.NoError(t, err)
	for _, name := range configs.Presets("policies") {
		p, err := Load(name, nil)
		require.NoError(t, err)
		c := Context{Prompt: 4096, Generated: 64}
		plainRead, plainWritten := sum(p.Layer(llama3, c, &Engine{}, 20))
		read, written := sum(p.Layer(llama3, c, eager, 20))
		assert.GreaterOrEqual(t, read, plainRead, name)
		assert.GreaterOrEqual(t, written, plainWritten, name)
	}
}

func sum(l Layer) (read, written float64) { return l.Sum(func(*Flow) bool { return true }) }

// Objects of the stage that chooses tokens move only where and when a choice is
// made.
func TestAChoiceInCommonMovesItsObjectsOnce(t *testing.T) {
	p := &Policy{Object: map[string]Object{"scores": {Of: "context", Bytes: 4, Stage: Score, Read: 1}, "stamps": {Of: "context", Bytes: 4, Stage: Update, Read: 1}}}
	of := func(stage Stage) float64 {
		l := p.Layer(llama3, Context{Prompt: 1000}, &Engine{}, 0)
		read, _ := l.Sum(func(f *Flow) bool { return f.Stage == stage })
		return read
	}
	scores, stamps := of(Score), of(Update)
	p.Select.SharedBy, p.Select.Every = 4, 2
	assert.Equal(t, scores/8, of(Score))
	assert.Equal(t, stamps, of(Update))
}

func FuzzPolicy(f *testing.F) {
	for _, name := range configs.Presets("policies") {
		text, err := os.ReadFile(filepath.Join("..", "..", "configs", "policies", name+".toml"))
		require.NoError(f, err)
		f.Add(string(text), uint16(4096), uint16(64))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, prompt, generated uint16) {
		file := filepath.Join(dir, "fuzzed.toml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		p, err := Load(file, nil)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				require.NotEmpty(t, strings.TrimSpace(line))
			}
			return
		}
		l := p.Layer(llama3, Context{Prompt: int(prompt), Generated: int(generated)}, &Engine{JoinsCache: true, RepeatsHeads: true}, 20)
		for _, h := range l.Held {
			sound(t, h.Bytes)
		}
		for _, w := range l.Flows {
			sound(t, w.Read, w.Written, w.Run)
		}
		for _, n := range l.FLOPs {
			sound(t, n)
		}
		sound(t, l.Kept, l.Attended, l.Most)
		require.LessOrEqual(t, l.Attended, l.Kept)
	})
}

func sound(t *testing.T, numbers ...float64) {
	t.Helper()
	for _, n := range numbers {
		require.False(t, math.IsNaN(n) || math.IsInf(n, 0) || n < 0, "%g", n)
	}
}
