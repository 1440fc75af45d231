package kv

import "slices"

// Engine is a framework, by what it adds to a method: traffic of its own and
// time on the host.
type Engine struct {
	Name           string  `toml:"name"`              // that reports say; any text
	JoinsCache     bool    `toml:"joins_cache"`       // every token copies the whole cache (a concatenation)
	RepeatsHeads   bool    `toml:"repeats_heads"`     // keys and values are written out for every query head
	AttentionShare float64 `toml:"attention_share"`   // share of memory's rate, that its attention reaches at most; 0: as much as the kernels of the profile
	HostNs         float64 `toml:"host_ns_per_layer"` // ns of host time of a layer that no kernel hides
}

// LoadEngine reads an engine, a file or a preset of configs/engines; the sets
// override its keys.
func LoadEngine(name string, sets []string) (*Engine, error) {
	var c struct {
		Engine Engine `toml:"engine"`
	}
	return &c.Engine, load("engine", name, sets, &c)
}

// Validate reports what no engine can be.
func (e *Engine) Validate(report func(key, message string)) {
	share(report, "attention_share", e.AttentionShare)
	number(report, "host_ns_per_layer", e.HostNs, 0, 1e9)
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
func (e *Engine) Plain() bool {
	return !e.JoinsCache && !e.RepeatsHeads && e.HostNs == 0 && e.AttentionShare == 0
}

// Add joins what layers or sequences hold, by object and tier.
func Add(sum, more []Held) []Held {
next:
	for _, h := range more {
		for i := range sum {
			if s := &sum[i]; s.Object == h.Object && s.Tier == h.Tier && s.Common == h.Common {
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
			if s := &sum[i]; s.Object == f.Object && s.Stage == f.Stage && s.Tier == f.Tier && s.Run == f.Run && s.Common == f.Common {
				s.Read, s.Written = s.Read+f.Read, s.Written+f.Written
				continue next
			}
		}
		sum = append(sum, f)
	}
	return sum
}

// Batch adds up layers of sequences that are served together: what they have in
// common counts once.
func Batch(layers []Layer) Layer {
	out := Layer{FLOPs: map[Stage]float64{}}
	for i := range layers {
		l := &layers[i]
		n := float64(len(layers))
		out.Kept, out.Attended, out.Most = out.Kept+l.Kept/n, out.Attended+l.Attended/n, out.Most+l.Most/n
		held, flows := l.Held, l.Flows
		if i > 0 {
			held = slices.DeleteFunc(slices.Clone(held), func(h Held) bool { return h.Common })
			flows = slices.DeleteFunc(slices.Clone(flows), func(f Flow) bool { return f.Common })
		}
		out.Held, out.Flows = Add(out.Held, held), AddFlows(out.Flows, flows)
		for stage, f := range l.FLOPs {
			out.FLOPs[stage] += f
		}
	}
	return out
}
