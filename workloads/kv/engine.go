package kv

// Engine is a framework, by what it adds to a method: traffic of its own and
// time on the host.
type Engine struct {
	Name         string  `toml:"name"`
	JoinsCache   bool    `toml:"joins_cache"`       // every token copies the whole cache (a concatenation)
	RepeatsHeads bool    `toml:"repeats_heads"`     // keys and values are written out for every query head
	HostNs       float64 `toml:"host_ns_per_layer"` // host time of a layer that no kernel hides
}

// Sum adds up the flows that a filter lets through: bytes read and written.
func (l *Layer) Sum(of func(f *Flow) bool) (read, written float64) {
	for i := range l.Flows {
		if f := &l.Flows[i]; of(f) {
			read, written = read+f.Read, written+f.Written
		}
	}
	return read, written
}

// Plain reports whether the framework adds nothing.
func (e *Engine) Plain() bool { return !e.JoinsCache && !e.RepeatsHeads && e.HostNs == 0 }

// Add joins what layers or sequences hold, by object and tier.
func Add(sum, more []Held) []Held {
next:
	for _, h := range more {
		for i := range sum {
			if s := &sum[i]; s.Object == h.Object && s.Tier == h.Tier {
				s.Bytes += h.Bytes
				continue next
			}
		}
		sum = append(sum, h)
	}
	return sum
}

// AddFlows joins flows, by object, stage, tier and run.
func AddFlows(sum, more []Flow) []Flow {
next:
	for _, f := range more {
		for i := range sum {
			if s := &sum[i]; s.Object == f.Object && s.Stage == f.Stage && s.Tier == f.Tier && s.Run == f.Run {
				s.Read, s.Written = s.Read+f.Read, s.Written+f.Written
				continue next
			}
		}
		sum = append(sum, f)
	}
	return sum
}
