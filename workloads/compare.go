package workloads

import (
	"context"
	"errors"
	"math"

	"hwsim/hierarchy"
)

// Comparison is one workload on one machine under several KV policies.
type Comparison struct {
	Schema   int             `json:"schema"`
	Name     string          `json:"name"` // of the configuration
	System   string          `json:"system"`
	Model    string          `json:"model"`
	Batch    int             `json:"batch"`
	Context  int             `json:"context"`
	Fidelity string          `json:"fidelity"`
	Seed     uint64          `json:"seed"`
	Complete bool            `json:"complete"`
	Rows     []ComparisonRow `json:"rows"`
}

// ComparisonRow is what one policy comes to. Times are in ns.
type ComparisonRow struct {
	Policy  string `json:"policy"`            // as it was asked for
	Name    string `json:"name,omitempty"`    // as it calls itself
	Problem string `json:"problem,omitempty"` // why it does not run; then only MaxBatch is known, if anything

	StepNs          float64 `json:"step_ns"`
	Bound           float64 `json:"bound"` // half-width of the sampling error, relative
	RooflineNs      float64 `json:"roofline_ns"`
	ExposedNs       float64 `json:"exposed_ns"` // waiting for copies
	TokensPerSecond float64 `json:"tokens_per_s"`
	MaxBatch        int     `json:"max_batch"`         // sequences that fit; 0: not known
	AtCapacity      float64 `json:"tokens_per_s_full"` // estimate: the roofline of that batch, as far off as at this one
	Kept            float64 `json:"kept_tokens"`
	Attended        float64 `json:"attended_tokens"`

	Tiers         []TierUse `json:"tiers"`
	LinkBytes     uint64    `json:"link_bytes"`    // payload of a step over links
	Amplification float64   `json:"amplification"` // of far memory: bytes it read over bytes the policy wants from it; 0: none
}

// TierUse is what lies in a tier.
type TierUse struct {
	Tier string `json:"tier"`
	Used uint64 `json:"used_bytes"`
}

// Compared is a policy's configuration, or why there is none.
type Compared struct {
	Policy string
	Config *Config
	Err    error // the configuration's
}

// Compare runs the configurations, which differ in their policies. What is the
// same in all of them, the step without attention, is simulated once where
// nothing is copied in beside it.
func Compare(ctx context.Context, policies []Compared, o Options) (*Comparison, error) {
	c := &comparing{ctx: ctx, options: o, out: &Comparison{Schema: schema, Name: o.Name, Seed: o.Seed, Fidelity: o.Fidelity, Complete: true}}
	for _, p := range policies {
		row, err := c.row(p)
		if err != nil {
			return c.out, err
		}
		c.out.Rows = append(c.out.Rows, row)
		if !c.out.Complete {
			break
		}
	}
	return c.out, nil
}

// comparing is a comparison under way.
type comparing struct {
	ctx     context.Context
	options Options
	out     *Comparison
	rest    *Result // the step without attention
}

// row runs one policy. What does not fit, or cannot run here, is told in the
// row.
func (c *comparing) row(p Compared) (ComparisonRow, error) {
	row := ComparisonRow{Policy: p.Policy}
	if p.Err != nil {
		row.Problem = p.Err.Error()
		return row, nil
	}
	row.Name = p.Config.Policy.Name
	row.MaxBatch = mostSequences(p.Config, c.options)
	res, err := c.step(p.Config)
	var full *hierarchy.CapacityError
	switch {
	case errors.As(err, &full), isUser(err):
		row.Problem = err.Error()
		return row, nil
	case err != nil:
		c.out.Complete = false
		return row, err
	}
	c.out.Complete = res.Complete
	c.out.System, c.out.Model, c.out.Batch, c.out.Context = res.System, res.Model, res.Batch, res.Context
	row.fill(res)
	row.AtCapacity = c.atCapacity(p.Config, row)
	return row, nil
}

// isUser reports whether an error is the configuration's.
func isUser(err error) bool {
	var u interface{ UserError() bool }
	return errors.As(err, &u) && u.UserError()
}

