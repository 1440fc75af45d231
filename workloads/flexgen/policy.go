package flexgen

import (
	"fmt"
	"strconv"
	"strings"
)

// Shares says which share of something lies where, in percent; the rest lies on
// disk.
type Shares struct {
	GPU, CPU int
}

// Disk returns the share on disk, in percent.
func (s Shares) Disk() int { return 100 - s.GPU - s.CPU }

func (s Shares) gpu() float64    { return float64(s.GPU) / 100 }
func (s Shares) cpu() float64    { return float64(s.CPU) / 100 }
func (s Shares) disk() float64   { return float64(s.Disk()) / 100 }
func (s Shares) offGPU() float64 { return 1 - s.gpu() }
func (s Shares) validate(key string, report func(key, message string)) {
	if s.GPU < 0 || s.CPU < 0 || s.GPU+s.CPU > 100 {
		report(key, fmt.Sprintf("must be two shares of 100 %% at most together, is %d and %d", s.GPU, s.CPU))
	}
}

// Policy is what FlexGen's search chooses.
type Policy struct {
	Batch   int // sequences that the GPU computes at once
	Batches int // of these in a block, which shares one load of the weights

	Weights, Cache, Hidden Shares

	Serial          bool // loads, computing and stores one after the other, nothing overlapped
	GPUAttention    bool // the cache goes to the GPU, not the queries to the cache
	CompressWeights bool // 4 bits, groups of 64
	CompressCache   bool
}

// Sequences returns the sequences of a block.
func (p *Policy) Sequences() int { return p.Batch * p.Batches }

// onCPU reports whether the CPU attends to what of the cache is not on the GPU.
// FlexGen's runtime cannot with a compressed cache.
func (p *Policy) onCPU() bool { return !p.GPUAttention && !p.CompressCache }

// Validate reports what a policy cannot be.
func (p *Policy) Validate(report func(key, message string)) {
	if p.Batch < 1 {
		report("batch", fmt.Sprintf("must be positive, is %d", p.Batch))
	}
	if p.Batches < 1 {
		report("batches", fmt.Sprintf("must be positive, is %d", p.Batches))
	}
	p.Weights.validate("weights", report)
	p.Cache.validate("cache", report)
	p.Hidden.validate("hidden", report)
}

// ParsePolicy reads the form in which FlexGen's tables give policies, "48x3;
// 20/80/0/100/0/100": batch x batches, then percent of weights, cache and
// hidden states on GPU and on CPU.
func ParsePolicy(s string) (Policy, error) {
	block, percent, ok := strings.Cut(s, ";")
	batch, batches, by := strings.Cut(block, "x")
	shares := strings.Split(percent, "/")
	if !ok || !by || len(shares) != 6 {
		return Policy{}, fmt.Errorf("policy %q: want BATCHxBATCHES;WG/WC/CG/CC/HG/HC", s)
	}
	var n [8]int
	for i, field := range append([]string{batch, batches}, shares...) {
		v, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil {
			return Policy{}, fmt.Errorf("policy %q: %q is not a whole number", s, field)
		}
		n[i] = v
	}
	p := Policy{Batch: n[0], Batches: n[1], Weights: Shares{n[2], n[3]}, Cache: Shares{n[4], n[5]}, Hidden: Shares{n[6], n[7]}}
	var err error
	p.Validate(func(key, message string) {
		if err == nil {
			err = fmt.Errorf("policy %q: %s %s", s, key, message)
		}
	})
	return p, err
}
