package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep"
)

// discs counts the points that an SVG has.
func discs(t *testing.T, text string) (n int) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			for _, a := range e.Attr {
				if a.Name.Local == "d" && strings.Count(a.Value, "A") >= 2 {
					n++
				}
			}
		}
	}
}

func TestSweepSVGHasEveryPoint(t *testing.T) {
	a := &sweep.Analysis{
		Name: "run", Fidelity: "analytic", Objectives: []string{"max tokens_per_s", "min hbm_bytes"},
		Rows:  []sweep.Row{{Objectives: []float64{1, 5}}, {Objectives: []float64{3, 7}}, {Objectives: []float64{2, 9}}},
		Front: []sweep.Row{{Objectives: []float64{3, 7}}, {Objectives: []float64{1, 5}}},
	}
	draw := func() string {
		var out bytes.Buffer
		require.NoError(t, SweepSVG(&out, a))
		return out.String()
	}
	const inLegend = 2
	text := draw()
	require.Equal(t, 3+2+inLegend, discs(t, text))
	require.Contains(t, text, "run, analytic: 3 points, 2 of them best")
	require.Contains(t, text, "min hbm_bytes")
	require.Equal(t, text, draw(), "the same bytes twice")

	a.Objectives = append(a.Objectives, "max batch")
	require.Less(t, len(draw()), len(text), "no line joins what differs in a third objective")
	a.Rows, a.Front = nil, nil
	require.Zero(t, discs(t, draw()))
	require.ErrorContains(t, SweepSVG(failing{}, a), "write svg")
	a.Objectives = a.Objectives[:1]
	require.ErrorContains(t, SweepSVG(io.Discard, a), "1 objectives: want two at least")
}
