package workloads

import (
	"fmt"
	"math"

	"hwsim/hierarchy"
)

// plan is which layers of a step are simulated, and how many layers each of
// them stands for.
type plan struct {
	layers []int
	weight []float64
	like   []bool // its time says how much layers of its run differ
}

// planAll simulates every layer.
func planAll(layers int) *plan {
	p := &plan{}
	for l := range layers {
		p.add(l, 1, false)
	}
	return p
}

func (p *plan) add(layer int, weight float64, like bool) {
	p.layers = append(p.layers, layer)
	p.weight = append(p.weight, weight)
	p.like = append(p.like, like)
}

// planFolded simulates few layers of each run of identical ones. The first
// differs by what the layers before it have left behind, so the next stand for
// the rest. With far data to fetch the run's last is simulated too: it has no
// successor to fetch for.
func (d *decode) planFolded(few int) *plan {
	p := &plan{}
	for first := 0; first < d.model.Layers; {
		end := first + 1
		for end < d.model.Layers && d.signature(end) == d.signature(first) {
			end++
		}
		last := 0
		if d.fetches(first) {
			last = 1
		}
		folded := end - first - few - last
		for l := first; l < end; l++ {
			switch {
			case folded <= 0, l == first, l >= end-last:
				p.add(l, 1, false)
			case l < first+few:
				p.add(l, 1+float64(folded)/float64(few-1), true)
			}
		}
		first = end
	}
	return p
}

// parts names the part of the model that each simulated layer belongs to: those
// that stand for a run of layers are one, however many of them there are.
func (p *plan) parts() (names []string) {
	for i := 0; i < len(p.layers); i = len(names) {
		if !p.like[i] {
			names = append(names, fmt.Sprintf("layer %d", p.layers[i]))
			continue
		}
		end, weight := i, 0.0
		for end < len(p.layers) && p.like[end] {
			weight += p.weight[end]
			end++
		}
		name := fmt.Sprintf("layers %d to %d", p.layers[i], p.layers[i]+int(math.Round(weight))-1)
		for range end - i {
			names = append(names, name)
		}
	}
	return names
}

// fetches reports whether the layer's data are copied in from far tiers.
func (d *decode) fetches(layer int) bool {
	if w := &d.layout.weights[layer]; w.tier != hierarchy.HBM && d.config.Weights.Access != ZeroCopy {
		return true
	}
	for t := hierarchy.DDR; t < hierarchy.NumTiers; t++ {
		if d.layout.kv.layers[layer].remote(t) > 0 {
			return d.accessKV() != ZeroCopy
		}
	}
	return false
}

// signature tells layers apart that cost different things.
func (d *decode) signature(layer int) string {
	kv := &d.layout.kv.layers[layer]
	return fmt.Sprint(d.model.IsMoE(layer), d.layout.weights[layer].tier, kv.count, d.layout.method.signature(layer))
}

// tiersOf returns the tiers that hold any of the run's objects.
func tiersOf(s *hierarchy.Space) (used []hierarchy.TierID) {
	for t := range hierarchy.NumTiers {
		if s.Used(t) > 0 {
			used = append(used, t)
		}
	}
	return used
}
