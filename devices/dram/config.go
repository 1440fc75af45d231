package dram

import (
	"fmt"
	"strings"
)

// Config is a memory controller's settings. Zero values take the defaults
// named in each comment.
type Config struct {
	Standard     string `toml:"standard"`      // a name of Standards
	Refresh      string `toml:"refresh"`       // "all_bank" (default), "staggered": the same, ranks and pseudo-channels in turn, "per_bank", "same_bank", "none"
	RefreshFirst bool   `toml:"refresh_first"` // per_bank, same_bank: banks in order, all else waits for a refresh due (as Ramulator's); default false
	Postpone     int    `toml:"postpone"`      // most tREFI a refresh waits for busy banks, 1 to 8 (JEDEC's limit); default 8 for per_bank and same_bank, else none
	PullIn       int    `toml:"pull_in"`       // most tREFI that idle banks are refreshed ahead; with postpone at most 8; default 0

	QueueDepth      int     `toml:"queue_depth"`       // read bursts the scheduler sees; default 128
	WriteQueueDepth int     `toml:"write_queue_depth"` // write bursts it sees; default 128
	DrainHigh       float64 `toml:"drain_high"`        // writes drain from this share of WriteQueueDepth; default 0.8
	DrainLow        float64 `toml:"drain_low"`         // down to this share of it; default 0.1

	Scheduler string `toml:"scheduler"` // "frfcfs" (default): ready first, then oldest; "fcfs": the oldest request only
	HitCap    int    `toml:"hit_cap"`   // younger row hits served before an older conflict closes the row; default 4, -1 none

	Page          string  `toml:"page"`           // "open" (default); "closed": close a row nobody queued wants; "adaptive": when it has not been used for PageIdleNs
	PageIdleNs    float64 `toml:"page_idle_ns"`   // adaptive: default 100, a choice
	PageCap       int     `toml:"page_cap"`       // column commands after which a row is closed; default 0: any number
	AutoPrecharge bool    `toml:"auto_precharge"` // page_cap: a column that comes before the PRE closes the row itself (RDA, WRA); default false

	InlineECC int `toml:"inline_ecc"` // one burst in so many of a row holds the others' check bits (GDDR6 16, LPDDR 8); default 0: none, or beside the data

	Forward bool `toml:"forward"` // a read whose bytes are all in queued writes is answered from them; default false: caches above do so

	PowerDownNs float64 `toml:"power_down_ns"` // idle time after which the channel powers down; default 0: never

	Map  string `toml:"map"`       // field order, see MapA; "A", "B"; default MapGPU on HBM, MapB on DDR
	Hash *bool  `toml:"bank_hash"` // XOR bank and group with row bits; default true

	Ranks int `toml:"ranks"` // ranks or stack ids, instead of the standard's
	Rows  int `toml:"rows"`  // rows of a bank, instead of the standard's

	TimingsNs map[string]float64 `toml:"timings_ns"` // single timings in ns, by JEDEC name ("tFAW")
}

