package flexgen

import (
	"fmt"
	"slices"

	"hwsim/configs"
	"hwsim/devices/hostio"
)

// Machine is what a policy runs on.
type Machine struct {
	Name string `toml:"name"`

	GPU  GPU  `toml:"gpu"`
	CPU  CPU  `toml:"cpu"`
	Link Link `toml:"link"`

	Host string `toml:"host"` // preset of configs/hostio, for its paths to the drive

	diskToGPU, diskToCPU, gpuToDisk, cpuToGPU *hostio.Path
}

// GPU has rates that its products reach.
type GPU struct {
	MemoryGBps    float64 `toml:"memory_gbps"`    // reached by streams
	PrefillTFLOPS float64 `toml:"prefill_tflops"` // products of many tokens with weights
	DecodeTFLOPS  float64 `toml:"decode_tflops"`  // products of a batch's tokens with weights
	PromptTFLOPS  float64 `toml:"prompt_tflops"`  // attention of prompts
	CacheTFLOPS   float64 `toml:"cache_tflops"`   // attention of one token a sequence
}

// CPU has the rate of attention where the cache is.
type CPU struct {
	AttentionGFLOPS float64 `toml:"attention_gflops"`
}

// Link is the GPU's, by what moves.
type Link struct {
	ToGPU     float64 `toml:"to_gpu_gbps"`
	CacheOut  float64 `toml:"cache_out_gbps"`  // KV to the host
	HiddenOut float64 `toml:"hidden_out_gbps"` // hidden states, queries, outputs
}

// Validate reports what a machine cannot be.
func (m *Machine) Validate(report func(key, message string)) {
	for _, rate := range []struct {
		key   string
		value float64
	}{
		{"gpu.memory_gbps", m.GPU.MemoryGBps},
		{"gpu.prefill_tflops", m.GPU.PrefillTFLOPS},
		{"gpu.decode_tflops", m.GPU.DecodeTFLOPS},
		{"gpu.prompt_tflops", m.GPU.PromptTFLOPS},
		{"gpu.cache_tflops", m.GPU.CacheTFLOPS},
		{"cpu.attention_gflops", m.CPU.AttentionGFLOPS},
		{"link.to_gpu_gbps", m.Link.ToGPU},
		{"link.cache_out_gbps", m.Link.CacheOut},
		{"link.hidden_out_gbps", m.Link.HiddenOut},
	} {
		configs.Positive(report, rate.key, rate.value)
	}
}

// LoadMachine reads a machine and its host, files or presets of
// configs/flexgen and configs/hostio; the sets override the machine's keys.
func LoadMachine(name string, sets []string) (*Machine, error) {
	doc, err := configs.Load("flexgen/"+name, sets)
	if err != nil {
		return nil, err
	}
	m := &Machine{}
	if err := doc.Decode(m); err != nil {
		return nil, err
	}
	host, err := configs.Load("hostio/"+m.Host, nil)
	if err != nil {
		return nil, err
	}
	h := &hostio.Host{}
	if err := host.Decode(h); err != nil {
		return nil, err
	}
	return m, m.connect(h)
}

// connect takes the paths from the host, by the names that they must have.
func (m *Machine) connect(h *hostio.Host) (err error) {
	for _, want := range []struct {
		name string
		path **hostio.Path
	}{
		{"disk_to_gpu", &m.diskToGPU},
		{"disk_to_cpu", &m.diskToCPU},
		{"gpu_to_disk", &m.gpuToDisk},
		{"cpu_to_gpu", &m.cpuToGPU},
	} {
		if *want.path, err = h.Path(want.name); err != nil {
			return fmt.Errorf("host %s: %w", m.Host, err)
		}
		if err := known(*want.path); err != nil {
			return fmt.Errorf("host %s: path %s: %w", m.Host, want.name, err)
		}
	}
	return nil
}

// known reports a path's resource that a schedule does not know, and would take
// to be free.
func known(p *hostio.Path) error {
	for _, l := range p.Legs {
		for _, s := range l.Stages {
			if s.Resource != "" && !slices.Contains(names[LinkIn:], s.Resource) {
				return fmt.Errorf("resource %q is none of %v", s.Resource, names[LinkIn:])
			}
		}
	}
	return nil
}

// Resource is what operations wait for.
type Resource uint8

// Resources of a machine.
const (
	GPUTime Resource = iota
	CPUTime
	LinkIn
	LinkOut
	Drive
	resources
)

// names of resources, by number; a path's stages name the last three so.
var names = [resources]string{"gpu", "cpu", "link_in", "link_out", "drive"}

// String returns the resource's name.
func (r Resource) String() string { return names[r] }
