package offload

import (
	"fmt"
	"slices"

	"hwsim/configs"
	"hwsim/devices/csd"
	"hwsim/workloads/flexgen"
)

// Config is a whole run.
type Config struct {
	Offload Offload `toml:"offload"`
}

// Offload says what generates what, on what, and how.
type Offload struct {
	System  string `toml:"system"`  // flexgen, flexgen-gds, flexgen-sparq, zero, recompute or instinfer
	Machine string `toml:"machine"` // of configs/flexgen, or a file NAME.toml
	Model   string `toml:"model"`   // of configs/models, or a file
	Prompt  int    `toml:"prompt"`  // tokens of each sequence
	Output  int    `toml:"output"`  // tokens that each gets, the first by the prefill

	MachineSet []string `toml:"machine_set"` // key.path=value: overrides of the machine's keys

	Batch       int  `toml:"batch"`        // sequences; not of FlexGen
	PinnedCache bool `toml:"pinned_cache"` // of zero: the cache in host memory is pinned, and must fit

	Policy          string  `toml:"policy"`           // FlexGen's: BATCHxBATCHES;WG/WC/CG/CC/HG/HC
	Search          bool    `toml:"search"`           // for the best policy that fits
	SearchStep      int     `toml:"search_step"`      // of its shares, percent; 0: 50
	Serial          bool    `toml:"serial"`           // nothing overlaps
	GPUAttention    bool    `toml:"gpu_attention"`    // the cache goes to the GPU, not the queries to the cache
	CompressWeights bool    `toml:"compress_weights"` // to 4 bits
	CompressCache   bool    `toml:"compress_cache"`   // to 4 bits
	PageableWeights bool    `toml:"pageable_weights"` // those in host memory are not pinned
	Uncached        bool    `toml:"uncached"`         // no file stays in the page cache
	Sparse          float64 `toml:"sparse"`           // of flexgen-sparq: share of the cache that is read; 0: 1/8. Of instinfer: of channels and tokens that are chosen; 0: all, dense

	CSD       string   `toml:"csd"`       // of instinfer: a device that attends, of configs/csd, or a file NAME.toml
	CSDSet    []string `toml:"csd_set"`   // key.path=value: overrides of its keys
	Drives    int      `toml:"drives"`    // drives or other such devices
	GPUs      int      `toml:"gpus"`      // GPUs that share the layers; 0: 1
	Precision float64  `toml:"precision"` // of each simulated step, relative; 0: all heads are simulated
}

// inStorage is the system whose attention is on drives.
const inStorage = "instinfer"

// systems are the kinds of runs, and whether FlexGen's policy is theirs.
var systems = []struct {
	name    string
	flexgen bool
}{
	{"flexgen", true}, {"flexgen-gds", true}, {"flexgen-sparq", true}, {"zero", false}, {"recompute", false}, {inStorage, false},
}

// byPolicy reports whether the system takes FlexGen's policy.
func (o *Offload) byPolicy() bool {
	for _, s := range systems {
		if s.name == o.System {
			return s.flexgen
		}
	}
	return false
}

// Validate reports what is no run.
func (o *Offload) Validate(report func(key, message string)) {
	names := make([]string, len(systems))
	for i, s := range systems {
		names[i] = s.name
	}
	configs.OneOf(report, "system", o.System, names...)
	configs.Within(report, "prompt", o.Prompt, 1, 1<<20)
	configs.Within(report, "output", o.Output, 2, 1<<14)
	if _, err := flexgen.LoadMachine(o.Machine, o.MachineSet); err != nil {
		report("machine", err.Error())
	}
	if _, err := flexgen.ShapeOf(o.Model); err != nil {
		report("model", err.Error())
	}
	switch {
	case !slices.Contains(names, o.System):
	case o.byPolicy():
		o.validatePolicy(report)
	default:
		o.validateBatch(report)
	}
	if o.System == inStorage {
		o.validateInStorage(report)
	} else {
		o.refuse(report, "is instinfer's", []knob{
			{"csd", o.CSD != ""}, {"csd_set", len(o.CSDSet) > 0}, {"drives", o.Drives != 0}, {"gpus", o.GPUs != 0}, {"precision", o.Precision != 0},
		})
	}
}

