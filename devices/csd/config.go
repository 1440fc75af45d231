package csd

import (
	"errors"
	"fmt"

	"hwsim/devices/dram"
	"hwsim/devices/flash"
)

// Config describes a device that attends: an engine over flash or over memory.
type Config struct {
	LinkGBps  float64 `toml:"link_gbps"`  // to the host, each way, payload
	CommandUs float64 `toml:"command_us"` // of the host, for each attend command
	DRAMGiB   float64 `toml:"dram_gib"`   // of a drive, where pages are gathered; only reported: no limit is enforced. 0: not flash

	Layout   Layout         `toml:"layout"`
	Unit     Unit           `toml:"engine"`
	Sparsity Sparsity       `toml:"sparsity"`
	PECycles int            `toml:"pe_cycles"` // program and erase cycles that a block endures; 0: not flash
	Flash    *flash.Config  `toml:"flash"`
	Memory   *MemoryDevices `toml:"memory"`
}

// Layout says what a piece, the unit of reading, holds of one head.
type Layout struct {
	HeadDim       int  `toml:"head_dim"`       // channels of a head
	ValueBytes    int  `toml:"value_bytes"`    // of a number
	TokenGroup    int  `toml:"token_group"`    // tokens of a piece of keys or values
	ChannelGroup  int  `toml:"channel_group"`  // channels of a piece by which approximate scores read keys
	ChannelTokens int  `toml:"channel_tokens"` // and its tokens
	SecondCopy    bool `toml:"second_copy"`    // those pieces are a copy of their own, indexed by channel
}

// Unit is the attention engine.
type Unit struct {
	ClockMHz         float64 `toml:"clock_mhz"`         // MHz of the engine
	GeMVGFLOPS       float64 `toml:"gemv_gflops"`       // of each of the two kernels
	ScoresPerCycle   float64 `toml:"scores_per_cycle"`  // scores a cycle of softmax and of argtopk
	FilterGBps       float64 `toml:"filter_gbps"`       // of each channel's filter; 0: none
	ExactHeads       int     `toml:"exact_heads"`       // heads whose keys and values are being read or used
	ApproximateHeads int     `toml:"approximate_heads"` // heads before that, sparse only
}

// Sparsity is how much of the cache a head chooses, and how close together.
type Sparsity struct {
	Ratio   float64 `toml:"ratio"`    // share of channels and of tokens that are chosen
	RunMean float64 `toml:"run_mean"` // chosen tokens, and channels, that lie side by side, mean
	Seed    uint64  `toml:"seed"`     // seed of which tokens and channels are chosen
}

// MemoryDevices are DRAM channels beside the engine.
type MemoryDevices struct {
	Channels     int         `toml:"channels"`      // channels of DRAM
	CapacityGiB  float64     `toml:"capacity_gib"`  // GiB of all channels
	GranuleBytes int         `toml:"granule_bytes"` // interleave over channels
	DRAM         dram.Config `toml:"dram"`          // one channel
}

// kernels of an engine.
const kernels = 2

// TokenBytes returns the bytes of a piece of keys or values.
func (l *Layout) TokenBytes() int { return l.TokenGroup * l.rowBytes() }

// Copies returns the bytes kept for one of keys and values.
func (l *Layout) Copies() float64 {
	if l.SecondCopy {
		return 1.5
	}
	return 1
}

// rowBytes returns the bytes of one token's key.
func (l *Layout) rowBytes() int { return l.HeadDim * l.ValueBytes }

// ColumnBytes returns the bytes of a piece that approximate scores read.
func (l *Layout) ColumnBytes() int { return l.ChannelGroup * l.ChannelTokens * l.ValueBytes }

// Validate reports layouts that cannot be.
func (l *Layout) Validate(report func(key, message string)) {
	for _, f := range []struct {
		key   string
		value int
	}{
		{"head_dim", l.HeadDim}, {"value_bytes", l.ValueBytes}, {"token_group", l.TokenGroup},
		{"channel_group", l.ChannelGroup}, {"channel_tokens", l.ChannelTokens},
	} {
		count(report, f.key, f.value, 1<<12)
	}
	if l.ChannelGroup > 0 && l.HeadDim%l.ChannelGroup != 0 {
		report("channel_group", "must divide head_dim")
	}
}

