package workloads

import (
	"fmt"
	"slices"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
	"hwsim/workloads/kvalloc"
)

// Config is a whole run.
type Config struct {
	System   hierarchy.Config `toml:"system"`
	Model    models.Model     `toml:"model"`
	Kernels  kernels.Profiles `toml:"kernels"`
	Workload Workload         `toml:"workload"`
	Weights  Weights          `toml:"weights"`
	KV       KV               `toml:"kv"`
	Policy   kv.Policy        `toml:"policy"` // nothing: all keys and values are kept, and read as [kv] says
	Engine   kv.Engine        `toml:"engine"` // nothing: a framework without traffic of its own
	Sampling Sampling         `toml:"sampling"`
}

// Workload is what is replayed: decode steps of one batch.
type Workload struct {
	Batch    int   `toml:"batch"`    // sequences, 1 to 65536
	Context  int   `toml:"context"`  // tokens a sequence has seen, the new one included
	Contexts []int `toml:"contexts"` // tokens of each sequence on its own; overrides batch and context

	Generated int `toml:"generated"` // of those tokens, so many were generated
	Limit     int `toml:"limit"`     // tokens that a sequence grows to, which some policies' budgets are shares of; 0: as many as it has
	Steps     int `toml:"steps"`     // decode steps, one after the other; 0 means 1
	TP        int `toml:"tp"`        // tensor-parallel GPUs, of which one is simulated; 0 means 1
}

// Weights says how weights are stored.
type Weights struct {
	Dtype  Dtype  `toml:"dtype"`  // of an element; empty: bf16
	Split  Split  `toml:"split"`  // by layer; what lies outside HBM is read as access says
	Access Access `toml:"access"` // how kernels get at layers outside HBM; empty: there are none
}

// KV says how the KV cache is stored and reached.
type KV struct {
	Dtype      Dtype  `toml:"dtype"`       // of an element; empty: bf16
	PageTokens int    `toml:"page_tokens"` // 0: contiguous, no block table
	Layout     string `toml:"layout"`      // nhd = [token, head, dim] or hnd = [head, token, dim] in a page
	Unit       string `toml:"unit"`        // what is placed as a whole: page, layer or fraction (of a layer, front first)
	Split      Split  `toml:"split"`
	Access     Access `toml:"access"`     // how kernels get at what lies outside HBM; empty: nothing does
	CopyBytes  uint64 `toml:"copy_bytes"` // largest single copy; 0: as large as the pieces are contiguous
	WaitLayer  bool   `toml:"wait_layer"` // a layer's first kernel waits for its KV, not just its attention

	Virtual *kvalloc.Virtual `toml:"virtual"` // how a contiguous cache in HBM gets its memory; nil: it has it all
}

// Split is the share of an object in each tier. The shares add up to 1; an
// empty split is all HBM.
type Split struct {
	HBM  float64 `toml:"hbm"`  // share in the GPU's memory, 0 to 1
	DDR  float64 `toml:"ddr"`  // share in the host's memory, 0 to 1
	CXL  float64 `toml:"cxl"`  // share on CXL expanders, 0 to 1
	Peer float64 `toml:"peer"` // share in the peer GPU's memory, 0 to 1
}

// shares returns the split by tier.
func (s Split) shares() [hierarchy.NumTiers]float64 {
	if s == (Split{}) {
		s.HBM = 1
	}
	return [hierarchy.NumTiers]float64{s.HBM, s.DDR, s.CXL, s.Peer}
}

// Access is how a kernel gets at data outside HBM.
type Access string

// The ways to reach far data.
const (
	Prefetch Access = "prefetch" // copied in one layer ahead, into two staging buffers
	OnDemand Access = "ondemand" // copied in when its layer begins
	ZeroCopy Access = "zerocopy" // read where it lies
)

// Dtype is an element type.
type Dtype string