// validateInStorage reports what no run with attention on drives has.
func (o *Offload) validateInStorage(report func(key, message string)) {
	if _, err := o.drive(); err != nil {
		report("csd", err.Error())
	}
	if !(o.Sparse >= 0 && o.Sparse <= 0.5) {
		report("sparse", "must be 0 to 0.5")
	}
	p := o.inStorage()
	p.Validate(func(key, message string) {
		if key != "sequences" { // those are batch's
			report(key, message)
		}
	})
}

// drive loads the device that attends; it chooses the share asked for.
func (o *Offload) drive() (*csd.Config, error) {
	c, err := flexgen.LoadDrive(o.CSD, o.CSDSet)
	if err == nil && o.Sparse > 0 {
		c.Sparsity.Ratio = o.Sparse
	}
	return c, err
}

// inStorage returns the policy of attention on drives.
func (o *Offload) inStorage() flexgen.InStorage {
	return flexgen.InStorage{Sequences: o.Batch, Drives: o.Drives, GPUs: o.GPUs, Sparse: o.Sparse > 0, Precision: o.Precision}
}

func (o *Offload) validatePolicy(report func(key, message string)) {
	o.validatePinned(report)
	if o.Batch != 0 {
		report("batch", fmt.Sprintf("is not %s's: its policy begins with the batch", o.System))
	}
	if o.Search == (o.Policy != "") {
		report("policy", "give either policy or search = true")
	} else if _, err := flexgen.ParsePolicy(o.Policy); o.Policy != "" && err != nil {
		report("policy", err.Error())
	}
	configs.Within(report, "search_step", o.SearchStep, 0, 100)
	if o.System != "flexgen-sparq" && o.Sparse != 0 {
		report("sparse", "is flexgen-sparq's and instinfer's")
	}
	if !(o.Sparse >= 0 && o.Sparse <= 1) {
		report("sparse", "must be 0 to 1")
	}
}

func (o *Offload) validateBatch(report func(key, message string)) {
	configs.Within(report, "batch", o.Batch, 1, 1<<16)
	o.validatePinned(report)
	o.refuse(report, "is FlexGen's, not of "+o.System, []knob{
		{"policy", o.Policy != ""}, {"search", o.Search}, {"search_step", o.SearchStep != 0}, {"serial", o.Serial},
		{"gpu_attention", o.GPUAttention}, {"compress_weights", o.CompressWeights}, {"compress_cache", o.CompressCache},
		{"pageable_weights", o.PageableWeights}, {"uncached", o.Uncached}, {"sparse", o.Sparse != 0 && o.System != inStorage},
	})
}

// knob is a key, and whether it is set.
type knob struct {
	key string
	set bool
}

// refuse reports knobs that are set.
func (o *Offload) refuse(report func(key, message string), why string, knobs []knob) {
	for _, k := range knobs {
		if k.set {
			report(k.key, why)
		}
	}
}

func (o *Offload) validatePinned(report func(key, message string)) {
	if o.PinnedCache && o.System != "zero" {
		report("pinned_cache", "is zero's")
	}
}

// policy returns the given policy, or with a search its knobs.
func (o *Offload) policy() (p flexgen.Policy, err error) {
	if o.Policy != "" {
		if p, err = flexgen.ParsePolicy(o.Policy); err != nil {
			return p, err
		}
	}
	p.Serial, p.GPUAttention, p.PageableWeights = o.Serial, o.GPUAttention, o.PageableWeights
	p.CompressWeights, p.CompressCache, p.Uncached = o.CompressWeights, o.CompressCache, o.Uncached
	switch o.System {
	case "flexgen-gds":
		p.Direct, p.GPUAttention = true, true
	case "flexgen-sparq":
		p.GPUAttention, p.Sparse = true, o.Sparse
		if p.Sparse == 0 {
			p.Sparse = 1.0 / 8
		}
	}
	return p, nil
}
