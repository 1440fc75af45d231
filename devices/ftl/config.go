package ftl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hwsim/devices/flash"
)

// Config describes a translation layer.
type Config struct {
	Allocation    string  `toml:"allocation"`     // an order of C, W, D, P; consecutive logical pages go over the first fastest
	Superblock    bool    `toml:"superblock"`     // the planes of a die are written and collected as one, page by page in turn
	OverProvision float64 `toml:"over_provision"` // fraction of the flash that holds no logical page
	Collect       string  `toml:"collect"`        // greedy, random_greedy
	Drawn         int     `toml:"drawn"`          // blocks that random greedy chooses among
	Threshold     float64 `toml:"threshold"`      // free fraction of a plane's blocks below which it collects
	Preemptible   bool    `toml:"preemptible"`    // the host goes before collection as long as a plane has more than the reserve
	Reserve       int     `toml:"reserve"`        // free blocks of a plane that only collection may use
	CacheEntries  int     `toml:"cache_entries"`  // entries of the map in memory; 0: all
	MapPageBytes  int     `toml:"map_page_bytes"` // read for a missing entry
	MapWrites     bool    `toml:"map_writes"`     // changed entries that leave the cache are written to mapping pages in the flash
	WearSpread    int     `toml:"wear_spread"`    // erases of a plane's most worn block above those of a block that holds data, from which on that is moved; 0: never
	Seed          uint64  `toml:"seed"`           // seed of the blocks drawn
}

// Validate reports values that no translation layer has.
func (c *Config) Validate(report func(key, message string)) {
	if letters := strings.Split(c.Allocation, ""); !isOrder(letters) {
		report("allocation", "must be an order of the letters C, W, D, P")
	}
	if c.Collect != "greedy" && c.Collect != "random_greedy" {
		report("collect", "must be greedy or random_greedy")
	}
	if c.Collect == "random_greedy" && (c.Drawn < 1 || c.Drawn > 1<<16) {
		report("drawn", "must be 1 to 65536 with random_greedy")
	}
	if !(c.OverProvision > 0 && c.OverProvision < 1) {
		report("over_provision", "must be above 0 and below 1")
	}
	if !(c.Threshold >= 0 && c.Threshold < 1) {
		report("threshold", "must be at least 0 and below 1")
	}
	if c.Reserve < 1 || c.Reserve > 1024 {
		report("reserve", "must be 1 to 1024")
	}
	if c.CacheEntries < 0 || c.CacheEntries > 1<<20 || c.CacheEntries%cacheWays != 0 {
		report("cache_entries", fmt.Sprintf("must be a multiple of %d, at most 1048576", cacheWays))
	}
	if c.CacheEntries > 0 && (c.MapPageBytes < 1 || c.MapPageBytes > 1<<20) {
		report("map_page_bytes", "must be 1 to 1048576 with cache_entries")
	}
	if c.MapWrites && c.CacheEntries == 0 {
		report("map_writes", "must be false without cache_entries")
	}
	if c.WearSpread < 0 || c.WearSpread > 1<<20 {
		report("wear_spread", "must be 0 to 1048576")
	}
}

func isOrder(letters []string) bool {
	sorted := slices.Sorted(slices.Values(letters))
	return slices.Equal(sorted, []string{"C", "D", "P", "W"})
}

// Room reports an over-provision that leaves a plane no room to collect: two
// of its blocks are open and the reserve is free. Mapping pages take room too.
func (c *Config) Room(g *flash.Geometry, report func(key, message string)) {
	need := float64(2+c.Reserve) / float64(g.Blocks)
	if c.MapWrites {
		need += float64(entryBytes) / float64(g.PageBytes)
	}
	if c.OverProvision < need {
		report("over_provision", fmt.Sprintf("must be at least %.3g with %d blocks in a plane", need, g.Blocks))
	}
}

// fit returns all that is wrong with a layer on a geometry.
func (c *Config) fit(g *flash.Geometry) error {
	var errs []error
	report := func(key, message string) { errs = append(errs, fmt.Errorf("ftl: %s %s", key, message)) }
	c.Validate(report)
	g.Validate(report)
	if len(errs) == 0 {
		c.Room(g, report)
	}
	return errors.Join(errs...)
}

// planes returns the plane of each of the first logical pages, one for each
// plane of the flash.
func (c *Config) planes(g *flash.Geometry) []uint32 {
	size := map[byte]int{'C': g.Channels, 'W': g.Ways, 'D': g.Dies, 'P': g.Planes}
	table := make([]uint32, g.AllPlanes())
	for i := range table {
		at := map[byte]int{}
		rest := i
		for _, letter := range []byte(c.Allocation) {
			at[letter] = rest % size[letter]
			rest /= size[letter]
		}
		table[i] = uint32(((at['C']*g.Ways+at['W'])*g.Dies+at['D'])*g.Planes + at['P'])
	}
	return table
}
