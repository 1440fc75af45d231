package workloads

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"hwsim/hierarchy"
	"hwsim/workloads/graph"
	"hwsim/workloads/kv"
)

// Windows puts sampled steps together of windows: parts of a step that hardly feel
// each other, each a simulation of its own, of a configuration stripped of what the
// part does not feel. Steps whose stripped configurations are equal share the window.
// The zero value is ready; several goroutines can use one.
type Windows struct {
	Memo WindowMemo // of other processes; nil: none

	mu      sync.Mutex
	flights map[string]*flight // by key
	stats   WindowStats
}

// A WindowMemo keeps windows, as JSON, by their key.
type WindowMemo interface {
	Get(key string, window any) bool
	Put(key string, window any) error
}

// WindowStats says where windows came from.
type WindowStats struct {
	Simulated int
	Shared    int // with another step, of this process
	Memoised  int // by an earlier or another process
}

// flight is a window, there or on its way.
type flight struct {
	done   chan struct{} // closed when it is known
	window *graph.Totals
	err    error
}

// Stats returns where windows have come from so far.
func (w *Windows) Stats() WindowStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// hidden is the kernels' part of a roofline below which copies hide them even if
// they take twice as long, coarse the least tolerance at which they are then not
// simulated.
const (
	hidden = 0.25
	coarse = 0.03
)

// run is Run of a step that is put together.
func (w *Windows) run(ctx context.Context, c *Config, o Options) (*Result, error) {
	r, err := outline(c, o)
	if err != nil {
		return nil, err
	}
	parts := r.parts()
	var sum *graph.Totals
	for _, p := range parts {
		t, err := w.find(ctx, r.decode.strip(p), o, p)
		switch {
		case err != nil:
			return nil, err
		case sum == nil:
			sum = t
		default:
			sum.Add(t)
		}
	}
	switch {
	case len(parts) > 1:
		sum.ErrorNs += r.apart(sum)
	case parts[0] == copiesPart:
		r.addKernels(sum)
	}
	return r.account(sum)
}

// addKernels adds what kernels that only waited must read and compute, as the
// roofline has it.
func (r *run) addKernels(t *graph.Totals) {
	bytes := r.roof.Moves[hierarchy.HBM]
	t.FLOPs = r.roof.FLOPs
	t.Machine.AddReads(hierarchy.HBM, bytes, r.system.RowBits(hierarchy.HBM))
	t.Classes = append(t.Classes, graph.Class{Name: "kernels", Read: bytes})
}

// apart is by how much layers' kernels may differ for being simulated apart, in ns:
// as much as layers differ from each other, at least.
func (r *run) apart(t *graph.Totals) float64 {
	return 2 * graph.LeastScatter(r.system) * t.KernelNs * math.Sqrt(2/float64(r.decode.model.Layers))
}

// outline is newRun on a machine that cannot simulate.
func outline(c *Config, o Options) (*run, error) {
	o.Fidelity = "analytic"
	return newRun(c, o, wholeStep)
}

