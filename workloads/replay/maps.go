package replay

import (
	"cmp"
	"runtime"
	"slices"

	"hwsim/devices/dram"
)

// AddressMap is a way to spread a device's addresses.
type AddressMap struct {
	Name    string // a, b or gpu
	Order   string // of fields, as dram.Config has it
	Hash    bool   // of rows into banks
	Granule uint64 // bytes; 0 where there is one channel
}

// AddressMaps returns the maps worth a trial on so many channels of standard
// s: each order with and without hash, and over several channels with
// granules of 256 B to 4 KiB.
func AddressMaps(s *dram.Spec, channels int) []AddressMap {
	orders := []AddressMap{{Name: "a", Order: dram.MapA}, {Name: "b", Order: dram.MapB}}
	if s.PseudoChannels > 1 {
		orders = append(orders, AddressMap{Name: "gpu", Order: dram.MapGPU})
	}
	granules := []uint64{0}
	if channels > 1 {
		granules = []uint64{256, 512, 1024, 4096}
	}
	var all []AddressMap
	for _, m := range orders {
		for _, m.Hash = range []bool{false, true} {
			for _, m.Granule = range granules {
				all = append(all, m)
			}
		}
	}
	return all
}

// Trial is what a stream took with an address map.
type Trial struct {
	AddressMap
	*Result
}

// Try runs the requests of src on so many channels of cfg with every map, and
// returns the trials from the highest bandwidth to the lowest, equal ones in
// the order of maps.
func Try(maps []AddressMap, cfg dram.Config, channels int, src Source, p Pace) ([]Trial, error) {
	trials, errs := make([]Trial, len(maps)), make([]error, len(maps))
	parallel(runtime.GOMAXPROCS(0), len(maps), func(i int) {
		trials[i].AddressMap = maps[i]
		trials[i].Result, errs[i] = maps[i].run(cfg, channels, src.Copy(), p)
	})
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(trials, func(a, b Trial) int { return cmp.Compare(b.GBps, a.GBps) })
	return trials, nil
}

// run runs the requests of src with map m. Its channels take turns: other maps
// keep the other processors busy.
func (m *AddressMap) run(cfg dram.Config, channels int, src Source, p Pace) (*Result, error) {
	cfg.Map, cfg.Hash = m.Order, &m.Hash
	a, err := NewArray(cfg, channels, m.Granule)
	if err != nil {
		return nil, err
	}
	a.Workers = 1
	return a.Run(src, p), nil
}
