package synthetic

import (
	"cmp"
	"fmt"
	"slices"

	"hwsim/configs"
	"hwsim/devices/cpu"
	"hwsim/sim"
)

// Config describes a stream. What is zero or absent takes the kind's default.
type Config struct {
	Kind           string   `toml:"kind"`            // one of Kinds
	Gap            *float64 `toml:"gap"`             // mean number of instructions without memory access between two accesses
	FootprintBytes int      `toml:"footprint_bytes"` // of the array, table or tables, not of graphs, xsbench and pagedkv; 8 GiB
	StrideBytes    int      `toml:"stride_bytes"`    // of stride; 4096
	Skew           *float64 `toml:"skew"`            // of zipf, the exponent; 0.99

	Visits  Visits  `toml:"visits"`
	Graph   Graph   `toml:"graph"`
	XSBench XSBench `toml:"xsbench"`
	DLRM    DLRM    `toml:"dlrm"`
	KMer    KMer    `toml:"kmer"`
	PagedKV PagedKV `toml:"pagedkv"`
}

// kind is one of the streams that there are.
type kind struct {
	name     string
	gap      float64 // default
	validate func(c *Config, report func(key, message string))
	place    func(c *Config, m *space) generator
}

// kinds holds all streams. The gaps of the microbenchmarks, gups, dlrm and kmer
// are those of the rows of champsim_tlb_synthetic.csv (instructions over data
// TLB accesses, less one), of xsbench 100 M instructions over the 31.1 M
// accesses of its artifact's trace, of pagedkv what makes a page of 64 accesses
// 6.2 misses per 1000 instructions (facts/translation.md, 5.5). That of visits and
// the graph kernels is fitted to the artifact's BFS: 15.3 % of accesses miss the
// first TLB and 71.6 per 1000 instructions the second, so that an access comes
// with about one other instruction.
var kinds = []kind{
	{"stream", 3, nil, placeStream},
	{"stride", 3, validateStride, placeStride},
	{"uniform", 3, nil, placeUniform},
	{"zipf", 3, validateZipf, placeZipf},
	{"chase", 3, nil, placeChase},
	{"visits", 1.05, validateVisits, placeVisits},
	{"bc", 1.09, validateGraph, placeTraversal},
	{"bfs", 1.09, validateGraph, placeTraversal},
	{"cc", 1.09, validateGraph, placeTraversal},
	{"gc", 1.09, validateGraph, placeColouring},
	{"pr", 1.09, validateGraph, placePageRank},
	{"sssp", 1.09, validateGraph, placeTraversal},
	{"tc", 1.09, validateGraph, placeTriangles},
	{"xsbench", 2.215, validateXSBench, placeXSBench},
	{"gups", 2, nil, placeGUPS},
	{"dlrm", 3.42, validateDLRM, placeDLRM},
	{"kmer", 4.92, validateKMer, placeKMer},
	{"pagedkv", 1.52, validatePagedKV, placePagedKV},
}

// Kinds returns the names of all streams.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i := range kinds {
		names[i] = kinds[i].name
	}
	return names
}

// Eleven returns the kinds that stand for the workloads of the evaluation of
// Victima (MICRO 2023), in its order: gups is its RND, kmer its GEN.
func Eleven() []string {
	return []string{"bc", "bfs", "cc", "gc", "pr", "sssp", "tc", "xsbench", "gups", "dlrm", "kmer"}
}

func find(name string) *kind {
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name }); i >= 0 {
		return &kinds[i]
	}
	return nil
}

// Limits of what a configuration may say.
const (
	maxBytes = 1 << 40 // of a region
	maxMean  = 1 << 12 // of instructions, lines or accesses in a row
)

// Validate reports values that no stream of the kind has.
func (c *Config) Validate(report func(key, message string)) {
	k := find(c.Kind)
	if k == nil {
		configs.OneOf(report, "kind", c.Kind, Kinds()...)
		return
	}
	within(report, "gap", value(c.Gap, k.gap), 0, maxMean)
	pages(report, "footprint_bytes", c.footprint())
	if k.validate != nil {
		k.validate(c, report)
	}
}

// footprint returns the bytes of the array, table or tables.
func (c *Config) footprint() int { return cmp.Or(c.FootprintBytes, 8<<30) }

// check returns what Validate reports first.
func (c *Config) check() (err error) {
	c.Validate(func(key, message string) {
		if err == nil {
			err = fmt.Errorf("stream: %s: %s", key, message)
		}
	})
	return err
}

// Footprint returns the range of virtual addresses, [base, base+bytes), that
// the stream stays in. The bytes are a multiple of 2 MiB, and 0 if the
// configuration is not valid.
func (c *Config) Footprint() (base, bytes uint64) {
	if c.check() != nil {
		return Base, 0
	}
	var m space
	find(c.Kind).place(c, &m)
	return Base, m.bytes
}

// New returns the stream, which has no end. The error is what Validate reports
// first.
func New(c *Config, seed uint64) (cpu.Stream, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	k := find(c.Kind)
	random := sim.NewRand(seed)
	g := k.place(c, new(space))
	g.start(random.Split(c.Kind))
	return newStream(g, value(c.Gap, k.gap)), nil
}

// value returns what p points to, or else a default.
func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// within reports a number that is not in lo to hi.
func within(report func(key, message string), key string, v, lo, hi float64) {
	if !(v >= lo && v <= hi) {
		report(key, fmt.Sprintf("must be %g to %g", lo, hi))
	}
}

// pages reports a size that is no whole number of pages.
func pages(report func(key, message string), key string, bytes int) {
	if bytes < pageBytes || bytes > maxBytes || bytes%pageBytes != 0 {
		report(key, fmt.Sprintf("must be a multiple of %d, at most %d", pageBytes, maxBytes))
	}
}

// powerOfTwo reports a number that is no power of two in lo to hi.
func powerOfTwo(report func(key, message string), key string, v, lo, hi int) {
	if v < lo || v > hi || v&(v-1) != 0 {
		report(key, fmt.Sprintf("must be a power of two, %d to %d", lo, hi))
	}
}
