package gpu

import "hwsim/devices/card"

// Config describes the compute side of a GPU.
type Config struct {
	SMs              int     `toml:"sms"`                   // streaming multiprocessors, 1 to 4096
	ClockMHz         float64 `toml:"clock_mhz"`             // MHz of SMs under load
	Registers        int     `toml:"registers"`             // 32-bit registers a SM
	SharedBytes      int     `toml:"shared_bytes"`          // shared memory a SM, for CTAs
	Threads          int     `toml:"threads"`               // resident threads a SM
	CTAs             int     `toml:"ctas"`                  // resident CTAs a SM
	TensorTFLOPS     float64 `toml:"tensor_tflops"`         // dense bf16, all SMs, in the mean: what power allows
	TensorPeak       float64 `toml:"tensor_peak_tflops"`    // the same at the clock that a tile computes at; tensor_tflops if that is more
	PowerNs          float64 `toml:"power_ns"`              // over which power is the mean: tiles run at the peak after as long a pause
	VectorTFLOPS     float64 `toml:"vector_tflops"`         // fp32 outside the tensor cores
	GPCs             int     `toml:"gpcs"`                  // clusters of SMs; 0: one for 16 SMs
	FillFirst        int     `toml:"fill_first"`            // SMs of the first GPC that a grid fills before it goes round the GPCs
	PortBytesPerClk  float64 `toml:"port_bytes_per_clock"`  // crossbar into one SM
	GPCBytesPerClk   float64 `toml:"gpc_bytes_per_clock"`   // crossbar into a GPC; 0: no limit
	SMBytes          int     `toml:"sm_bytes"`              // of reads of the L2 under way at most, for each SM of a GPC together; 0: any number
	StoreBytesPerClk float64 `toml:"store_bytes_per_clock"` // out of one SM by warps' stores, not those of a CTA's end, whole tiles; 0: port_bytes_per_clock
	RequestsPerClock float64 `toml:"requests_per_clock"`    // requests one SM sends
	LaunchNs         float64 `toml:"launch_ns"`             // empty kernel, first CTA to end
	GapNs            float64 `toml:"gap_ns"`                // end of a kernel to the start of the next in a graph
	AgainNs          float64 `toml:"again_ns"`              // both, for the kernel that has just run, empty; 0: as for any
	CTANs            float64 `toml:"cta_ns"`                // dispatcher's time for one CTA
	RemoteNs         float64 `toml:"remote_ns"`             // SM to a link's port, one way
	BarrierNs        float64 `toml:"barrier_ns"`            // barrier of a grid, beyond the crossings to its counter and back
	L1Bytes          int     `toml:"l1_bytes"`              // L1 a SM, for kernels that read through it; 0: none
	L1HitNs          float64 `toml:"l1_hit_ns"`             // load to use

	Energy *card.GPU   `toml:"energy"` // nil: energy and cost are not told
	Price  *card.Price `toml:"price"`  // of the board without its memory, in $; nil: cost is not told
}

// PeakTFLOPS returns the tensor cores' rate while power does not limit it.
func (c *Config) PeakTFLOPS() float64 { return max(c.TensorPeak, c.TensorTFLOPS) }

// Validate reports values that no GPU can have.
func (c *Config) Validate(report func(key, message string)) {
	for _, v := range []struct {
		key string
		bad bool
	}{{"sms", c.SMs < 1 || c.SMs > 4096}, {"clock_mhz", c.ClockMHz <= 0}, {"registers", c.Registers < 1}, {"shared_bytes", c.SharedBytes < 1},
		{"threads", c.Threads < 32 || c.Threads > 1<<16}, {"ctas", c.CTAs < 1 || c.CTAs > 1024}, {"tensor_tflops", c.TensorTFLOPS <= 0}, {"vector_tflops", c.VectorTFLOPS <= 0},
		{"port_bytes_per_clock", c.PortBytesPerClk <= 0}, {"requests_per_clock", c.RequestsPerClock <= 0}} {
		if v.bad {
			report(v.key, "must be positive, and no more than a GPU can have")
		}
	}
	for _, v := range []struct {
		key   string
		value float64
	}{{"gpcs", float64(c.GPCs)}, {"fill_first", float64(c.FillFirst)}, {"gpc_bytes_per_clock", c.GPCBytesPerClk}, {"store_bytes_per_clock", c.StoreBytesPerClk}, {"tensor_peak_tflops", c.TensorPeak}} {
		if v.value < 0 {
			report(v.key, "must not be negative")
		}
	}
	if c.SMs > 0 && c.GPCs > (c.SMs+1)/2 {
		report("gpcs", "must be at most one for two SMs")
	}
	if c.SMs > 0 && c.FillFirst > c.SMs {
		report("fill_first", "must be at most sms")
	}
	if c.SMBytes != 0 && (c.SMBytes < turnBytes || c.SMBytes > 1<<24) {
		report("sm_bytes", "must be 0, or 2048 to 16777216")
	}
	if c.L1Bytes < 0 || c.L1Bytes > 1<<24 {
		report("l1_bytes", "must be 0 to 16777216")
	}
	for _, v := range []struct {
		key string
		ns  float64
	}{{"launch_ns", c.LaunchNs}, {"gap_ns", c.GapNs}, {"again_ns", c.AgainNs}, {"cta_ns", c.CTANs}, {"remote_ns", c.RemoteNs}, {"barrier_ns", c.BarrierNs}, {"l1_hit_ns", c.L1HitNs}, {"power_ns", c.PowerNs}} {
		if v.ns < 0 {
			report(v.key, "must not be negative")
		}
	}
}
