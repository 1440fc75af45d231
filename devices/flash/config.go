package flash

import (
	"errors"
	"fmt"
	"math"

	"hwsim/sim"
)

// Geometry is the shape of an array of flash.
type Geometry struct {
	Channels  int `toml:"channels"`   // channels, buses to chips
	Ways      int `toml:"ways"`       // chips of a channel
	Dies      int `toml:"dies"`       // dies of a chip
	Planes    int `toml:"planes"`     // planes of a die, that read and program together
	Blocks    int `toml:"blocks"`     // blocks of a plane
	Pages     int `toml:"pages"`      // pages of a block
	PageBytes int `toml:"page_bytes"` // bytes of a page's data
}

// AllPlanes returns the planes of the array.
func (g *Geometry) AllPlanes() int { return g.Channels * g.Ways * g.Dies * g.Planes }

// PlanePages returns the pages of one plane.
func (g *Geometry) PlanePages() int { return g.Blocks * g.Pages }

// Config describes an array of flash. Times are those of one plane; a
// multi-plane command takes its PlaneNs more for each further plane.
type Config struct {
	Geometry
	DieInterleave bool `toml:"die_interleave"` // dies of a chip work at once; else a chip is one unit
	CacheRead     bool `toml:"cache_read"`     // a die reads on while its last page leaves
	CommandsFirst bool `toml:"commands_first"` // a channel sends commands before read data, so that no die idles; else data first
	AnyOrder      bool `toml:"any_order"`      // a multi-plane program may take pages of a block out of their order, as MQSim does and NAND forbids

	Cell       string    `toml:"cell"`         // slc, mlc, tlc, qlc
	ReadUs     []float64 `toml:"read_us"`      // tR, one for all kinds of page or one for each bit of the cell, lowest first
	ProgramUs  []float64 `toml:"program_us"`   // tPROG, likewise
	EraseUs    float64   `toml:"erase_us"`     // tBERS
	ChannelGBs float64   `toml:"channel_gbps"` // GB/s of a channel's bus

	ReadCommandNs    float64 `toml:"read_command_ns"`    // command and address on the channel
	ReadPlaneNs      float64 `toml:"read_plane_ns"`      // ns more of a read for each further plane
	DataOutNs        float64 `toml:"data_out_ns"`        // before the data of a page
	ProgramCommandNs float64 `toml:"program_command_ns"` // ns of a program's command and address on the channel
	ProgramPlaneNs   float64 `toml:"program_plane_ns"`   // ns more of a program for each further plane
	EraseCommandNs   float64 `toml:"erase_command_ns"`   // ns of an erase's command and address on the channel
	ErasePlaneNs     float64 `toml:"erase_plane_ns"`     // ns more of an erase for each further plane

	Cycles int `toml:"cycles"` // programs and erases that a block endures; 0: not given

	SuspendProgramUs float64 `toml:"suspend_program_us"` // until a die can read; 0: programs are not suspended
	SuspendEraseUs   float64 `toml:"suspend_erase_us"`   // 0: erases are not

	RetryProbability float64 `toml:"retry_probability"` // probability that a read needs retries
	RetrySteps       int     `toml:"retry_steps"`       // retries of a read, at most
	RetryUs          float64 `toml:"retry_us"`          // of each
	Seed             uint64  `toml:"seed"`              // seed of the retries
}

// kinds of page for each cell: how many, in the order of the cell's bits.
var cellBits = map[string]int{"slc": 1, "mlc": 2, "tlc": 3, "qlc": 4}

// Units returns how many commands the cells run at once: one in each die, or in
// each chip whose dies do not interleave.
func (c *Config) Units() int {
	units := c.Channels * c.Ways
	if c.DieInterleave {
		units *= c.Dies
	}
	return units
}

