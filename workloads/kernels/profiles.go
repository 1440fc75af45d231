package kernels

import (
	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/sim"
)

// Profiles are the facts about a library's kernels that decide how they use
// memory: tile shapes, stages, split rules, residency, and the measured times
// of their fixed parts.
type Profiles struct {
	Name         string           `toml:"name"` // of the library, that reports say; any text
	GEMM         GEMMProfile      `toml:"gemm"`
	SplitReduce  RowProfile       `toml:"split_reduce"`
	Attention    AttentionProfile `toml:"attention"`
	AttnReduce   RowProfile       `toml:"attention_reduce"`
	Norm         RowProfile       `toml:"norm"`
	Rope         RowProfile       `toml:"rope"`
	Activation   RowProfile       `toml:"activation"`
	Copy         RowProfile       `toml:"copy"`
	AllReduce    RowProfile       `toml:"all_reduce"`
	Retrieve     RetrieveProfile  `toml:"retrieve"`
	Ring         RingProfile      `toml:"ring"`
	Prefill      *PrefillProfile  `toml:"prefill"`       // of a library's prefill attention alone
	Library      *LibraryProfile  `toml:"library"`       // of a serving library's attention alone; decode steps have Attention
	Latent       *LatentProfile   `toml:"latent"`        // of a serving library's attention over a compressed cache alone
	ResidualCopy bool             `toml:"residual_copy"` // the framework copies the residual before adding to it (PyTorch addmm)
}

// Launch is what bounds a kernel's residency, and its CTAs' fixed times.
type Launch struct {
	Threads     int     `toml:"threads"`      // threads a CTA
	Registers   int     `toml:"registers"`    // registers of 32 bits a thread
	SharedBytes int     `toml:"shared_bytes"` // a CTA
	CodeNs      float64 `toml:"code_ns"`      // of an SM's first CTAs: until its code is there
	PrologueNs  float64 `toml:"prologue_ns"`  // CTA start to its first loads
	EpilogueNs  float64 `toml:"epilogue_ns"`  // last tile to the CTA's stores
}

// GEMMProfile is a library's matrix product.
type GEMMProfile struct {
	Launch
	TileRows      []int       `toml:"tile_rows"`        // heights to choose from: rows of W a CTA holds, ascending
	FineRows      []int       `toml:"fine_rows"`        // the same for tiles of 64 tokens and more; empty: tile_rows
	TileCols      []int       `toml:"tile_cols"`        // widths to choose from: tokens, ascending
	TileElements  int         `toml:"tile_elements"`    // most accumulators of a CTA
	AloneElements int         `toml:"alone_elements"`   // accumulators up to which each half of a CTA has tiles of its own, so that one computes while the other stores
	TileK         int         `toml:"tile_k"`           // depth of one stage, elements
	StageBytes    int         `toml:"stage_bytes"`      // shared memory that stages may fill
	MaxStages     int         `toml:"max_stages"`       // most stages in flight in a CTA
	Cluster       int         `toml:"cluster"`          // CTAs that share an operand's tile by multicast
	WideCluster   int         `toml:"wide_cluster"`     // CTAs of a cluster of products that stream W; 0: they have no rule of their own
	WideSlots     float64     `toml:"wide_slots"`       // share of the SMs that such clusters fill
	Persistent    bool        `toml:"persistent"`       // a grid has one wave of CTAs, which take tile after tile; else a CTA a tile
	SharedPerClk  float64     `toml:"shared_per_clock"` // bytes of operands that the tensor cores take from shared memory
	DrainGBps     float64     `toml:"drain_gbps"`       // of y out of accumulators between two tiles of a CTA; 0: at no cost
	Parts         []PartsRule `toml:"parts"`            // of products that stream W, by tokens, ascending
	MaxSplit      int         `toml:"max_split"`        // most parts of K
	SplitDepth    int         `toml:"split_depth"`      // least K of a part of products of more tokens, elements
	DeepK         int         `toml:"deep_k"`           // elements of K from which on products that stream W have parts of K if a wave leaves 30 % of the SMs idle; from twice that on always
	SplitNs       float64     `toml:"split_ns"`         // of the library's estimate: adding up parts of K, for each and once more
	SupplyGBps    float64     `toml:"supply_gbps"`      // of the library's estimate: operands into an SM
	WaveNs        float64     `toml:"wave_ns"`          // of the library's estimate: beginning and end of a tile
}

// PartsRule bounds the parts of K of products that stream W.
type PartsRule struct {
	Cols  int `toml:"cols"`  // tokens up to which it holds
	Most  int `toml:"most"`  // parts of K, at most
	Depth int `toml:"depth"` // least K of a part of products of more tokens, elements
}

// AttentionProfile is a library's split-KV decode attention.
type AttentionProfile struct {
	AttentionLoop
	Paged      AttentionLoop `toml:"paged"`       // over a cache in pages; no threads: the same
	Int8       AttentionLoop `toml:"int8"`        // over int8 with scales, taken for all of 8 and 4 bits; no threads: the same
	TileTokens int           `toml:"tile_tokens"` // keys and values a tile
	GroupPad   int           `toml:"group_pad"`   // query heads of a group are padded to this many rows
	CTAsPerSM  int           `toml:"ctas_per_sm"` // splits are chosen to give about this many CTAs a SM; 0: never split
	MaxSplits  int           `toml:"max_splits"`  // most parts that a sequence's keys and values are split into
}

