package validation

import (
	"fmt"
	"slices"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/workloads"
)

// machine is what the tables are compared with.
type machine struct {
	config string           // name or file
	sets   []string         // values of the configuration that differ
	system hierarchy.Config // not changed: simulations run side by side
	bare   bool             // config has no model and kernels, only a system
	peak   [hierarchy.NumTiers]float64
}

// newMachine reads a configuration, of which the system counts, or a system.
// The sets are values of the system that differ.
func newMachine(config string, sets ...string) (*machine, error) {
	d, err := configs.Load(config, nil)
	if err != nil {
		return nil, inputError{err}
	}
	m := &machine{config: config}
	_, m.bare = d.Get("gpu")
	for _, set := range sets {
		m.sets = append(m.sets, m.key(set))
	}
	if d, err = configs.Load(config, m.sets); err != nil {
		return nil, inputError{err}
	}
	if m.bare {
		err = d.Decode(&m.system)
	} else {
		var c workloads.Config
		err = d.Decode(&c)
		m.system = c.System
	}
	if err != nil {
		return nil, inputError{err}
	}
	s, err := hierarchy.Build(&m.system)
	if err != nil {
		return nil, inputErrorf("config %q: %w", config, err)
	}
	m.peak[hierarchy.HBM] = s.PeakGBps(hierarchy.HBM)
	if h := m.system.Host; h != nil && h.DDR != nil {
		m.peak[hierarchy.DDR] = min(s.PeakGBps(hierarchy.DDR), h.Link.RawGBps)
	}
	if p := m.system.Peer; p != nil {
		m.peak[hierarchy.PeerHBM] = min(s.PeakGBps(hierarchy.PeerHBM), p.Link.RawGBps)
	}
	return m, nil
}

// key returns where the configuration has a value of the system.
func (m *machine) key(key string) string {
	if m.bare {
		return key
	}
	return "system." + key
}

// System reads the system of a configuration, or one that is alone in its
// file, and where its values are: before their keys stands the prefix.
func System(config string) (c *hierarchy.Config, prefix string, err error) {
	m, err := newMachine(config)
	if err != nil {
		return nil, "", err
	}
	return &m.system, m.key(""), nil
}

// route is the way that measured bytes took: to a memory tier, within so many
// bytes of it, over a link in one direction or in both.
type route struct {
	tier  hierarchy.TierID
	bytes uint64 // working set
	both  bool
}

// most returns the greatest rate that the machine can show on a route, in
// GB/s, and what bounds it, "" if nothing does. Of random or repeated accesses
// to HBM the L2 serves its share of the working set at best; of what lies
// behind a link no cache keeps anything.
func (m *machine) most(r *route) (gbps float64, bound string) {
	if r == nil || m.peak[r.tier] == 0 {
		return 0, ""
	}
	peak := m.peak[r.tier]
	switch missed := 1 - float64(m.system.L2.Bytes)/float64(r.bytes); {
	case r.tier != hierarchy.HBM && r.both:
		return 2 * peak, "link"
	case r.tier != hierarchy.HBM:
		return peak, "link"
	case missed > 0:
		return peak / missed, "HBM"
	}
	return 0, ""
}

// load returns the configuration with some values set.
func (m *machine) load(sets ...string) (*workloads.Config, string, error) {
	if m.bare {
		return nil, "", fmt.Errorf("%s is a system without kernels, not a configuration", m.config)
	}
	d, err := configs.Load(m.config, slices.Concat(m.sets, sets))
	if err != nil {
		return nil, "", err
	}
	var c workloads.Config
	if err := d.Decode(&c); err != nil {
		return nil, "", err
	}
	return &c, d.Hash(), nil
}
