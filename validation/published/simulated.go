package published

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"hwsim/configs"
	"hwsim/workloads"
)

// scenario is a decode step on an A100: presets and overrides.
type scenario []string

// with returns the scenario with more overrides.
func (s scenario) with(more ...string) scenario { return append(slices.Clone(s), more...) }

// The steps that papers took. Contexts are what a step sees on average.
var (
	llama3 = scenario{"model.use=llama3-8b"}
	dense  = func(batch, thousands int) scenario {
		return llama3.with(fmt.Sprintf("workload.batch=%d", batch), fmt.Sprintf("workload.context=%d", thousands*1024))
	}
	shadow = func(batch, thousands, tokens int) scenario {
		return dense(batch, thousands).with("policy.use=31_shadowkv", "policy.select.attend.share=0", fmt.Sprintf("policy.select.attend.tokens=%d", tokens))
	}
	logged = func(model string, batch, prompt, generated int) scenario {
		return scenario{"model.use=" + model, "engine.use=flexgen", fmt.Sprintf("workload.batch=%d", batch),
			fmt.Sprintf("workload.context=%d", prompt+generated/2), fmt.Sprintf("workload.generated=%d", generated/2), fmt.Sprintf("workload.limit=%d", prompt+generated)}
	}
	keepsHeavy = "policy.use=29_h2o"
	lwm        = scenario{"model.use=llama2-7b", "engine.use=hf_eager", "workload.batch=2", "workload.generated=256"}
	long       = scenario{"model.use=llama3.1-8b", "engine.use=hf_eager", "workload.batch=1", "workload.context=131072"}
)

// figure is a published figure of one step, or of two.
type figure struct {
	Row
	step scenario
	over scenario // whose figure step's is divided by; nil: none
	of   func(r *workloads.Result) float64

	lacks string // what is missing if it falls short
}

func tokensPerSecond(r *workloads.Result) float64 { return r.TokensPerSecond }
func milliseconds(r *workloads.Result) float64    { return r.StepNs / 1e6 }

// perLayer returns what a layer's kernels of some classes take, in ms.
func perLayer(classes ...string) func(r *workloads.Result) float64 {
	return func(r *workloads.Result) float64 {
		const layers = 32
		sum := 0.0
		for _, k := range r.Kernels {
			if slices.Contains(classes, k.Class) {
				sum += k.Ns
			}
		}
		return sum / layers / 1e6
	}
}

// lacks says what is missing where figures of a target fall short.
var lacks = map[string]string{
	"V2":  "ShadowKV's own kernels: theirs reach less of memory and link than those of the profile, which were measured on another GPU",
	"V3":  "what H2O's host does to scores and slots in eager PyTorch, one kernel an operation; one rate for the attention of all batches",
	"V9":  "HuggingFace's own attention and its launches, which the published 100 and 40 ms a token have",
	"V11": "HuggingFace's own attention and its launches",
}

