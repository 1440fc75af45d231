package graph

import (
	"hwsim/devices"
	"hwsim/hierarchy"
)

// mark is a reading of all counters, so that what a stretch of time did can
// be taken as the difference of two and scaled.
type mark struct {
	machine hierarchy.Counters
	flows   [][flowFields]float64 // by class
}

// Fields of a class's counters; the causes follow.
const (
	flowRequests = iota
	flowRead
	flowWritten
	flowWhy
	flowFields = flowWhy + int(devices.NumCauses)
)

func (r *Run) newMark() mark { return mark{flows: make([][flowFields]float64, len(r.Graph.Classes))} }

// mark reads the counters, leaps included.
func (r *Run) mark() mark {
	m := r.newMark()
	m.machine = r.System.Counters()
	for f := range m.flows {
		s := r.System.GPU.Flow(uint8(f))
		v := &m.flows[f]
		v[flowRequests], v[flowRead], v[flowWritten] = float64(s.Requests), float64(s.Read), float64(s.Written)
		for c, t := range s.Why {
			v[flowWhy+c] = float64(t)
		}
	}
	if r.extra.flows != nil {
		m.addScaled(&r.extra, 1)
	}
	return m
}

func (m *mark) sub(o *mark) { m.addScaled(o, -1) }

func (m *mark) addScaled(o *mark, by float64) {
	for i, v := range o.machine {
		m.machine[i] += v * by
	}
	for f := range m.flows {
		for i, v := range o.flows[f] {
			m.flows[f][i] += v * by
		}
	}
}
