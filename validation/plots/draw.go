package plots

import (
	"bytes"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// picture is a plot that has yet to be drawn.
type picture struct {
	name, title string
	x, y        axis
	series      []series
	diagonal    bool // where predictions equal measurements
}

type axis struct {
	label string
	log   bool
	ticks plot.TickerFunc // nil: linear
}

// series is what has one colour: a line where something was measured, points
// where it was predicted.
type series struct {
	name     string
	measured []point
	ours     []point
}

type point = plotter.XY

// Sizes of pictures.
const (
	width       = 24 * vg.Centimeter
	height      = 15 * vg.Centimeter
	legendWidth = 6 * vg.Centimeter
	margin      = 3 * vg.Millimeter
)

// colours of series, in turn; after the last of them the shape changes.
var colours = []color.Color{
	rgb(0x1f77b4), rgb(0xd62728), rgb(0x2ca02c), rgb(0xff7f0e), rgb(0x9467bd), rgb(0x8c564b), rgb(0xe377c2), rgb(0x17becf), rgb(0xbcbd22), rgb(0x7f7f7f),
}

var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.CrossGlyph{}, draw.TriangleGlyph{}, draw.BoxGlyph{}}

func rgb(v uint32) color.Color {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// draw returns the picture as SVG, its legend beside the plot.
func (p *picture) draw() ([]byte, error) {
	g, legend := p.frame(), plot.NewLegend()
	legend.Top, legend.Left, legend.Padding = true, true, vg.Millimeter
	for i, s := range p.series {
		if err := s.draw(g, &legend, i); err != nil {
			return nil, err
		}
	}
	if p.diagonal {
		g.Add(diagonal(g))
	}
	sans(&legend.TextStyle)
	svg := vgsvg.New(width, height)
	whole := draw.New(svg)
	g.Draw(draw.Crop(whole, margin, -legendWidth, margin, -margin))
	legend.Draw(draw.Crop(whole, width-legendWidth+margin, 0, margin, -margin))
	var b bytes.Buffer
	_, err := svg.WriteTo(&b)
	return b.Bytes(), err
}

// frame returns the empty plot, with axes and title.
func (p *picture) frame() *plot.Plot {
	g := plot.New()
	g.Title.Text, g.Title.Padding = p.title, 2*vg.Millimeter
	p.x.shape(&g.X)
	p.y.shape(&g.Y)
	sans(&g.Title.TextStyle)
	g.Add(plotter.NewGrid())
	return g
}

func (a axis) shape(of *plot.Axis) {
	of.Label.Text, of.Label.Padding = a.label, vg.Millimeter
	if a.log {
		of.Scale = plot.LogScale{}
	}
	if a.ticks != nil {
		of.Tick.Marker = a.ticks
	}
	sans(&of.Label.TextStyle)
	sans(&of.Tick.Label)
}

func sans(s *text.Style) { s.Font.Variant = "Sans" }

// draw adds the series to a plot and its legend, as the i-th.
func (s *series) draw(g *plot.Plot, legend *plot.Legend, i int) error {
	colour := colours[i%len(colours)]
	points, err := plotter.NewScatter(plotter.XYs(s.ours))
	if err != nil {
		return err
	}
	points.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: 2.5, Shape: shapes[i/len(colours)%len(shapes)]}
	if len(s.measured) == 0 {
		g.Add(points)
		legend.Add(s.name, points)
		return nil
	}
	line, err := plotter.NewLine(plotter.XYs(s.measured))
	if err != nil {
		return err
	}
	line.Color = colour
	g.Add(line, points)
	legend.Add(s.name, line, points)
	return nil
}

// diagonal is the line on which predictions equal measurements, from end to
// end of what has been plotted.
func diagonal(g *plot.Plot) plot.Plotter {
	lo, hi := min(g.X.Min, g.Y.Min), max(g.X.Max, g.Y.Max)
	line, _ := plotter.NewLine(plotter.XYs{{X: lo, Y: lo}, {X: hi, Y: hi}}) // times are positive and finite
	line.Color = color.Gray{160}
	return line
}
