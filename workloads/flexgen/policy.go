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
	PageableWeights bool // weights in host memory are not pinned
	PinnedCache     bool // the cache in host memory is; FlexGen's never

	Uncached bool // no file stays in the page cache: FlexGen's benchmarks for tensors on disk

	Direct bool    // the drive's data goes into the GPU's memory, past the host's
	Sparse float64 // share of the cache that a decode step reads, chosen on the GPU; 0: all
}

// Sequences returns the sequences of a block.
func (p *Policy) Sequences() int { return p.Batch * p.Batches }

// onCPU reports whether the CPU attends to what of the cache is not on the GPU.
// FlexGen's runtime cannot with a compressed cache.
func (p *Policy) onCPU() bool { return !p.GPUAttention && !p.CompressCache }

// read returns the share of the cache that a decode step reads.
func (p *Policy) read() float64 {
	if p.Sparse == 0 {
		return 1
	}
	return p.Sparse
}

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
	if !(p.Sparse >= 0 && p.Sparse <= 1) {
		report("sparse", fmt.Sprintf("must be 0 to 1, is %g", p.Sparse))
	}
}

// homes are where a sublayer's matrices lie: FlexGen's runtime never cuts one. It
// lays them out on disk, CPU, GPU in their order, each where its middle falls.
type homes struct {
	gpu, cpu float64 // weights
	disk     []int   // matrices
	onDisk   float64 // weights of these
	onCPU    int     // matrices
}

// homes places matrices of so many weights each.
func (s Shares) homes(matrices []float64) (h homes) {
	total, before := sum(matrices), 0.0
	for i, n := range matrices {
		middle := 100 * (before + n/2) / total
		before += n
		switch {
		case middle < float64(s.Disk()):
			h.disk, h.onDisk = append(h.disk, i), h.onDisk+n
		case middle < float64(s.Disk()+s.CPU):
			h.cpu, h.onCPU = h.cpu+n, h.onCPU+1
		default:
			h.gpu += n
		}
	}
	return h
}

// String writes what ParsePolicy reads.
func (p Policy) String() string {
	return fmt.Sprintf("%dx%d;%d/%d/%d/%d/%d/%d", p.Batch, p.Batches,
		p.Weights.GPU, p.Weights.CPU, p.Cache.GPU, p.Cache.CPU, p.Hidden.GPU, p.Hidden.CPU)
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
