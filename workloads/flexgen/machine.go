package flexgen

import (
	"fmt"
	"slices"
	"strings"

	"hwsim/configs"
	"hwsim/devices/hostio"
)

// Machine is what a policy runs on.
type Machine struct {
	Name string `toml:"name"` // that reports say; any text

	GPU  GPU  `toml:"gpu"`
	CPU  CPU  `toml:"cpu"`
	Link Link `toml:"link"`

	Memory Memory `toml:"memory"`

	Host string `toml:"host"` // preset of configs/hostio, for its paths to the drive

	diskToGPU, diskToCPU, directToGPU route
	gpuToDisk, cpuToGPU, pinnedToGPU  *hostio.Path
	swapIn, swapOut                   *hostio.Path // nil if the host has none
}

// route is a way from the drive, and that of what the page cache holds.
type route struct{ cold, held *hostio.Path }

// Memory is what there is room for, GiB.
type Memory struct {
	GPU    float64 `toml:"gpu_gib"`    // GiB of the GPU's memory for tensors
	Host   float64 `toml:"host_gib"`   // GiB of the host's memory
	System float64 `toml:"system_gib"` // of the host's, what neither tensors nor files get
	Pinned float64 `toml:"pinned_gib"` // of the host's, the copy threads' buffers
	Drive  float64 `toml:"drive_gib"`  // GiB of the drive
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
	AttentionGFLOPS float64 `toml:"attention_gflops"` // GFLOP/s of attention to a cache in the host's memory
}

// Link is the GPU's, by what moves.
type Link struct {
	ToGPU     float64 `toml:"to_gpu_gbps"`     // GB/s of copies from the host to the GPU
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
		{"memory.gpu_gib", m.Memory.GPU},
		{"memory.host_gib", m.Memory.Host},
		{"memory.drive_gib", m.Memory.Drive},
	} {
		configs.Positive(report, rate.key, rate.value)
	}
	configs.NotNegative(report, "memory.system_gib", m.Memory.System)
	configs.NotNegative(report, "memory.pinned_gib", m.Memory.Pinned)
}

// load reads a preset of a folder, or a file NAME.toml.
func load(folder, name string, sets []string) (*configs.Document, error) {
	doc, err := configs.Load(folder+"/"+name, sets)
	if err != nil && strings.HasSuffix(name, ".toml") {
		doc, err = configs.Load(name, sets)
	}
	return doc, err
}

// LoadMachine reads a machine and its host, files or presets of
// configs/flexgen and configs/hostio; the sets override the machine's keys.
func LoadMachine(name string, sets []string) (*Machine, error) {
	doc, err := load("flexgen", name, sets)
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

// Supports reports why a machine cannot run a policy, room aside.
func (m *Machine) Supports(p *Policy) error {
	if p.Direct && m.directToGPU.cold == nil {
		return fmt.Errorf("host %s: has no path direct_to_gpu, which reads past the host's memory need", m.Host)
	}
	return nil
}

// connect takes the paths from the host, by the names that they must have.
func (m *Machine) connect(h *hostio.Host) error {
	var fromDisk [3]*hostio.Path
	for _, want := range []struct {
		name     string
		path     **hostio.Path
		optional bool
	}{
		{"disk_to_gpu", &fromDisk[0], false},
		{"disk_to_cpu", &fromDisk[1], false},
		{"gpu_to_disk", &m.gpuToDisk, false},
		{"cpu_to_gpu", &m.cpuToGPU, false},
		{"direct_to_gpu", &fromDisk[2], true},
		{"swap_in", &m.swapIn, true},
		{"swap_out", &m.swapOut, true},
	} {
		if _, there := h.Paths[want.name]; !there && want.optional {
			continue
		}
		p, err := h.Path(want.name)
		if err != nil {
			return fmt.Errorf("host %s: %w", m.Host, err)
		}
		if err := known(p); err != nil {
			return fmt.Errorf("host %s: path %s: %w", m.Host, want.name, err)
		}
		*want.path = p
	}
	m.diskToGPU, m.diskToCPU = route{fromDisk[0], fromDisk[0].Held()}, route{fromDisk[1], fromDisk[1].Held()}
	m.directToGPU = route{cold: fromDisk[2]}
	m.pinnedToGPU = &hostio.Path{Threads: m.cpuToGPU.Threads, Legs: m.cpuToGPU.Legs[len(m.cpuToGPU.Legs)-1:]}
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
	Main // the runtime's main thread, which pins pageable tensors
	resources
)

// names of resources, by number; a path's stages name those from the link on so.
var names = [resources]string{"gpu", "cpu", "link_in", "link_out", "drive", "main"}

// String returns the resource's name.
func (r Resource) String() string { return names[r] }
