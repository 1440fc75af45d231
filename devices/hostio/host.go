package hostio

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Host is a machine's stages and the paths that lead through them.
type Host struct {
	Name   string           `toml:"name"` // that reports say; any text
	Stages map[string]Stage `toml:"stage"`
	Paths  map[string]Path  `toml:"path"`
}

// Validate reports paths through stages that the host lacks.
func (h *Host) Validate(report func(key, message string)) {
	for _, name := range slices.Sorted(maps.Keys(h.Paths)) {
		if _, err := h.Path(name); err != nil {
			report("path."+name, err.Error())
		}
	}
}

// Path returns one of the host's paths with its stages.
func (h *Host) Path(name string) (*Path, error) {
	named, ok := h.Paths[name]
	if !ok {
		return nil, fmt.Errorf("no path %q; there are: %s", name, namesOf(h.Paths))
	}
	p := &Path{Threads: named.Threads, Legs: slices.Clone(named.Legs)}
	for i := range p.Legs {
		if err := h.resolve(&p.Legs[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// resolve fills in a leg's stages.
func (h *Host) resolve(l *Leg) error {
	l.Stages = nil
	taken := map[string]bool{}
	for _, name := range l.Uses {
		s, ok := h.Stages[name]
		if !ok {
			return fmt.Errorf("no stage %q; there are: %s", name, namesOf(h.Stages))
		}
		if l.Overlapped && s.Resource != "" && taken[s.Resource] {
			return fmt.Errorf("two overlapped stages of one leg share %q", s.Resource)
		}
		taken[s.Resource] = true
		l.Stages = append(l.Stages, s)
	}
	return nil
}

func namesOf[T any](m map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