// figures are all that are simulated.
func figures() []figure {
	var out []figure
	add := func(id, what string, published, tolerance float64, source string, step, over scenario, of func(*workloads.Result) float64) {
		missing := lacks[id]
		if strings.HasPrefix(what, "dense") {
			missing = "the framework's time between kernels, 4 ms a step by the slope of the paper's own figures"
		}
		out = append(out, figure{Row{ID: id, What: what, Published: published, Tolerance: tolerance, Source: source}, step, over, of, missing})
	}
	const tables = "ShadowKV, tables 3 and 4"
	for _, r := range []struct {
		thousands, batch, many, tokens int
		dense, shadow                  float64
	}{{60, 8, 48, 1024, 160.62, 455.14}, {122, 4, 24, 2048, 80.77, 239.51}, {244, 2, 12, 4096, 40.37, 119.01}} {
		add("V2", fmt.Sprintf("dense, %d K, batch %d, tokens/s", r.thousands, r.batch), r.dense, 0.05, tables, dense(r.batch, r.thousands), nil, tokensPerSecond)
		add("V2", fmt.Sprintf("ShadowKV, %d K, batch %d, tokens/s", r.thousands, r.many), r.shadow, 0.1, tables, shadow(r.many, r.thousands, r.tokens), nil, tokensPerSecond)
	}
	for _, r := range []struct {
		batch, thousands, tokens          int
		landmarks, top, fetch, attend, ff float64
	}{{48, 64, 1024, 0.56, 0.21, 1.84, 0.23, 0.33}, {24, 128, 2048, 0.58, 0.22, 1.66, 0.21, 0.29}, {12, 256, 4096, 0.65, 0.23, 1.75, 0.19, 0.25}} {
		step := shadow(r.batch, r.thousands, r.tokens)
		part := func(what string, published float64, classes ...string) {
			add("V2", fmt.Sprintf("ShadowKV, %d K, batch %d: %s of a layer, ms", r.thousands, r.batch, what), published, 0.1, "ShadowKV, table 12 and on", step, nil, perLayer(classes...))
		}
		part("landmarks and softmax", r.landmarks, "score landmarks", "score scores")
		part("choice", r.top, "top")
		part("fetching, keys beside it", r.fetch, "fetch and rebuild")
		part("attention", r.attend, "attention", "attention_reduce")
		part("MLP", r.ff, "up", "down", "activation", "norm")
	}
	const logs = "H2O, logs of the repository (A100, FlexGen)"
	for _, r := range []struct {
		model                    string
		batch, prompt, generated int
		full, h2o                float64 // s
	}{{"opt-6.7b", 24, 2048, 2048, 94.936, 49.366}, {"opt-6.7b", 64, 2048, 2048, 0, 101.857}, {"opt-13b", 4, 5000, 5000, 209.101, 150.809}, {"opt-30b", 1, 7000, 1024, 53.113, 46.952}} {
		step := logged(r.model, r.batch, r.prompt, r.generated)
		ms := 1e3 / float64(r.generated-1)
		if r.full > 0 {
			add("V3", fmt.Sprintf("%s, batch %d, all of the cache, ms a step", r.model, r.batch), r.full*ms, 0.1, logs, step, nil, milliseconds)
		}
		share := "0.1"
		if r.model == "opt-30b" {
			share = "0.11"
		}
		kept := step.with(keepsHeavy, "policy.select.best.share="+share, "policy.select.recent.share="+share)
		if r.model == "opt-30b" {
			kept = kept.with("policy.select.best.of=prompt", "policy.select.recent.of=prompt")
		}
		add("V3", fmt.Sprintf("%s, batch %d, H2O, ms a step", r.model, r.batch), r.h2o*ms, 0.1, logs, kept, nil, milliseconds)
	}
	add("V9", "SnapKV, 16 K, batch 2, HuggingFace, times faster", 3.6, 0.2, "SnapKV, section 5", lwm.with("workload.context=16640"), lwm.with("workload.context=16640", "policy.use=48_snapkv"), milliseconds)
	add("V11", "CAKE, 128 K, HuggingFace, times faster", 10, 0.25, "CAKE, abstract", long, long.with("policy.use=09_cake"), milliseconds)
	add("V11", "CAKE, 128 K, a framework without copies, times faster", 2.1, 0.25, "derived: roofline", scenario{"model.use=llama3.1-8b", "workload.batch=1", "workload.context=131072"},
		scenario{"model.use=llama3.1-8b", "workload.batch=1", "workload.context=131072", "policy.use=09_cake"}, milliseconds)
	return out
}

// tolerance is the sampling's; it is well below those of the figures.
const tolerance = "sampling.tolerance=0.02"

// Simulated returns the figures that need simulation; it takes minutes.
func Simulated(ctx context.Context) ([]Row, error) {
	all := figures()
	var steps []scenario
	index := map[string]int{}
	for _, f := range all {
		for _, s := range []scenario{f.step, f.over} {
			if key := strings.Join(s, " "); s != nil && index[key] == 0 {
				steps = append(steps, s)
				index[key] = len(steps)
			}
		}
	}
	results, err := simulate(ctx, steps)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, f := range all {
		f.Ours = f.of(results[index[strings.Join(f.step, " ")]-1])
		if f.over != nil {
			f.Ours /= f.of(results[index[strings.Join(f.over, " ")]-1])
		}
		if !f.Pass() {
			f.Missing = f.lacks
		}
		rows = append(rows, f.Row)
	}
	return rows, nil
}

// simulate runs the steps, as many at once as there are processors.
func simulate(ctx context.Context, steps []scenario) ([]*workloads.Result, error) {
	results, errs := make([]*workloads.Result, len(steps)), make([]error, len(steps))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i, s := range steps {
		free <- struct{}{}
		all.Go(func() {
			results[i], errs[i] = s.run(ctx)
			<-free
		})
	}
	all.Wait()
	return results, errors.Join(errs...)
}

// run simulates the step.
func (s scenario) run(ctx context.Context) (*workloads.Result, error) {
	d, err := configs.Load("a100", s.with(tolerance))
	if err != nil {
		return nil, fmt.Errorf("published figures: %w", err)
	}
	var c workloads.Config
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("published figures: %w", err)
	}
	r, err := workloads.Run(ctx, &c, workloads.Options{Seed: 1, Fidelity: "sampled", Name: "a100", Hash: d.Hash(), Workers: 1})
	if err != nil {
		return nil, fmt.Errorf("published figures: %s: %w", strings.Join(s, " "), err)
	}
	return r, nil
}
