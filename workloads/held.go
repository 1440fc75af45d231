package workloads

import (
	"math"

	"hwsim/devices"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// layMethod places what the policy keeps beside keys and values, and the
// buffers of its stages.
func (d *decode) layMethod() error {
	m := &d.layout.method
	if m.absent() {
		return nil
	}
	for n := range m.layers {
		for _, h := range m.layers[n].held {
			if err := d.layHeld(&m.layers[n], h); err != nil {
				return err
			}
		}
	}
	for _, lay := range []func() error{d.layScratch, d.layChoice, d.layHost, d.layRepeated} {
		if err := lay(); err != nil {
			return err
		}
	}
	return nil
}

// layHeld places an object unless it is resident keys or values, which the
// cache has placed.
func (d *decode) layHeld(l *methodLayer, h kv.Held) error {
	m := &d.layout.method
	keys, values := m.inCache()
	if h.Object == "keys" && keys || h.Object == "values" && values {
		return nil
	}
	if _, placed := l.at[h.Object]; placed {
		return nil
	}
	r, err := d.region("kv "+h.Object, h.Tier, l.bytes(h.Object))
	l.at[h.Object] = r
	return err
}

// region places bytes in a tier that a policy names.
func (d *decode) region(class string, t kv.Tier, bytes float64) (r kernels.Region, err error) {
	tier, err := hierarchy.ParseTier(string(t))
	if err != nil {
		return r, configError{err}
	}
	r.Bytes = uint64(math.Ceil(bytes))
	r.Addr, err = d.system.Space.Place(class, tier, r.Bytes)
	return r, err
}

// layScratch places the buffers that layers use in turn: keys and values that
// were computed or written out anew, side by side, and what is made and used
// within a step.
func (d *decode) layScratch() error {
	m := &d.layout.method
	type buffer struct {
		tier  kv.Tier
		bytes float64
	}
	most := map[string]buffer{}
	var names []string // in order
	for n := range m.layers {
		l := &m.layers[n]
		for _, f := range l.flows {
			name, bytes := l.scratch(&f)
			if name == "" || bytes == 0 {
				continue
			}
			if _, known := most[name]; !known {
				names = append(names, name)
			}
			most[name] = buffer{f.Tier, max(most[name].bytes, bytes)}
		}
	}
	for _, name := range names {
		r, err := d.region(classActivations, most[name].tier, most[name].bytes)
		if err != nil {
			return err
		}
		m.scratch[name] = r
	}
	return nil
}

// scratch returns the name and size of the buffer that a flow needs, none if it
// stays within what is kept.
func (l *methodLayer) scratch(f *kv.Flow) (name string, bytes float64) {
	_, kept := l.at["chosen "+f.Object]
	switch {
	case f.Stage == kv.Repeat:
		return scratchName(kv.Repeat, f.Object), f.Written
	case f.Stage == kv.Rebuild && !kept:
		return scratchName(kv.Rebuild, f.Object), f.Written
	case f.Object != "keys" && f.Object != "values" && !sentAway[f.Object] && l.bytes(f.Object) == 0:
		return scratchName(f.Stage, f.Object), max(f.Read, f.Written)
	}
	return "", 0
}

// scratchName names the buffer that a stage leaves an object in.
func scratchName(s kv.Stage, object string) string { return string(s) + " " + object }

// layChoice places the scores that tokens are chosen by and the choice.
func (d *decode) layChoice() (err error) {
	m := &d.layout.method
	if !m.policy.Chooses() {
		return nil
	}
	most := 0
	for i := range m.layers {
		most = max(most, mean(m.layers[i].kept)/d.unit()+1)
	}
	m.scores, err = d.place(classActivations, uint64(d.rows()*most)*4, nil)
	m.index, err = d.place(classActivations, uint64(d.rows()*most)*8, err)
	return err
}

// layRepeated places the parts of attention of every query head on its own.
func (d *decode) layRepeated() (err error) {
	m := &d.layout.method
	if !m.engine.RepeatsHeads {
		return nil
	}
	p, a := &d.config.Kernels.Attention, d.model.Attention()
	splits, _ := p.Split(&d.config.System.GPU, len(d.lengths), a.QHeads, d.longest())
	m.partial, err = d.place(classActivations, uint64(len(d.lengths)*a.QHeads*splits*p.GroupPad)*uint64(a.VDim*4+8), err)
	return err
}

// kept returns where an object of a layer lies: in regions of its own, or keys
// and values in the layer's part of the cache; seen: where kernels read it.
func (d *decode) kept(layer int, object string, seen bool) (s kernels.Stretch) {
	if r, ok := d.layout.method.layers[layer].at[object]; ok {
		return kernels.Stretch{r}
	}
	part := 0
	switch object {
	case "values":
		part = 1
	case "keys":
	default:
		return nil
	}
	c := &d.layout.kv.layers[layer]
	for t := range hierarchy.NumTiers {
		at := c.home[t][part]
		if seen {
			at = c.seen[t][part]
		}
		if bytes := uint64(c.count[t]) * c.cache.pageBytes(part); bytes > 0 {
			s = append(s, kernels.Region{Addr: at, Bytes: bytes})
		}
	}
	return s
}

// share adds so many bytes to those of an op, divided over the tiers that a
// stretch lies in.
func share(of *[hierarchy.NumTiers]uint64, s kernels.Stretch, bytes float64) {
	all := float64(s.Bytes())
	for _, r := range s {
		of[devices.Tier(r.Addr)] += uint64(bytes * float64(r.Bytes) / all)
	}
}
