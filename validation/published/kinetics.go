package published

import (
	"fmt"

	"hwsim/workloads/kv"
)

// trials is a question of Kinetics' cost model: best of so many answers.
type trials struct {
	prompt, generated, n int
	local, block, topk   int // tokens kept near, of a block, blocks chosen; block 0: dense
}

// cost is in FLOP and bytes of keys and values for all trials and layers.
type cost struct{ compute, memory float64 }

// comparator is the published cost model, less its last factors: FLOP for each
// byte and 1e-12 (Infini-AI-Lab/Kinetics@e776559, cost_model/utils.py). Trials
// share the prompt's cache, but for what block top-k attends to.
func comparator(m *subject, params float64, t trials) cost {
	P, T, n := float64(t.prompt), float64(t.generated), float64(t.n)
	layers := float64(m.Shape.Layers)
	h, H := float64(m.Shape.KVHeads)*float64(m.Shape.KeyDim)*layers, float64(m.Shape.KVHeads*m.Shape.Group)*float64(m.Shape.KeyDim)*layers
	if t.block == 0 {
		return cost{(2*params*T + 2*(2*P+T)*T*H) * n, 2 * (2*P + T*n) * T * h}
	}
	budget := float64(t.local + t.block*t.topk)
	few := max(0, budget-P) // tokens until the context fills the budget
	tokens := budget*T - few*few/2
	search := func(trials float64) float64 { return (2*P + T*trials) / float64(t.block) * T }
	return cost{(2*params*T + 4*tokens*H + search(1)*H) * n, 4*tokens*h*n + search(n)*h}
}

// ours is the same from a policy's flows, which are linear in the context
// between its ends and where it fills the budget: each part's mean is that of
// its middle.
func ours(p *kv.Policy, m *subject, params float64, t trials) cost {
	full := min(t.generated, max(0, t.local+t.block*t.topk-t.prompt))
	total := cost{compute: 2 * params * float64(t.generated*t.n)}
	for _, part := range [][2]int{{0, full}, {full, t.generated}} {
		steps := float64(part[1] - part[0])
		l := p.Layer(m.Shape, kv.Context{Prompt: t.prompt, Generated: (part[0] + part[1]) / 2}, &kv.Engine{}, 0)
		each := l.FLOPs[kv.AttendS] + l.FLOPs[kv.Score]
		total.compute += each * steps * float64(t.n*m.Shape.Layers)
		total.memory += (shared(p, m, t, (part[0]+part[1])/2, kv.Score) + attended(p, m, t, &l, (part[0]+part[1])/2)) * steps * float64(m.Shape.Layers)
	}
	return total
}

// attended returns the bytes that all trials' attention reads of a layer.
func attended(p *kv.Policy, m *subject, t trials, l *kv.Layer, generated int) float64 {
	if t.block == 0 {
		return shared(p, m, t, generated, kv.AttendS)
	}
	read, _ := l.Sum(func(f *kv.Flow) bool { return f.Stage == kv.AttendS })
	return float64(t.n) * read
}

// shared returns the bytes that a stage reads of a layer for all trials, once
// of the prompt.
func shared(p *kv.Policy, m *subject, t trials, generated int, stage kv.Stage) float64 {
	of := func(c kv.Context) float64 {
		l := p.Layer(m.Shape, c, &kv.Engine{}, 0)
		read, _ := l.Sum(func(f *kv.Flow) bool { return f.Stage == stage })
		return read
	}
	return of(kv.Context{Prompt: t.prompt}) + float64(t.n)*of(kv.Context{Generated: generated})
}

// kinetics is V15: the cost model of best-of-n, for Qwen3-8B.
func kinetics(b *book) {
	const params, exact = 8.19e9, 1e-9 // the code's parameters
	m := b.model("qwen3-8b")
	for _, t := range []trials{
		{prompt: 256, generated: 32768, n: 1},
		{prompt: 4096, generated: 16384, n: 8},
		{prompt: 4096, generated: 32768, n: 1, block: 16, topk: 64},
		{prompt: 256, generated: 32768, n: 32, block: 16, topk: 64},
		{prompt: 512, generated: 8192, n: 4, block: 16, topk: 64, local: 128},
	} {
		name, what := "00_full", "dense"
		var sets []string
		if t.block > 0 {
			name, what = "37_kinetics", fmt.Sprintf("%d blocks and %d tokens", t.topk, t.local)
			sets = []string{fmt.Sprintf("select.attend.tokens=%d", t.block*t.topk), fmt.Sprintf("select.attend.beside=%d", t.local)}
		}
		want, got := comparator(m, params, t), ours(b.policy(name, sets...), m, params, t)
		of := fmt.Sprintf("Kinetics: %s, %d + %d tokens, %d trials, ", what, t.prompt, t.generated, t.n)
		const source = "arXiv 2506.05333, the repository's functions"
		b.add(Row{ID: "V15", What: of + "PFLOP", Published: want.compute / 1e15, Ours: got.compute / 1e15, Tolerance: exact, Source: source})
		b.add(Row{ID: "V15", What: of + "TB", Published: want.memory / 1e12, Ours: got.memory / 1e12, Tolerance: exact, Source: source})
	}
}
