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