// RowProfile is an elementwise or row-wise kernel.
type RowProfile struct {
	Launch
	Elements int     `toml:"elements"` // elements a CTA, where the grid is cut by elements
	Stages   int     `toml:"stages"`   // for loops: iterations in flight
	Unroll   int     `toml:"unroll"`   // for loops: iterations whose loads leave together; 0: one
	ChainNs  float64 `toml:"chain_ns"` // for loops: least time an iteration
	SMNs     float64 `toml:"sm_ns"`    // for loops: ns of an iteration for which it has the SM to itself

	ElementNs float64 `toml:"element_ns"` // of norms: a thread's time an element
}

// Validate reports values that no kernel has.
func (p *Profiles) Validate(report func(key, message string)) {
	g := &p.GEMM
	if len(g.TileRows) == 0 || len(g.TileCols) == 0 {
		report("gemm.tile_rows", "and gemm.tile_cols must not be empty")
	}
	for _, list := range [][]int{g.TileRows, g.FineRows, g.TileCols} {
		for i, v := range list {
			if v < 1 || (i > 0 && v <= list[i-1]) {
				report("gemm.tile_rows", "and gemm.tile_cols must be positive and ascending")
			}
		}
	}
	for _, v := range []struct {
		key string
		bad bool
	}{{"gemm.stage_bytes", g.StageBytes < 1}, {"gemm.cluster", g.Cluster < 1}, {"gemm.tile_elements", g.TileElements < 1}, {"gemm.max_split", g.MaxSplit < 1},
		{"gemm.split_depth", g.SplitDepth < 1}, {"gemm.supply_gbps", g.SupplyGBps <= 0},
		{"gemm.shared_per_clock", g.SharedPerClk <= 0}, {"copy.elements", p.Copy.Elements < 1},
		{"activation.elements", p.Activation.Elements < 1}, {"split_reduce.elements", p.SplitReduce.Elements < 1}, {"all_reduce.elements", p.AllReduce.Elements < 1},
		{"attention.max_splits", p.Attention.MaxSplits < 1}} {
		if v.bad {
			report(v.key, "must be positive")
		}
	}
	for key, l := range p.launches() {
		configs.Within(report, key+".threads", l.Threads, 1, 1024)
		configs.Within(report, key+".registers", l.Registers, 0, 255)
		configs.Within(report, key+".shared_bytes", l.SharedBytes, 0, 1<<20)
		if l.PrologueNs < 0 || l.EpilogueNs < 0 {
			report(key+".prologue_ns", "and epilogue_ns must not be negative")
		}
	}
	p.Attention.AttentionLoop.validate("attention", report)
	p.Attention.Paged.validate("attention.paged", report)
	p.Attention.Int8.validate("attention.int8", report)
	g.validateParts(report)
	configs.Within(report, "attention.group_pad", p.Attention.GroupPad, 1, 256)
	configs.Within(report, "attention.tile_tokens", p.Attention.TileTokens, 1, 4096)
	configs.Within(report, "gemm.tile_k", g.TileK, 1, 4096)
	configs.Within(report, "gemm.max_stages", g.MaxStages, 1, gpu.MaxStages)
	configs.Within(report, "attention.stages", p.Attention.Stages, 1, gpu.MaxStages)
	p.Retrieve.validate(report)
	configs.Within(report, "attention.paged.stages", p.Attention.Paged.Stages, 0, gpu.MaxStages)
	configs.Within(report, "attention.int8.stages", p.Attention.Int8.Stages, 0, gpu.MaxStages)
	configs.Within(report, "attention_reduce.stages", p.AttnReduce.Stages, 1, gpu.MaxStages)
}

// validateParts reports rules that leave a product that streams W without one.
func (p *GEMMProfile) validateParts(report func(key, message string)) {
	last := 0
	for _, r := range p.Parts {
		if r.Cols <= last || r.Most < 1 || r.Depth < 1 {
			report("gemm.parts", "must be by ascending cols, with positive most and depth")
		}
		last = r.Cols
	}
	if p.WideCluster > 1 && last < fineCols {
		report("gemm.parts", "must have a rule for 64 cols")
	}
}

// launches returns every kernel's launch by the key of its table.
func (p *Profiles) launches() map[string]*Launch {
	all := map[string]*Launch{"gemm": &p.GEMM.Launch, "split_reduce": &p.SplitReduce.Launch, "attention": &p.Attention.Launch,
		"attention_reduce": &p.AttnReduce.Launch, "norm": &p.Norm.Launch, "rope": &p.Rope.Launch, "activation": &p.Activation.Launch,
		"copy": &p.Copy.Launch, "all_reduce": &p.AllReduce.Launch}
	for key, l := range map[string]*Launch{"attention.paged": &p.Attention.Paged.Launch, "attention.int8": &p.Attention.Int8.Launch} {
		if l.Threads != 0 { // else the library has one kernel for all
			all[key] = l
		}
	}
	return all
}

// Kernel returns a Kernel with the launch's figures.
func (l *Launch) Kernel(name string, ctas int, p gpu.Program) *gpu.Kernel {
	return &gpu.Kernel{Name: name, CTAs: ctas, Threads: l.Threads, Registers: l.Registers, Shared: l.SharedBytes, Stages: 1,
		Code: sim.FromNanoseconds(l.CodeNs), Prologue: sim.FromNanoseconds(l.PrologueNs), Epilogue: sim.FromNanoseconds(l.EpilogueNs), Program: p}
}
