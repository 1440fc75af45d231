package workloads

import (
	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/graph"
)

// Result is everything that a run predicts. It holds no wall-clock figure:
// the same configuration and seed give the same bytes. Times are in ns of
// simulated time, rates in GB/s (1e9 B/s).
type Result struct {
	Schema   int    `json:"schema"` // version of this layout
	Name     string `json:"name"`   // of the configuration
	Hash     string `json:"hash"`   // of the effective configuration
	Seed     uint64 `json:"seed"`
	Fidelity string `json:"fidelity"` // exact, sampled or analytic
	System   string `json:"system"`
	Model    string `json:"model"`
	Batch    int    `json:"batch"`
	Context  int    `json:"context"` // mean tokens a sequence
	Complete bool   `json:"complete"`

	StepNs          float64 `json:"step_ns"`        // one decode step, mean over the steps
	Bound           float64 `json:"bound"`          // half-width of the sampling error, relative to StepNs
	Simulated       float64 `json:"simulated"`      // share of the step's time that was simulated in detail
	TokensPerSecond float64 `json:"tokens_per_s"`   //
	BoundBy         string  `json:"bound_by"`       // resource that was busiest, in words
	RooflineNs      float64 `json:"roofline_ns"`    // the analytic baseline of the same step
	KernelNs        float64 `json:"kernel_ns"`      // on the SMs
	GapNs           float64 `json:"gap_ns"`         // launch gaps between kernels
	ExposedNs       float64 `json:"exposed_ns"`     // waiting for transfers; KernelNs+GapNs+ExposedNs = StepNs
	HiddenNs        float64 `json:"hidden_ns"`      // transfers under way while kernels ran
	TransferBytes   uint64  `json:"transfer_bytes"` // moved by copy engines

	Kernels []KernelRow `json:"kernels"`
	Tiers   []TierRow   `json:"tiers"`
	Links   []LinkRow   `json:"links"`
	Objects []ObjectRow `json:"objects"`

	Mapping *MappingRow `json:"mapping,omitempty"` // of a virtually contiguous KV cache
	Policy  *PolicyRow  `json:"policy,omitempty"`  // what a KV policy keeps and moves
	Energy  *Energy     `json:"energy,omitempty"`  // of a GPU with an energy card
	Cost    *Cost       `json:"cost,omitempty"`    // of a machine with prices

	// Of a run with Options.Detail; not part of the report.
	Layers   []LayerRow      `json:"-"`
	Timeline *graph.Timeline `json:"-"`
	Peaks    Peaks           `json:"-"`
	Latency  []LatencyRow    `json:"-"`
	Banks    []BanksRow      `json:"-"`
	KVLayers []PlaceRow      `json:"-"`
}

// Peaks are the rates that the roofline divides by.
type Peaks struct {
	TFLOPS float64   // of the tensor cores, 1e12/s
	Memory []RateRow // of each tier that holds anything, nearest first
}

// RateRow is the most that reads of a tier can get: its pins', or its link's.
type RateRow struct {
	Tier string
	GBps float64
}

// LatencyRow is how long the requests of a class of kernels, or those that a tier
// served, took, as far as they were simulated. Bins are eighths of octaves.
type LatencyRow struct {
	Of   string
	Tier bool // Of is a tier
	Bins []sim.Bin
}

// BanksRow is what the banks of a tier's channels did, as far as it was simulated:
// by channel, and within it by pseudo-channel, rank, group and bank.
type BanksRow struct {
	Tier           string
	PseudoChannels int // of a channel
	Channels       [][]dram.BankStats
}

// PlaceRow is where a layer's KV cache lies.
type PlaceRow struct {
	Layer int
	Bytes [hierarchy.NumTiers]uint64
}

// LayerRow is a layer, a run of layers that few are simulated of, or the head,
// over a step. KernelNs, GapNs and ExposedNs of all rows add up to the Result's.
type LayerRow struct {
	Name      string
	KernelNs  float64
	GapNs     float64
	ExposedNs float64
	Kernels   []KernelRow // without latencies
	Copies    []CopyRow
}

// CopyRow sums one class of copies.
type CopyRow struct {
	Class string
	Tiers []string // from or to which they go
	Bytes uint64
}