// Validate reports engines that cannot be.
func (u *Unit) Validate(report func(key, message string)) {
	positive(report, "clock_mhz", u.ClockMHz)
	positive(report, "gemv_gflops", u.GeMVGFLOPS)
	positive(report, "scores_per_cycle", u.ScoresPerCycle)
	if !(u.FilterGBps >= 0 && u.FilterGBps <= most) {
		report("filter_gbps", fmt.Sprintf("must be 0 to %g", most))
	}
	count(report, "exact_heads", u.ExactHeads, maxHeads)
	count(report, "approximate_heads", u.ApproximateHeads, maxHeads)
}

// Validate reports shares that cannot be.
func (s *Sparsity) Validate(report func(key, message string)) {
	if !(s.Ratio > 0 && s.Ratio <= 0.5) {
		report("ratio", "must be above 0, to 0.5")
	}
	if !(s.RunMean >= 1 && s.RunMean <= 1<<12) {
		report("run_mean", "must be 1 to 4096")
	}
}

// Validate reports memory that cannot be; its DRAM checks itself.
func (m *MemoryDevices) Validate(report func(key, message string)) {
	count(report, "channels", m.Channels, 256)
	positive(report, "capacity_gib", m.CapacityGiB)
	if m.GranuleBytes < 1 || m.GranuleBytes > 1<<20 || m.GranuleBytes&(m.GranuleBytes-1) != 0 {
		report("granule_bytes", "must be a power of two to 1048576")
	}
}

// Validate reports what does not go together; the tables check themselves.
func (c *Config) Validate(report func(key, message string)) {
	positive(report, "link_gbps", c.LinkGBps)
	if !(c.CommandUs >= 0 && c.CommandUs <= most) {
		report("command_us", fmt.Sprintf("must be 0 to %g", most))
	}
	if !(c.DRAMGiB >= 0 && c.DRAMGiB <= most) {
		report("dram_gib", fmt.Sprintf("must be 0 to %g", most))
	}
	switch {
	case (c.Flash == nil) == (c.Memory == nil):
		report("flash", "or memory: one of the two tables must be there")
	case c.Flash != nil:
		c.validateFlash(report)
	default:
		c.validateMemory(report)
	}
}

func (c *Config) validateMemory(report func(key, message string)) {
	token, column := c.Layout.TokenBytes(), c.Layout.ColumnBytes()
	switch {
	case c.Layout.SecondCopy || c.Layout.ChannelTokens != 1:
		report("layout.second_copy", "must be false with memory, and channel_tokens 1: keys lie once, by token")
	case token == 0 || column == 0: // reported there
	case c.Memory.GranuleBytes%token != 0 || token%column != 0:
		report("memory.granule_bytes", fmt.Sprintf("must be a multiple of the pieces of %d and %d bytes", token, column))
	}
}

func (c *Config) validateFlash(report func(key, message string)) {
	if page := c.Flash.PageBytes; c.Layout.TokenBytes() != page {
		report("layout.token_group", fmt.Sprintf("must fill a page of %d bytes", page))
	} else if c.Layout.ColumnBytes() != page {
		report("layout.channel_tokens", fmt.Sprintf("must fill a page of %d bytes with channel_group", page))
	}
	if !c.Layout.SecondCopy {
		report("layout.second_copy", "must be true with flash")
	}
	if c.PECycles < 1 || c.PECycles > 1e7 {
		report("pe_cycles", "must be 1 to 10000000 with flash")
	}
}

// Bounds of settings.
const (
	most       = 1e6
	maxHeads   = 256
	maxQueries = 256
)

func positive(report func(key, message string), key string, v float64) {
	if !(v > 0 && v <= most) {
		report(key, fmt.Sprintf("must be above 0, to %g", most))
	}
}

func count(report func(key, message string), key string, v, most int) {
	if v < 1 || v > most {
		report(key, fmt.Sprintf("must be 1 to %d", most))
	}
}

// validated returns all reports as one error; flash and DRAM report their own.
func (c *Config) validated() error {
	var errs []error
	at := func(table string) func(key, message string) {
		return func(key, message string) { errs = append(errs, fmt.Errorf("csd: %s%s %s", table, key, message)) }
	}
	c.Layout.Validate(at("layout."))
	c.Unit.Validate(at("engine."))
	c.Sparsity.Validate(at("sparsity."))
	if c.Memory != nil {
		c.Memory.Validate(at("memory."))
	}
	if len(errs) == 0 {
		c.Validate(at(""))
	}
	return errors.Join(errs...)
}
