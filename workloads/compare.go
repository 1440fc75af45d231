package workloads

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
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
// time. What is the same in all of them, the step without attention, is
// simulated once where nothing is copied in beside it. What does not fit, or
// cannot run here, is told in its row. Rows that an interruption leaves unknown
// are left out.
func Compare(ctx context.Context, policies []Compared, o Options) (*Comparison, error) {
	c := &comparing{ctx: ctx, options: o, out: &Comparison{Schema: schema, Name: o.Name, Seed: o.Seed, Fidelity: o.Fidelity, Complete: true}}
	c.options.Workers = 1 // a policy each
	steps := make([]*compared, len(policies))
	c.each(len(policies), func(i int) { steps[i] = c.prepare(policies[i]) })
	if first := slices.IndexFunc(steps, func(s *compared) bool { return s.way == inParts }); first >= 0 {
		steps = append(steps, &compared{config: steps[first].config, way: theRest})
	}
	c.each(len(steps), func(i int) { c.run(steps[(i+len(steps)-1)%len(steps)]) }) // first what all share
	rest := steps[len(steps)-1].result
	for _, s := range steps[:len(policies)] {
		if err := c.add(s, rest); err != nil {
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

// way is how a policy's step is found.
type way uint8

const (
	known    way = iota // by its roofline, or not at all
	inWhole             // all of it is simulated
	inParts             // attention is simulated, and added to the rest
	inCopies            // copies are simulated, beside kernels at their roofline
	theRest             // of a step in parts
)

// compared is a policy's step.
type compared struct {
	Compared
	config *Config
	way    way
	row    ComparisonRow
	result *Result
	err    error
}

// prepare finds out what fits and how the step is to be simulated.
func (c *comparing) prepare(p Compared) *compared {
	s := &compared{Compared: p, config: p.Config, row: ComparisonRow{Policy: p.Policy}, err: p.Err}
	if s.err != nil {
		return s
	}
	s.row.Name = s.config.Policy.Name
	s.row.MaxBatch = mostSequences(s.config, c.options.Seed)
	s.config.Sampling = s.config.Sampling.withDefaults()
	r, err := newRun(s.config, c.options)
	if err != nil {
		s.err = err
		return s
	}
	switch roof := r.decode.roofline(); {
	case c.options.Fidelity == "analytic":
		s.result, s.err = r.analytic(roof)
	case c.options.Fidelity != "sampled" || s.config.Model.MLA != nil:
		s.way = inWhole
	case !r.decode.copies():
		s.way = inParts
	case roof.KernelNs < hidden*roof.Ns && s.config.Sampling.Tolerance >= coarse:
		s.way = inCopies
	default:
		s.way = inWhole
	}
	return s
}

// hidden is the kernels' part of a roofline below which copies hide them even if
// they take twice as long, coarse the least tolerance at which they are then not
// simulated.
const (
	hidden = 0.25
	coarse = 0.03
)

// run simulates a step, unless it is known.
func (c *comparing) run(s *compared) {
	if s.way == known {
		return
	}
	part := map[way]part{inWhole: wholeStep, inParts: attentionPart, inCopies: copiesPart, theRest: restPart}[s.way]
	s.result, s.err = runPart(c.ctx, s.config, c.options, part)
}

// add appends a policy's row. The rest is a part of those steps that were
// simulated in parts.
func (c *comparing) add(s *compared, rest *Result) error {
	cut := s.err == nil && !s.result.Complete || s.way == inParts && (rest == nil || !rest.Complete)
	var full *hierarchy.CapacityError
	switch {
	case cut, s.err != nil && c.ctx.Err() != nil:
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
	if s.way == inParts {
		res = res.plus(rest)
	}
	c.out.System, c.out.Model, c.out.Batch, c.out.Context = res.System, res.Model, res.Batch, res.Context
	s.row.fill(res)
	s.row.AtCapacity = c.atCapacity(s.config, &s.row)
	c.out.Rows = append(c.out.Rows, s.row)
	return nil
}

// isUser reports whether an error is the configuration's.
func isUser(err error) bool {
	var u interface{ UserError() bool }
	return errors.As(err, &u) && u.UserError()
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
	sum.ExposedNs += rest.ExposedNs
	sum.Links = slices.Clone(r.Links)
	for i := range rest.Links {
		sum.Links[i].Bytes += rest.Links[i].Bytes
	}
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
func mostSequences(c *Config, seed uint64) int {
	if len(c.Workload.Contexts) > 0 {
		return 0
	}
	system, err := hierarchy.Build(&c.System)
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
	r, err := newRun(&with, c.options)
	if err != nil {
		return 0
	}
	roof := r.decode.roofline()
	return r.decode.tokens() / (roof.Ns * math.Max(1, row.StepNs/row.RooflineNs)) * 1e9
}