// PolicyRow is what a KV policy makes of the cache: what it keeps, and what its
// stages move in a step, as the policy counts it, in all layers of all sequences.
type PolicyRow struct {
	Name      string     `json:"name"`
	Engine    string     `json:"engine,omitempty"`
	Kept      float64    `json:"kept_tokens"`     // of a KV head of a sequence, mean
	Attended  float64    `json:"attended_tokens"` // likewise
	LinkBytes float64    `json:"link_bytes"`      // moved from and to memories beyond HBM
	Held      []HeldRow  `json:"held"`
	Flows     []FlowsRow `json:"flows"`
}

// HeldRow is what is kept of an object in a tier.
type HeldRow struct {
	Object string  `json:"object"`
	Tier   string  `json:"tier"`
	Bytes  float64 `json:"bytes"`
}

// FlowsRow is what a stage reads and writes of an object in a tier.
type FlowsRow struct {
	Object  string  `json:"object"`
	Stage   string  `json:"stage"`
	Tier    string  `json:"tier"`
	Read    float64 `json:"read_bytes"`
	Written float64 `json:"written_bytes"`
}

// KernelRow sums one class of kernels over a step.
type KernelRow struct {
	Class     string             `json:"class"`
	Profile   string             `json:"profile"` // kernel profile that it ran under
	Calls     int                `json:"calls"`
	Ns        float64            `json:"ns"`         // all calls
	Bytes     uint64             `json:"bytes"`      // asked for by SMs, reads and writes
	GBps      float64            `json:"gbps"`       // Bytes over Ns
	LatencyNs Quantiles          `json:"latency_ns"` // of its requests
	Causes    map[string]float64 `json:"causes"`     // share of the requests' time by cause; sums to 1
	Tiers     []string           `json:"-"`          // that it must read or write
	Moved     uint64             `json:"-"`          // bytes that it must move from or to them
	FLOPs     float64            `json:"-"`          // of tensor cores, all calls
}

// TierRow is one memory tier over a step.
type TierRow struct {
	Tier      string    `json:"tier"`
	Capacity  uint64    `json:"capacity_bytes"`
	Used      uint64    `json:"used_bytes"`
	Read      uint64    `json:"read_bytes"`
	Written   uint64    `json:"written_bytes"`
	GBps      float64   `json:"gbps"`      // achieved over the step
	PeakGBps  float64   `json:"peak_gbps"` // of its pins
	Busy      float64   `json:"busy"`      // share of the step for which its data buses moved data
	RowHits   float64   `json:"row_hits"`  // share of column accesses to an open row
	EnergyPJ  float64   `json:"energy_pj"` // of its DRAM's commands, without background
	LatencyNs Quantiles `json:"latency_ns"`
}

// LinkRow is one direction of a link over a step.
type LinkRow struct {
	Link     string  `json:"link"`
	Bytes    uint64  `json:"bytes"` // payload
	Wire     uint64  `json:"wire_bytes"`
	GBps     float64 `json:"gbps"`      // payload over the step
	PeakGBps float64 `json:"peak_gbps"` // raw rate of the direction
	Busy     float64 `json:"busy"`
}

// ObjectRow says where one class of objects lies and how much of it a step
// touches.
type ObjectRow struct {
	Object string `json:"object"` // weights, kv, activations, block tables, staging
	Tier   string `json:"tier"`
	Bytes  uint64 `json:"bytes"`
	Read   uint64 `json:"read_bytes"`
	Write  uint64 `json:"written_bytes"`
}

// MappingRow is the memory of a virtually contiguous KV cache when a step
// begins, and what mapping more costs while every sequence decodes as many
// tokens as a page group has. StepNs is without it.
type MappingRow struct {
	GroupBytes   uint64    `json:"group_bytes"`
	GroupTokens  int       `json:"group_tokens"`
	Mapped       uint64    `json:"mapped_bytes"`
	Unused       uint64    `json:"unused_bytes"` // of those, without a token
	CallsPerStep float64   `json:"calls_per_step"`
	StallNs      Quantiles `json:"stall_ns"` // what a step waits
}

// Quantiles of times, in ns.
type Quantiles struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}
