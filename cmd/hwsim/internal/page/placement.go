package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/hierarchy"
	"hwsim/workloads"
)

// placement draws what lies in which tier, and where each layer's KV cache lies.
func placement(r *workloads.Result) *Section {
	if len(r.Objects) == 0 {
		return nil
	}
	f := filling{caption: "Objects"}
	for _, o := range r.Objects {
		f.add(o.Object, o.Tier, o.Bytes, capacityOf(r, o.Tier))
	}
	return &Section{ID: "placement", Title: "What lies where", Blocks: append([]Block{f.figure("Tiers and what lies in them")}, layers(r)...)}
}

// capacityOf is a tier's capacity; 0 if the result does not know it.
func capacityOf(r *workloads.Result, tier string) uint64 {
	for _, t := range r.Tiers {
		if t.Tier == tier {
			return t.Capacity
		}
	}
	return 0
}

// filling is what lies in memories.
type filling struct {
	caption  string
	memories []memory
	objects  []string
	rows     [][]string
}

type memory struct {
	name           string
	capacity, used uint64 // bytes
	parts          []object
}

type object struct {
	name  string
	bytes uint64
}

// add puts an object into a memory, whose capacity is 0 if it is not known.
func (f *filling) add(name, where string, bytes, capacity uint64) {
	if !slices.Contains(f.objects, name) {
		f.objects = append(f.objects, name)
	}
	i := slices.IndexFunc(f.memories, func(m memory) bool { return m.name == where })
	if i < 0 {
		i = len(f.memories)
		f.memories = append(f.memories, memory{name: where, capacity: capacity})
	}
	m := &f.memories[i]
	m.used += bytes
	m.parts = append(m.parts, object{name, bytes})
	share := "-"
	if capacity > 0 {
		share = units.Percent(ratio(float64(bytes), float64(capacity)))
	}
	f.rows = append(f.rows, []string{name, where, units.Size(bytes), share})
}

// figure draws a bar for each memory, as long as its capacity, or as what lies in it if
// that is not known.
func (f *filling) figure(title string) Figure {
	var all []bar
	for i := range f.memories {
		all = append(all, f.bar(&f.memories[i]))
	}
	keys := []Key{}
	for i, name := range f.objects {
		keys = append(keys, Key{Class: f.class(i), Text: name})
	}
	data := &Table{Caption: f.caption, Head: []string{"object", "in", "bytes", "of the capacity"}, Rows: f.rows}
	return Figure{Title: title, Says: says(data), Body: bars(all), Keys: append(keys, Key{Class: "free", Text: "free"}), Data: data}
}

func (f *filling) class(object int) string { return fmt.Sprintf("c%d", object%9) }

func (f *filling) bar(m *memory) bar {
	b := bar{Name: m.name, Figure: units.Size(m.used)}
	whole := float64(max(m.used, m.capacity))
	for _, o := range m.parts {
		share := ratio(float64(o.bytes), whole)
		b.Parts = append(b.Parts, part{f.class(slices.Index(f.objects, o.name)), share, o.name, o.name + " in " + m.name + ": " + units.Size(o.bytes)})
	}
	if m.capacity > m.used {
		free := units.Size(m.capacity - m.used)
		b.Parts = append(b.Parts, part{"free", float64(m.capacity-m.used) / whole, "free", "free in " + m.name + ": " + free})
		b.Figure = free + " of " + units.Size(m.capacity) + " free"
	}
	return b
}

// layers draws each layer's KV cache by tier.
func layers(r *workloads.Result) []Block {
	if len(r.KVLayers) == 0 {
		return nil
	}
	var used []hierarchy.TierID
	for t := range hierarchy.NumTiers {
		for _, l := range r.KVLayers {
			if l.Bytes[t] > 0 {
				used = append(used, t)
				break
			}
		}
	}
	if used == nil {
		return nil
	}
	data := &Table{Caption: "KV cache by layer", Head: []string{"layers"}}
	var keys []Key
	for _, t := range used {
		data.Head = append(data.Head, t.String())
		keys = append(keys, Key{Class: tierClass(t), Text: t.String()})
	}
	for first := 0; first < len(r.KVLayers); {
		end := first + 1
		for end < len(r.KVLayers) && r.KVLayers[end].Bytes == r.KVLayers[first].Bytes {
			end++
		}
		row := []string{fmt.Sprint(first)}
		if end > first+1 {
			row[0] = fmt.Sprintf("%d to %d", first, end-1)
		}
		for _, t := range used {
			row = append(row, units.Size(r.KVLayers[first].Bytes[t]))
		}
		data.Rows = append(data.Rows, row)
		first = end
	}
	last := len(r.KVLayers) - 1
	l := lanes{Lanes: []lane{{Name: "a layer each column, its bytes by tier", Class: "kv", Box: box(float64(last+1), 1), Body: columns(r.KVLayers, used)}},
		Ticks: []tick{{Share: 0, Text: "layer 0"}, {Share: 1, Text: fmt.Sprint(last)}}}
	return []Block{Figure{Title: "KV cache by layer and tier", Says: says(data), Body: l.html(), Keys: keys, Data: data}}
}

// columns stacks the tiers' shares of each layer.
func columns(rows []workloads.PlaceRow, used []hierarchy.TierID) (out template.HTML) {
	foot := make([]float64, len(rows))
	for _, t := range used {
		var path strings.Builder
		for i, row := range rows {
			all := uint64(0)
			for _, b := range row.Bytes {
				all += b
			}
			if share := ratio(float64(row.Bytes[t]), float64(all)); share > 0 {
				fmt.Fprintf(&path, "M%s %sh.9v%sh-.9z", decimal(float64(i)+.05, 2), decimal(foot[i], 4), decimal(share, 4))
				foot[i] += share
			}
		}
		out += template.HTML(fmt.Sprintf(`<path class="%s" d="%s"/>`, tierClass(t), path.String()))
	}
	return out
}

// tierClass is the colour of a tier.
func tierClass(t hierarchy.TierID) string {
	return [hierarchy.NumTiers]string{"c0", "c1", "c5", "c3"}[t]
}
