package flexgen

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Choices are what Search tries, in all combinations.
type Choices struct {
	Batch, Batches []int
	Step           int // of weights' and cache's shares, percent
}

// UsualChoices are the knobs of FlexGen's published policies.
func UsualChoices() Choices {
	return Choices{
		Batch:   []int{1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 160},
		Batches: []int{1, 2, 3, 4, 6, 8, 12},
		Step:    50,
	}
}

// Validate reports what cannot be tried.
func (c *Choices) Validate(report func(key, message string)) {
	if c.Step < 1 || c.Step > 100 {
		report("step", fmt.Sprintf("must be 1 to 100, is %d", c.Step))
	}
	for key, values := range map[string][]int{"batch": c.Batch, "batches": c.Batches} {
		if len(values) == 0 || slices.Min(values) < 1 {
			report(key, "must be a list of positive numbers")
		}
	}
}

// ErrNothingFits says that Search has tried all choices in vain.
var ErrNothingFits = errors.New("no policy fits")

// candidate is a policy and what an estimate gives.
type candidate struct {
	policy Policy
	tokens float64
}

// finalists are run whole.
const finalists = 8

// Search returns the policy with the most tokens a second of those that fit. Other
// knobs than choices are as in like. A cut-down model ranks the choices; the best
// are run whole.
func Search(m *Machine, s Shape, j Job, like Policy, c Choices) (Policy, Result, error) {
	var all []candidate
	c.each(like, func(p Policy) {
		need := Needs(m, s, j, &p)
		if need.fits() {
			all = append(all, candidate{p, estimate(m, s, j, &p)})
		}
	})
	if len(all) == 0 {
		return Policy{}, Result{}, ErrNothingFits
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.tokens, a.tokens) })
	var best Policy
	var result Result
	for _, a := range all[:min(finalists, len(all))] {
		if r := Run(m, s, j, &a.policy); r.TokensPerSecond > result.TokensPerSecond {
			best, result = a.policy, r
		}
	}
	return best, result, nil
}

// each calls try with all choices.
func (c *Choices) each(like Policy, try func(p Policy)) {
	for _, batch := range c.Batch {
		for _, batches := range c.Batches {
			c.shares(func(weights Shares) {
				c.shares(func(cache Shares) {
					for _, hidden := range []Shares{{GPU: 100}, {CPU: 100}} {
						p := like
						p.Batch, p.Batches, p.Weights, p.Cache, p.Hidden = batch, batches, weights, cache, hidden
						try(p)
					}
				})
			})
		}
	}
}

// shares calls try with all shares in steps.
func (c *Choices) shares(try func(s Shares)) {
	for gpu := 0; gpu <= 100; gpu += c.Step {
		for cpu := 0; cpu+gpu <= 100; cpu += c.Step {
			try(Shares{gpu, cpu})
		}
	}
}

// estimate returns a policy's tokens a second from two layers, the prefill and a
// token of mean context.
func estimate(m *Machine, s Shape, j Job, p *Policy) float64 {
	two := s
	two.Layers = 2
	r := runWith(m, two, Job{j.Prompt + (j.Output-1)/2, 2}, p, nil)
	steps := float64(j.Output - 1)
	return float64(p.Sequences()*j.Output) / (r.Prefill.Time.Seconds() + steps*r.Decode.Time.Seconds())
}