// Validate reports values that no array has; Geometry checks its own.
func (c *Config) Validate(report func(key, message string)) {
	bits, ok := cellBits[c.Cell]
	if !ok {
		report("cell", "must be slc, mlc, tlc or qlc")
	}
	times := func(key string, us []float64) {
		if len(us) != 1 && len(us) != bits {
			report(key, fmt.Sprintf("must be one time, or %d for the bits of the cell", bits))
		}
		for _, t := range us {
			between(report, key, t, 1e-3, 1e6)
		}
	}
	times("read_us", c.ReadUs)
	times("program_us", c.ProgramUs)
	between(report, "erase_us", c.EraseUs, 0, 1e6)
	between(report, "channel_gbps", c.ChannelGBs, 1e-3, 1e3)
	between(report, "read_command_ns", c.ReadCommandNs, 0, 1e6)
	between(report, "read_plane_ns", c.ReadPlaneNs, 0, 1e6)
	between(report, "data_out_ns", c.DataOutNs, 0, 1e6)
	between(report, "program_command_ns", c.ProgramCommandNs, 0, 1e6)
	between(report, "program_plane_ns", c.ProgramPlaneNs, 0, 1e6)
	between(report, "erase_command_ns", c.EraseCommandNs, 0, 1e6)
	between(report, "erase_plane_ns", c.ErasePlaneNs, 0, 1e6)
	between(report, "suspend_program_us", c.SuspendProgramUs, 0, 1e6)
	between(report, "suspend_erase_us", c.SuspendEraseUs, 0, 1e6)
	if c.Cycles < 0 || c.Cycles > 1<<30 {
		report("cycles", "must be 0 to 1073741824")
	}
	between(report, "retry_probability", c.RetryProbability, 0, 1)
	between(report, "retry_us", c.RetryUs, 0, 1e6)
	if c.RetrySteps < 0 || c.RetrySteps > 64 || (c.RetryProbability > 0 && c.RetrySteps == 0) {
		report("retry_steps", "must be 0 to 64, and above 0 with a probability")
	}
}

// Validate reports shapes that no array has.
func (g *Geometry) Validate(report func(key, message string)) {
	count := func(key string, v, most int) {
		if v < 1 || v > most {
			report(key, fmt.Sprintf("must be 1 to %d", most))
		}
	}
	count("channels", g.Channels, 64)
	count("ways", g.Ways, 64)
	count("dies", g.Dies, 16)
	count("planes", g.Planes, maxPlanes)
	count("blocks", g.Blocks, 1<<20)
	count("pages", g.Pages, 1<<14)
	count("page_bytes", g.PageBytes, 1<<20)
	if g.Ways*g.Dies > 64 {
		report("dies", "must be at most 64 on a channel")
	}
	if pages := float64(g.AllPlanes()) * float64(g.PlanePages()); pages >= math.MaxUint32 {
		report("blocks", "must leave fewer than 2^32 pages in all")
	}
}

func between(report func(key, message string), key string, v, lo, hi float64) {
	if !(v >= lo && v <= hi) {
		report(key, fmt.Sprintf("must be %g to %g", lo, hi))
	}
}

// validated returns all of Validate's reports as one error.
func (c *Config) validated() error {
	var errs []error
	report := func(key, message string) { errs = append(errs, fmt.Errorf("flash: %s %s", key, message)) }
	c.Geometry.Validate(report)
	c.Validate(report)
	return errors.Join(errs...)
}

// pageKind returns which of the cell's bits a page of a block holds. The order
// is MQSim's: a TLC block begins with low pages, as its word lines are
// programmed in a staircase.
func pageKind(bits, page int) int {
	if bits != 3 {
		return page % bits
	}
	switch {
	case page < 6:
		return 0
	case page < 8:
		return 1
	}
	return (page - 8) >> 1 % 3
}

// pageTimes returns the time of every page of a block.
func pageTimes(us []float64, bits, pages int) []sim.Time {
	times := make([]sim.Time, pages)
	for p := range times {
		times[p] = micros(us[pageKind(bits, p)%len(us)])
	}
	return times
}

func micros(us float64) sim.Time { return sim.FromNanoseconds(us * 1e3) }
