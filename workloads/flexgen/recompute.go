package flexgen

import "hwsim/sim"

// Recompute runs a batch in lockstep with its cache on the GPU as far as it fits,
// as an engine does that drops what does not: sequences whose cache was dropped
// have their whole context computed again, by a prefill, for each of their tokens.
// Weights are on the GPU.
func Recompute(m *Machine, s Shape, j Job, batch int) (Result, Need, error) {
	one := Policy{Batch: 1, Batches: 1, GPUAttention: true, Weights: Shares{GPU: 100}, Cache: Shares{GPU: 100}, Hidden: Shares{GPU: 100}}
	need := Needs(m, s, Job{j.Prompt + j.Output, 1}, &one)
	if err := need.GPU.fit(); err != nil {
		return Result{}, need, err
	}
	whole := Policy{Batch: batch, Batches: 1, GPUAttention: true, Weights: one.Weights, Cache: one.Cache, Hidden: one.Hidden}
	r := newRun(m, s, j, &whole, nil)
	perToken := float64(s.Layers) * s.kvBytes(1)
	room := (need.GPU.Capacity-need.GPU.Used())/perToken + float64(j.Prompt+j.Output) // tokens; one sequence's are in Used
	r.result.Prefill = r.pass(func() { r.prompt(batch, j.Prompt) })
	for token := 1; token < j.Output; token++ {
		context := j.Prompt + token
		kept := min(batch, int(room)/context)
		step := r.pass(func() {
			r.prompt(batch-kept, context-1)
			r.layers(Place{Token: token})
		})
		r.result.Recomputed += float64(batch - kept)
		r.result.Decode.add(&step)
	}
	r.result.Recomputed /= float64(max(1, j.Output-1))
	r.result.TokensPerSecond = float64(batch*j.Output) / r.result.seconds()
	return r.result, need, nil
}

// pass returns a phase of the GPU's work alone.
func (r *run) pass(work func()) (p Phase) {
	r.alone, r.busy = 0, [resources]sim.Time{}
	work()
	p.Time, p.Busy, p.Kinds[Compute] = r.alone, r.busy, r.alone
	return p
}

// add adds another phase.
func (p *Phase) add(q *Phase) {
	p.grow(q.Time)
	for i := range p.Kinds {
		p.Kinds[i] += q.Kinds[i]
	}
	for i := range p.Busy {
		p.Busy[i] += q.Busy[i]
	}
}

// layers computes a token's pass through all layers.
func (r *run) layers(at Place) {
	r.repeat(func() {
		r.compute(at)
		r.compute(Place{Token: at.Token, Sublayer: 1})
	})
}

// prompt computes so many sequences' prompts of so many tokens.
func (r *run) prompt(sequences, tokens int) {
	if sequences == 0 {
		return
	}
	prefill := newRun(r.machine, r.shape, Job{Prompt: tokens}, &Policy{Batch: sequences, Batches: 1}, nil)
	prefill.layers(Place{})
	r.alone += prefill.alone
	for i, t := range prefill.busy {
		r.busy[i] += t
	}
}

// repeat adds a layer's work as often as there are layers.
func (r *run) repeat(layer func()) {
	alone, busy := r.alone, r.busy
	layer()
	n := sim.Time(r.shape.Layers)
	r.alone = alone + n*(r.alone-alone)
	for i, before := range busy {
		r.busy[i] = before + n*(r.busy[i]-before)
	}
}
