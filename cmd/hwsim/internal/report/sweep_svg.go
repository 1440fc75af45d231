package report

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hwsim/cmd/hwsim/internal/sweep"
)

// SweepSVG draws the points by their first two objectives, the second to the right and
// the first upwards, and those of the front, which a line joins if there are no further
// objectives.
func SweepSVG(w io.Writer, a *sweep.Analysis) error {
	if len(a.Objectives) < 2 {
		return fmt.Errorf("write svg: %d objectives: want two at least", len(a.Objectives))
	}
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s, %s: %d points, %d of them best", a.Name, a.Fidelity, len(a.Rows), len(a.Front))
	p.X.Label.Text, p.Y.Label.Text = a.Objectives[1], a.Objectives[0]
	if len(a.Rows) > 0 {
		if err := drawPoints(p, a); err != nil {
			return fmt.Errorf("write svg: %w", err)
		}
	}
	out, err := p.WriterTo(16*vg.Centimeter, 10*vg.Centimeter, "svg")
	if err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	return nil
}

func drawPoints(p *plot.Plot, a *sweep.Analysis) error {
	all, err := plotter.NewScatter(places(a.Rows))
	if err != nil {
		return err
	}
	all.Shape, all.Radius, all.Color = draw.CircleGlyph{}, vg.Points(1.5), color.Gray{0xa0}
	best, err := plotter.NewScatter(places(a.Front))
	if err != nil {
		return err
	}
	best.Shape, best.Radius, best.Color = draw.CircleGlyph{}, vg.Points(2.5), color.RGBA{R: 0xc0, A: 0xff}
	p.Add(all, best)
	p.Legend.Top = true
	p.Legend.Add("all", all)
	p.Legend.Add("best", best)
	if len(a.Objectives) == 2 {
		line, err := plotter.NewLine(places(a.Front))
		if err != nil {
			return err
		}
		line.Color = best.Color
		p.Add(line)
	}
	return nil
}

// places are rows by their second and first objective.
func places(rows []sweep.Row) plotter.XYs {
	xys := make(plotter.XYs, len(rows))
	for i, r := range rows {
		xys[i] = plotter.XY{X: r.Objectives[1], Y: r.Objectives[0]}
	}
	return xys
}