var dtypeBits = map[Dtype]int{"": 16, "bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "int4": 4}

// bytes returns the bytes of n elements.
func (d Dtype) bytes(n uint64) uint64 { return (n*uint64(dtypeBits[d]) + 7) / 8 }

func (d Dtype) size() float64 { return float64(dtypeBits[d]) / 8 }

// Sampling sets the stopping rule of sampled fidelity.
type Sampling struct {
	Tolerance float64 `toml:"tolerance"` // relative half-width at which a rate has converged; 0 means 0.005
	Layers    int     `toml:"layers"`    // layers simulated at least of a run of identical ones; 0 means 3
}

func (s Sampling) withDefaults() Sampling {
	if s.Tolerance == 0 {
		s.Tolerance = 0.005
	}
	if s.Layers == 0 {
		s.Layers = 3
	}
	return s
}

// virtual returns how the cache gets its memory, nil if it has it all: as [kv]
// says, or the policy.
func (c *Config) virtual() *kvalloc.Virtual {
	if c.KV.Virtual != nil {
		return c.KV.Virtual
	}
	return c.Policy.Virtual
}

// lengths returns the tokens of each sequence.
func (w *Workload) lengths() []int {
	if len(w.Contexts) > 0 {
		return w.Contexts
	}
	l := make([]int, w.Batch)
	for i := range l {
		l[i] = w.Context
	}
	return l
}

// shortest returns the fewest tokens of a sequence.
func (w *Workload) shortest() int {
	if len(w.Contexts) > 0 {
		return max(0, slices.Min(w.Contexts))
	}
	return max(0, w.Context)
}

// Validate reports values that make no workload.
func (c *Config) Validate(report func(key, message string)) {
	w := &c.Workload
	if len(w.Contexts) == 0 {
		configs.Within(report, "workload.batch", w.Batch, 1, 1<<16)
		configs.Within(report, "workload.context", w.Context, 1, 1<<24)
	}
	for i, n := range w.Contexts {
		configs.Within(report, fmt.Sprintf("workload.contexts.%d", i), n, 1, 1<<24)
	}
	configs.Within(report, "workload.generated", w.Generated, 0, w.shortest())
	configs.Within(report, "workload.limit", w.Limit, 0, 1<<24)
	configs.Within(report, "workload.steps", w.Steps, 0, 1<<10)
	configs.Within(report, "workload.tp", w.TP, 0, 64)
	if w.TP > 1 && c.System.Peer == nil {
		report("workload.tp", "needs a system with a peer GPU")
	} else if c.Model.MLA == nil && c.Model.KVHeads < 1 {
		return // the model has said so
	} else if _, err := c.Model.Shard(max(1, w.TP)); err != nil {
		report("workload.tp", err.Error())
	}
	c.Weights.Split.validate(report, "weights.split")
	c.Weights.Access.validate(report, "weights.access", c.Weights.Split)
	c.Weights.Dtype.validate(report, "weights.dtype")
	c.KV.validate(report)
	if v := c.Policy.Virtual; v != nil && (c.KV.PageTokens != 0 || c.KV.Split.shares()[hierarchy.HBM] < 1) {
		report("policy.virtual", "needs kv.page_tokens = 0 and all of the cache in HBM")
	}
	c.validatePolicy(report)
	if s := c.Sampling; s.Tolerance < 0 || s.Tolerance > 0.2 {
		report("sampling.tolerance", "must be 0 to 0.2")
	}
	if n := c.Sampling.Layers; n != 0 {
		configs.Within(report, "sampling.layers", n, 3, 1<<10)
	}
}

func (k *KV) validate(report func(key, message string)) {
	k.Dtype.validate(report, "kv.dtype")
	k.Split.validate(report, "kv.split")
	k.Access.validate(report, "kv.access", k.Split)
	configs.Within(report, "kv.page_tokens", k.PageTokens, 0, 1<<20)
	if k.Layout != "" && k.Layout != "nhd" && k.Layout != "hnd" {
		report("kv.layout", "must be nhd or hnd")
	}
	if k.Unit != "" && k.Unit != "page" && k.Unit != "layer" && k.Unit != "fraction" {
		report("kv.unit", "must be page, layer or fraction")
	}
	if k.Virtual != nil && (k.PageTokens != 0 || k.Split.shares()[hierarchy.HBM] < 1) {
		report("kv.virtual", "needs page_tokens = 0 and all of the cache in HBM")
	}
	if k.CopyBytes != 0 && k.CopyBytes < 512 {
		report("kv.copy_bytes", "must be 0 or at least 512")
	}
}

func (s Split) validate(report func(key, message string), key string) {
	sum := 0.0
	for _, f := range s.shares() {
		if f < 0 || f > 1 {
			report(key, "shares must be 0 to 1")
			return
		}
		sum += f
	}
	if sum < 0.999999 || sum > 1.000001 {
		report(key, fmt.Sprintf("shares add up to %g, must be 1", sum))
	}
}

func (a Access) validate(report func(key, message string), key string, s Split) {
	switch a {
	case Prefetch, OnDemand, ZeroCopy:
	case "":
		if s.DDR > 0 || s.CXL > 0 || s.Peer > 0 {
			report(key, "must be prefetch, ondemand or zerocopy when the split leaves HBM")
		}
	default:
		report(key, "must be prefetch, ondemand or zerocopy")
	}
}

func (d Dtype) validate(report func(key, message string), key string) {
	if _, ok := dtypeBits[d]; !ok {
		report(key, "must be bf16, fp16, fp8, int8 or int4")
	}
}
