package workloads

import (
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/kvalloc"
)

// layGroups maps the page groups of a virtually contiguous cache, and places
// what of them the cache's own bytes do not fill: last, so that the rest lies
// where it does without.
func (d *decode) layGroups() error {
	v := d.config.virtual()
	if v == nil {
		return nil
	}
	shape := kvalloc.ShapeOf(&d.model, d.config.KV.Dtype.size())
	ample := 2 * d.system.Space.Capacity(hierarchy.HBM) // every sequence can take as much again: whether it fits now is the space's to say
	a, err := kvalloc.NewVirtual(shape, ample, len(d.lengths), *v)
	if err != nil {
		return configError{err}
	}
	for _, n := range d.lengths {
		if _, _, ok := a.Admit(n, 0); !ok {
			return &hierarchy.CapacityError{Class: classGroups, Tier: hierarchy.HBM, Want: a.Mapped() + shape.Bytes(n), Size: ample / 2, Free: ample / 2}
		}
	}
	d.groups = a
	placed := uint64(0)
	for n := range d.layout.kv.layers {
		placed += d.layout.kv.layers[n].remote(hierarchy.HBM)
	}
	if mapped := a.Mapped(); mapped > placed {
		_, err = d.place(classGroups, mapped-placed, nil)
	}
	return err
}

// mapping returns what mapping memory costs steps of such a length.
func (d *decode) mapping(stepNs float64) (*MappingRow, error) {
	a := d.groups
	if a == nil {
		return nil, nil
	}
	row := &MappingRow{GroupBytes: d.config.virtual().WithDefaults().GroupBytes, GroupTokens: a.UnitTokens(), Mapped: a.Mapped(), Unused: a.Mapped() - a.Used()}
	calls, s, err := kvalloc.Decode(a, sim.FromNanoseconds(stepNs), row.GroupTokens)
	if err != nil {
		return nil, err
	}
	row.CallsPerStep = float64(calls) / float64(row.GroupTokens)
	row.StallNs = Quantiles{Mean: s.Mean.Nanoseconds(), P50: s.P50.Nanoseconds(), P99: s.P99.Nanoseconds(), Max: s.Max.Nanoseconds()}
	return row, nil
}