// parts are the windows of a step. Where nothing is copied in, attention and the
// rest follow each other; where copies ahead of their layers take much longer than
// kernels, these need not be simulated.
func (r *run) parts() []part {
	switch d := r.decode; {
	case r.config.Model.MLA != nil:
	case !d.copies():
		return []part{attentionPart, restPart}
	case r.roof.KernelNs < hidden*r.roof.Ns && r.config.Sampling.Tolerance >= coarse && d.ahead():
		return []part{copiesPart}
	}
	return []part{wholeStep}
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

// ahead reports whether all copies are issued ahead of their layers.
func (d *decode) ahead() bool {
	return d.config.Weights.Access != OnDemand && d.accessKV() == Prefetch
}

// strip returns the configuration without what a part does not feel.
func (d *decode) strip(p part) *Config {
	c := *d.config
	far := d.farTiers(p)
	if far[hierarchy.DDR] || far[hierarchy.CXLMem] || far[hierarchy.PeerHBM] || c.Policy.Execute.Site == "cpu" {
		c.System.Host = strippedHost(c.System.Host, far)
	} else {
		c.System.Host, c.System.Peer = nil, nil
	}
	switch {
	case p == restPart:
		c.Workload.Batch, c.Workload.Context, c.Workload.Contexts = len(d.lengths), 1, nil
		c.Workload.Generated, c.Workload.Limit = 0, 0
		c.KV, c.Policy = KV{}, kv.Policy{}
	case p == copiesPart && d.layout.method.absent() && d.layout.kv.paged: // pages are copied, whosever they are
		c.Workload.Batch, c.Workload.Context, c.Workload.Contexts = 1, d.layout.kv.pages()*d.layout.kv.page, nil
		c.Workload.Generated, c.Workload.Limit = 0, 0
		c.System.HBM.ReservedGiB = 0 // one sequence has other buffers than many
	}
	return &c
}

// farTiers returns which memories beyond HBM hold what a part moves.
func (d *decode) farTiers(p part) (far [hierarchy.NumTiers]bool) {
	for t := hierarchy.DDR; t < hierarchy.NumTiers; t++ {
		far[t] = d.system.Space.Used(t) > 0
		if p == restPart {
			far[t] = d.config.Weights.Split.shares()[t] > 0 || t == hierarchy.PeerHBM && d.config.Workload.TP > 1
		}
	}
	return far
}

// strippedHost returns a host without the memory that is not used, but with one.
func strippedHost(h *hierarchy.Host, far [hierarchy.NumTiers]bool) *hierarchy.Host {
	if h == nil {
		return nil
	}
	s := *h
	switch {
	case far[hierarchy.DDR] && !far[hierarchy.CXLMem]:
		s.CXL = nil
	case far[hierarchy.CXLMem] && !far[hierarchy.DDR] && s.CPU == nil:
		s.DDR = nil
	}
	return &s
}

// find returns a window, which the first to ask for it simulates.
func (w *Windows) find(ctx context.Context, c *Config, o Options, p part) (*graph.Totals, error) {
	key, err := keyOf(c, o.Seed, p)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	f, ok := w.flights[key]
	if ok {
		w.stats.Shared++
		w.mu.Unlock()
		<-f.done
		return f.copy()
	}
	f = &flight{done: make(chan struct{}), err: fmt.Errorf("%s: its simulation did not end", key)}
	if w.flights == nil {
		w.flights = map[string]*flight{}
	}
	w.flights[key] = f
	w.mu.Unlock()
	defer close(f.done)
	f.window, f.err = w.simulate(ctx, key, c, o, p)
	return f.copy()
}

// copy returns the window for a step to add to.
func (f *flight) copy() (*graph.Totals, error) {
	if f.err != nil {
		return nil, f.err
	}
	t := *f.window
	t.Classes = append([]graph.Class(nil), t.Classes...)
	return &t, nil
}

// simulate asks the memo for a window, and simulates what it does not know.
func (w *Windows) simulate(ctx context.Context, key string, c *Config, o Options, p part) (*graph.Totals, error) {
	t := &graph.Totals{}
	known := w.Memo != nil && w.Memo.Get(key, t)
	w.mu.Lock()
	if known {
		w.stats.Memoised++
	} else {
		w.stats.Simulated++
	}
	w.mu.Unlock()
	if known {
		return t, nil
	}
	o.Windows, o.Detail = nil, false
	r, err := newRun(c, o, p)
	if err != nil {
		return nil, err
	}
	if r, err = r.enough(ctx); err != nil {
		return nil, err
	}
	if r.graph.Ended() == 0 {
		return nil, errNothing
	}
	t, _ = r.totals()
	if w.Memo == nil || t.Covered < 1 {
		return t, nil
	}
	return t, w.Memo.Put(key, t)
}

// keyOf identifies a window by all that it depends on, but for the program.
func keyOf(c *Config, seed uint64, p part) (string, error) {
	text, err := json.Marshal(struct {
		Config *Config
		Seed   uint64
		Part   part
	}{unnamed(c), seed, p})
	if err != nil {
		return "", fmt.Errorf("identify a window: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:32], nil
}

// unnamed returns the configuration without what only reports tell.
func unnamed(c *Config) *Config {
	u := *c
	u.System.Name, u.Model.Name, u.Kernels.Name, u.Policy.Name = "", "", "", ""
	return &u
}
