package page

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// Measures of a plot, in its own units: a browser scales them to the page's width.
const (
	plotWidth  = 640.0
	plotHeight = 400.0
	marginLeft = 78.0
	marginTop  = 14.0
	marginEnd  = 12.0
	marginFoot = 52.0
)

// axis maps values to a length, by their logarithm.
type axis struct {
	least, most float64 // values at its ends
	from, to    float64 // where these lie
}

// at returns where v lies.
func (a axis) at(v float64) float64 {
	return a.from + (a.to-a.from)*math.Log(v/a.least)/math.Log(a.most/a.least)
}

// decades returns the powers of ten within the axis.
func (a axis) decades() (all []float64) {
	for e := math.Ceil(math.Log10(a.least) - 1e-9); e <= math.Log10(a.most)+1e-9; e++ {
		all = append(all, math.Pow(10, e))
	}
	return all
}

// around returns an axis that holds all of the values, with room at both ends.
func around(values []float64, from, to float64) axis {
	least, most := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	if most == 0 {
		least, most = 1, 1
	}
	return axis{math.Pow(10, math.Floor(math.Log10(least)-0.15)), math.Pow(10, math.Ceil(math.Log10(most)+0.05)), from, to}
}

// plot is a picture with two logarithmic axes.
type plot struct {
	x, y axis
	out  strings.Builder
}

func newPlot(xs, ys []float64) *plot {
	return &plot{x: around(xs, marginLeft, plotWidth-marginEnd), y: around(ys, plotHeight-marginFoot, marginTop)}
}

func (p *plot) put(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// axes draws the axes and a grid.
func (p *plot) axes(xName, yName string, label func(float64) string) {
	for _, v := range p.x.decades() {
		at := p.x.at(v)
		p.put(`<path class="grid" d="M%s %sV%s"/>`, decimal(at, 1), decimal(p.y.from, 1), decimal(p.y.to, 1))
		p.text("soft middle", at, p.y.from+20, label(v))
	}
	for _, v := range p.y.decades() {
		at := p.y.at(v)
		p.put(`<path class="grid" d="M%s %sH%s"/>`, decimal(p.x.from, 1), decimal(at, 1), decimal(p.x.to, 1))
		p.text("soft end", p.x.from-6, at+4, label(v))
	}
	p.put(`<path class="axis" d="M%s %sV%sH%s"/>`, decimal(p.x.from, 1), decimal(p.y.to, 1), decimal(p.y.from, 1), decimal(p.x.to, 1))
	p.text("middle", (p.x.from+p.x.to)/2, plotHeight-8, xName)
	p.put(`<text class="middle" transform="translate(16 %s) rotate(-90)">%s</text>`, decimal((p.y.from+p.y.to)/2, 1), html.EscapeString(yName))
}

func (p *plot) text(class string, x, y float64, text string) {
	p.put(`<text class="%s" x="%s" y="%s">%s</text>`, class, decimal(x, 1), decimal(y, 1), html.EscapeString(text))
}

// line draws a line between two points of values.
func (p *plot) line(class string, x0, y0, x1, y1 float64) {
	p.put(`<path class="%s" d="M%s %sL%s %s"/>`, class, decimal(p.x.at(x0), 1), decimal(p.y.at(y0), 1), decimal(p.x.at(x1), 1), decimal(p.y.at(y1), 1))
}

// shapes of points, one for each group.
var shapes = []string{"M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z", "M-4 -4h8v8h-8z", "M0 -5.5L5.5 4h-11z", "M0 -6L5 0L0 6L-5 0z", "M-5 -1.6h3.4v-3.4h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4z", "M0 5.5L5.5 -4h-11z"}

// marks are the shapes as a legend has them.
var marks = []string{"●", "■", "▲", "◆", "✚", "▼"}

// point draws a shape in a colour, that tells what it is.
func (p *plot) point(shape, colour int, x, y float64, title string) {
	p.put(`<path class="point c%d" transform="translate(%s %s)" d="%s"><title>%s</title></path>`, colour, decimal(p.x.at(x), 1), decimal(p.y.at(y), 1), shapes[shape], html.EscapeString(title))
}

// labels keep their numbers apart: each stands beside its point, at the first place
// where no other point or label is.
type labels struct{ taken [][2]float64 }

// places are where a label may stand, from its point.
var places = [][2]float64{{15, 0}, {-15, 0}, {13, -16}, {13, 16}, {-13, -16}, {-13, 16}, {0, -22}, {0, 22}, {34, 0}, {-34, 0}, {32, -18}, {32, 18}, {-32, -18}, {-32, 18},
	{0, -42}, {0, 42}, {24, -36}, {24, 36}, {52, -10}, {52, 14}, {70, 0}, {44, -34}, {44, 34}, {62, -28}, {62, 28}}

// taking notes where something is.
func (l *labels) taking(x, y float64) { l.taken = append(l.taken, [2]float64{x, y}) }

// free reports whether there is room for a label.
func (l *labels) free(x, y float64) bool {
	for _, t := range l.taken {
		if math.Abs(t[0]-x) < 17 && math.Abs(t[1]-y) < 15 {
			return false
		}
	}
	return x > marginLeft+8 && x < plotWidth-marginEnd-8 && y > marginTop && y < plotHeight-marginFoot-8
}

// place returns where the label of a point stands.
func (l *labels) place(x, y float64) (atX, atY float64) {
	for _, d := range places {
		if l.free(x+d[0], y+d[1]) {
			x, y = x+d[0], y+d[1]
			break
		}
	}
	l.taking(x, y)
	return x, y
}

// numbered draws points, each with its number beside it.
func (p *plot) numbered(points []numbered) {
	var l labels
	for _, n := range points {
		l.taking(p.x.at(n.x), p.y.at(n.y))
	}
	for i, n := range points {
		x, y := p.x.at(n.x), p.y.at(n.y)
		toX, toY := l.place(x, y)
		p.put(`<g class="kernel"><title>%s</title><path class="lead" d="M%s %sL%s %s"/><circle class="point %s" cx="%s" cy="%s" r="5"/><circle class="disc" cx="%s" cy="%s" r="8"/><text class="number" x="%s" y="%s">%d</text></g>`,
			html.EscapeString(n.title), decimal(x, 1), decimal(y, 1), decimal(toX, 1), decimal(toY, 1), n.class, decimal(x, 1), decimal(y, 1), decimal(toX, 1), decimal(toY, 1), decimal(toX, 1), decimal(toY+4, 1), i+1)
	}
}

// numbered is a point that a legend explains by its number.
type numbered struct {
	x, y  float64
	class string
	title string
}

func (p *plot) html() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="%s" aria-hidden="true">%s</svg>`, box(plotWidth, plotHeight), p.out.String()))
}
