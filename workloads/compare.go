package workloads

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"

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

// Compare runs the configurations, which differ in their policies, several at a
// time, put together of windows where they are sampled: what is the same in all of
// them is simulated once. What does not fit, or cannot run here, is told in its row.
// Rows that an interruption leaves unknown are left out.
func Compare(ctx context.Context, policies []Compared, o Options) (*Comparison, error) {
	c := &comparing{ctx: ctx, options: o, out: &Comparison{Schema: schema, Name: o.Name, Seed: o.Seed, Fidelity: o.Fidelity, Complete: true}}
	c.options.Workers = 1 // a policy each
	c.options.Windows = &Windows{}
	steps := make([]*compared, len(policies))
	c.each(len(policies), func(i int) { steps[i] = c.run(policies[i]) })
	for _, s := range steps {
		if err := c.add(s); err != nil {
			return c.out, err
		}
	}
	if len(c.out.Rows) == 0 {
		return c.out, errNothing
	}
	return c.out, nil
}

// comparing is a comparison under way.
type comparing struct {
	ctx     context.Context
	options Options
	out     *Comparison
}

// each calls do for each number below n, as many at a time as there are
// processors.
func (c *comparing) each(n int, do func(i int)) {
	var wait sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		free <- struct{}{}
		wait.Go(func() {
			do(i)
			<-free
		})
	}
	wait.Wait()
}

// compared is a policy's step.
type compared struct {
	Compared
	row    ComparisonRow
	result *Result
	err    error
}

// run finds out what fits and how long the step takes.
func (c *comparing) run(p Compared) *compared {
	s := &compared{Compared: p, row: ComparisonRow{Policy: p.Policy}, err: p.Err}
	if s.err != nil {
		return s
	}
	s.row.Name = s.Config.Policy.Name
	s.row.MaxBatch = mostSequences(s.Config, c.options.Seed)
	s.result, s.err = Run(c.ctx, s.Config, c.options)
	return s
}

// add appends a policy's row.
func (c *comparing) add(s *compared) error {
	var full *hierarchy.CapacityError
	switch {
	case s.err == nil && !s.result.Complete, s.err != nil && c.ctx.Err() != nil:
		c.out.Complete = false
		return nil
	case s.Err != nil, errors.As(s.err, &full), isUser(s.err):
		s.row.Problem = strings.ReplaceAll(s.err.Error(), "\n", "; ")
		c.out.Rows = append(c.out.Rows, s.row)
		return nil
	case s.err != nil:
		return s.err
	}
	res := s.result
	c.out.System, c.out.Model, c.out.Batch, c.out.Context = res.System, res.Model, res.Batch, res.Context
	s.row.fill(res)
	s.row.AtCapacity = c.atCapacity(s.Config, &s.row)
	c.out.Rows = append(c.out.Rows, s.row)
	return nil
}

// isUser reports whether an error is the configuration's.
func isUser(err error) bool {
	var u interface{ UserError() bool }
	return errors.As(err, &u) && u.UserError()
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
func mostSequences(c *Config, seed uint64) int {
	if len(c.Workload.Contexts) > 0 {
		return 0
	}
	system, err := hierarchy.Outline(&c.System)
	if err != nil {
		return 0
	}
	fits := func(batch int) bool {
		with := *c
		with.Workload.Batch = batch
		system.Space = system.Space.Empty() // the address space is all that is asked
		_, err := newDecode(&with, system, seed)
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
func (c *comparing) atCapacity(config *Config, row *ComparisonRow) float64 {
	if row.MaxBatch == 0 || row.RooflineNs == 0 {
		return 0
	}
	with := *config
	with.Workload.Batch = row.MaxBatch
	r, err := outline(&with, c.options)
	if err != nil {
		return 0
	}
	return r.decode.tokens() / (r.roof.Ns * math.Max(1, row.StepNs/row.RooflineNs)) * 1e9
}
