package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/workloads"
)

// roofline draws each class of kernels under the rates that bound it.
func roofline(r *workloads.Result) *Section {
	if len(r.Kernels) == 0 || r.Peaks.TFLOPS == 0 || len(r.Peaks.Memory) == 0 {
		return nil
	}
	near, peak := r.Peaks.Memory[0], r.Peaks.TFLOPS*1e3 // GFLOP/s
	ridge := peak / near.GBps
	xs, ys := []float64{ridge, ridge * 10}, []float64{peak}
	for _, k := range r.Kernels {
		if k.FLOPs > 0 && k.Moved > 0 {
			xs, ys = append(xs, k.FLOPs/float64(k.Moved)), append(ys, k.FLOPs/k.Ns)
		}
	}
	edge := around(xs, 0, 1).least
	for _, k := range r.Kernels {
		if k.FLOPs == 0 && k.Moved > 0 {
			ys = append(ys, edge*float64(k.Moved)/k.Ns)
		}
	}
	for _, m := range r.Peaks.Memory {
		ys = append(ys, edge*m.GBps)
	}
	p := newPlot(xs, ys)
	p.axes("FLOP for each byte that must be moved", "GFLOP/s", power)
	p.roofs(r.Peaks.Memory, peak)
	data := &Table{Caption: "Kernels under the roofline", Head: []string{"kernel", "number", "FLOP/byte", "GFLOP/s", "least time", "time", "of the roofline"}}
	var keys []Key
	var points []numbered
	bare := false
	for i, k := range r.Kernels {
		x, y, class := k.FLOPs/float64(max(1, k.Moved)), k.FLOPs/k.Ns, "f"
		if k.FLOPs == 0 {
			x, y, class, bare = p.x.least, p.x.least*float64(k.Moved)/k.Ns, "bare", true
		}
		least := max(float64(k.Moved)/near.GBps, k.FLOPs/peak)
		intensity, rate := "-", "-"
		if k.FLOPs > 0 {
			intensity, rate = units.Figure(x), units.Figure(y)
		}
		data.Rows = append(data.Rows, []string{k.Class, strconv.Itoa(i + 1), intensity, rate, units.Duration(least), units.Duration(k.Ns), units.Percent(ratio(least, k.Ns))})
		keys = append(keys, Key{Mark: strconv.Itoa(i + 1), Text: k.Class})
		points = append(points, numbered{clamp(p.x, x), clamp(p.y, y), class, fmt.Sprintf("%s: %s FLOP/byte, %s GFLOP/s, %s of the roofline", k.Class, intensity, rate, units.Percent(ratio(least, k.Ns)))})
	}
	p.numbered(points)
	note := fmt.Sprintf("Tensor cores %s TFLOP/s; %s %s GB/s. The least time is of all bytes at the rate of %s.", units.Number(r.Peaks.TFLOPS), near.Tier, units.Number(near.GBps), near.Tier)
	if bare {
		note += " Kernels at the left edge have no matrix products: only how far they lie below the line counts."
	}
	return &Section{ID: "roofline", Title: "Roofline",
		Text:   "The bytes are those that a kernel must move, each once; a kernel below the lines takes longer than they and the tensor cores would.",
		Blocks: []Block{Figure{Title: "Kernels under the peak rates", Says: says(data), Body: p.html(), Wide: true, Keys: keys, Note: note, Data: data}}}
}

// roofs draws the memories' lines up to the tensor cores' rate, of equal ones one. The
// nearest memory's goes on as the tensor cores'.
func (p *plot) roofs(memories []workloads.RateRow, peak float64) {
	near := memories[0]
	p.line("roof", peak/near.GBps, peak, p.x.most, peak)
	p.text("end", p.x.to-4, p.y.at(peak)-7, "tensor cores")
	lines := 0
	for i, m := range memories {
		if slices.ContainsFunc(memories[:i], func(o workloads.RateRow) bool { return o.GBps == m.GBps }) {
			continue
		}
		var names []string
		for _, o := range memories[i:] {
			if o.GBps == m.GBps {
				names = append(names, o.Tier)
			}
		}
		p.roof(strings.Join(names, ", "), lines, m.GBps, peak)
		lines++
	}
}

// roof draws a memory's line with its name: above the nearest's, below the others',
// each further down than the one before.
func (p *plot) roof(name string, line int, gbps, peak float64) {
	from, to := max(p.x.least, p.y.least/gbps), min(p.x.most, peak/gbps)
	along := func(share float64) (x, y float64) {
		v := math.Exp(math.Log(from) + share*(math.Log(to)-math.Log(from)))
		return p.x.at(v), p.y.at(v * gbps)
	}
	if line == 0 {
		p.line("roof", from, from*gbps, to, to*gbps)
		x, y := along(0.75)
		p.text("end", x-8, y-4, name)
		return
	}
	p.line("roof dash", from, from*gbps, to, to*gbps)
	x, y := along(0.95 - 0.17*float64(line))
	p.text("", x+8, y+14, name)
}

// clamp keeps v within an axis.
func clamp(a axis, v float64) float64 { return min(a.most, max(a.least, v)) }

// power writes a power of ten.
func power(v float64) string {
	if v >= 1e4 {
		return "10" + superscript(int(math.Round(math.Log10(v))))
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func superscript(n int) (text string) {
	for _, digit := range strconv.Itoa(n) {
		text += string([]rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[digit-'0'])
	}
	return text
}