// withDefaults returns c with its zero values replaced.
func (c Config) withDefaults() Config {
	setDefault(&c.Refresh, "all_bank")
	setDefault(&c.Scheduler, "frfcfs")
	setDefault(&c.Page, "open")
	setDefault(&c.PageIdleNs, 100)
	if c.Refresh == "per_bank" || c.Refresh == "same_bank" {
		setDefault(&c.Postpone, 8-max(0, min(c.PullIn, 7)))
	}
	setDefault(&c.QueueDepth, 128)
	setDefault(&c.WriteQueueDepth, 128)
	setDefault(&c.DrainHigh, 0.8)
	setDefault(&c.DrainLow, 0.1)
	setDefault(&c.HitCap, 4)
	if c.Hash == nil {
		yes := true
		c.Hash = &yes
	}
	return c
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Validate reports settings that no controller can have.
func (c *Config) Validate(report func(key, message string)) {
	if c.Rows < 0 || c.Ranks < 0 || c.HitCap < -1 {
		report("rows", "and ranks must not be negative, and hit_cap not below -1")
	}
	for name, ns := range c.TimingsNs {
		if ns < 0 || name == "tREFI" && ns < 100 || ns > 1e6 {
			report("timings_ns."+name, "must be 0 to 1e6, tREFI at least 100")
		}
	}
	d := c.withDefaults()
	if err := d.validate(); err != nil {
		report("standard", strings.TrimPrefix(err.Error(), "dram: "))
	} else if _, err := d.spec(); err != nil {
		report("standard", strings.TrimPrefix(err.Error(), "dram: "))
	}
}

// validate reports the first setting that cannot be.
func (c Config) validate() error {
	switch {
	case c.Refresh != "all_bank" && c.Refresh != "staggered" && c.Refresh != "per_bank" && c.Refresh != "same_bank" && c.Refresh != "none":
		return fmt.Errorf("dram: refresh %q is none of all_bank, staggered, per_bank, same_bank, none", c.Refresh)
	case c.Scheduler != "frfcfs" && c.Scheduler != "fcfs":
		return fmt.Errorf("dram: scheduler %q is neither frfcfs nor fcfs", c.Scheduler)
	case c.Page != "open" && c.Page != "closed" && c.Page != "adaptive":
		return fmt.Errorf("dram: page %q is none of open, closed, adaptive", c.Page)
	case !(c.PageIdleNs > 0 && c.PageIdleNs <= 1e6) || c.PageCap < 0:
		return fmt.Errorf("dram: page_idle_ns %g must be above 0 to 1e6 and page_cap %d not negative", c.PageIdleNs, c.PageCap)
	case !(c.PowerDownNs >= 0 && c.PowerDownNs <= 1e9):
		return fmt.Errorf("dram: power_down_ns %g must be 0 to 1e9", c.PowerDownNs)
	case c.Postpone < 0 || c.PullIn < 0 || c.Postpone+c.PullIn > 8:
		return fmt.Errorf("dram: postpone %d and pull_in %d must not be negative, and 8 tREFI at most together", c.Postpone, c.PullIn)
	case c.QueueDepth < 1 || c.WriteQueueDepth < 1:
		return fmt.Errorf("dram: queue depths %d and %d must be positive", c.QueueDepth, c.WriteQueueDepth)
	case c.DrainLow < 0 || c.DrainLow >= c.DrainHigh || c.DrainHigh > 1:
		return fmt.Errorf("dram: drain watermarks %g and %g must rise within 0 to 1", c.DrainLow, c.DrainHigh)
	}
	return nil
}

// spec returns the configured standard with its overrides applied.
func (c Config) spec() (*Spec, error) {
	s, err := Standard(c.Standard)
	if err != nil {
		return nil, err
	}
	if c.Ranks > 0 {
		s.Ranks = c.Ranks
	}
	if c.Rows > 0 {
		s.Rows = c.Rows
	}
	for name, ns := range c.TimingsNs {
		if err := s.override(name, ns); err != nil {
			return nil, err
		}
	}
	s.InlineECC = c.InlineECC
	switch {
	case c.InlineECC < 0 || c.InlineECC == 1 || c.InlineECC > 0 && s.RowBytes/s.BurstBytes%c.InlineECC != 0:
		return nil, fmt.Errorf("dram: inline_ecc %d: want 0 or a divisor of a row's %d bursts above 1", c.InlineECC, s.RowBytes/s.BurstBytes)
	case c.Refresh != "none" && s.T[TREFI] <= 2*s.T[TRFCAB]:
		return nil, fmt.Errorf("dram: tREFI of %d ticks leaves no time between refreshes of %d", s.T[TREFI], s.T[TRFCAB])
	case s.Banks() > 64:
		return nil, fmt.Errorf("dram: %d banks in a pseudo-channel, at most 64 (one mask word)", s.Banks())
	case c.Refresh == "per_bank" && !s.PerBank:
		return nil, fmt.Errorf("dram: %s has no per-bank refresh", s.Name)
	case c.Refresh == "same_bank" && !s.SameBank:
		return nil, fmt.Errorf("dram: %s has no same-bank refresh", s.Name)
	}
	return s, nil
}