// step returns a whole step, or its two parts added up.
func (c *comparing) step(config *Config) (*Result, error) {
	r, err := newRun(config, c.options)
	if err != nil {
		return nil, err
	}
	if c.options.Fidelity != "sampled" || config.Model.MLA != nil || r.decode.copies() {
		return Run(c.ctx, config, c.options)
	}
	if c.rest == nil {
		if c.rest, err = runPart(c.ctx, config, c.options, restPart); err != nil || !c.rest.Complete {
			return c.rest, err
		}
	}
	res, err := runPart(c.ctx, config, c.options, attentionPart)
	if err != nil || !res.Complete {
		return res, err
	}
	return res.plus(c.rest), nil
}

// copies reports whether any layer's data are copied in while others compute.
func (d *decode) copies() bool {
	for n := range d.model.Layers {
		if d.fetches(n) {
			return true
		}
	}
	return false
}

// plus returns a step of both parts, as far as a comparison wants it.
func (r *Result) plus(rest *Result) *Result {
	sum := *r
	sum.StepNs += rest.StepNs
	sum.Bound = (r.Bound*r.StepNs + rest.Bound*rest.StepNs) / sum.StepNs
	sum.RooflineNs += rest.RooflineNs
	sum.TokensPerSecond = r.TokensPerSecond * r.StepNs / sum.StepNs
	return &sum
}

func (row *ComparisonRow) fill(r *Result) {
	row.StepNs, row.Bound, row.RooflineNs, row.ExposedNs, row.TokensPerSecond = r.StepNs, r.Bound, r.RooflineNs, r.ExposedNs, r.TokensPerSecond
	row.Kept, row.Attended = float64(r.Context), float64(r.Context)
	if r.Policy != nil {
		row.Kept, row.Attended = r.Policy.Kept, r.Policy.Attended
	}
	far := uint64(0)
	for _, t := range r.Tiers {
		row.Tiers = append(row.Tiers, TierUse{t.Tier, t.Used})
		if t.Tier != hierarchy.HBM.String() {
			far += t.Read
		}
	}
	if len(r.Tiers) == 0 { // nothing was simulated
		for _, o := range r.Objects {
			row.add(o.Tier, o.Bytes)
		}
	}
	for _, l := range r.Links {
		row.LinkBytes += l.Bytes
	}
	row.LinkBytes = max(row.LinkBytes, r.TransferBytes)
	if r.Policy != nil && r.Policy.LinkBytes > 0 && far > 0 {
		row.Amplification = float64(far) / r.Policy.LinkBytes
	}
}

func (row *ComparisonRow) add(tier string, bytes uint64) {
	for i := range row.Tiers {
		if row.Tiers[i].Tier == tier {
			row.Tiers[i].Used += bytes
			return
		}
	}
	row.Tiers = append(row.Tiers, TierUse{tier, bytes})
}

// mostBatch bounds the search for the batch that fits.
const mostBatch = 1 << 16

// mostSequences returns the largest batch that fits the machine, 0 if none does
// or the sequences' lengths are given one by one.
func mostSequences(c *Config, o Options) int {
	if len(c.Workload.Contexts) > 0 {
		return 0
	}
	fits := func(batch int) bool {
		with := *c
		with.Workload.Batch = batch
		_, err := newRun(&with, o)
		return err == nil
	}
	low, high := 0, 1
	for high <= mostBatch && fits(high) {
		low, high = high, 2*high
	}
	for low+1 < high {
		if mid := (low + high) / 2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// atCapacity estimates the rate of the largest batch.
func (c *comparing) atCapacity(config *Config, row ComparisonRow) float64 {
	if row.MaxBatch == 0 || row.RooflineNs == 0 {
		return 0
	}
	with := *config
	with.Workload.Batch = row.MaxBatch
	r, err := newRun(&with, c.options)
	if err != nil {
		return 0
	}
	roof := r.decode.roofline()
	return r.decode.tokens() / (roof.Ns * math.Max(1, row.StepNs/row.RooflineNs)) * 1e9
}
