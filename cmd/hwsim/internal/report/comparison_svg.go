package report

import (
	"fmt"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"hwsim/workloads"
)

// ComparisonSVG draws every policy's step, a bar each, in the table's order.
func ComparisonSVG(w io.Writer, c *workloads.Comparison) error {
	var values plotter.Values
	var names []string
	for i := len(c.Rows) - 1; i >= 0; i-- { // bars go upwards
		if r := &c.Rows[i]; r.Problem == "" {
			values, names = append(values, r.StepNs/1e6), append(names, r.Policy)
		}
	}
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s on %s, batch %d, context %d", c.Model, c.System, c.Batch, c.Context)
	p.X.Label.Text = "step, ms"
	p.X.Min = 0
	if len(values) > 0 {
		bars, err := plotter.NewBarChart(values, vg.Points(14))
		if err != nil {
			return fmt.Errorf("write svg: %w", err)
		}
		bars.Horizontal = true
		p.Add(bars)
		p.NominalY(names...)
	}
	out, err := p.WriterTo(16*vg.Centimeter, vg.Length(2+len(values))*0.8*vg.Centimeter, "svg")
	if err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	return nil
}
