package plots

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"

	"hwsim/validation"
)

// sample is a report with a curve of each kind.
func sample() *validation.Report {
	r := &validation.Report{Config: "h200"}
	add := func(file, bucket string, rows ...validation.Row) {
		r.Tables = append(r.Tables, validation.Score{File: file, Bucket: "all"}, validation.Score{File: file, Bucket: bucket, MAPE: 3.25})
		for _, x := range rows {
			x.File, x.Bucket = file, bucket
			r.Rows = append(r.Rows, x)
		}
	}
	chase := func(test, bytes string, measured, ours float64) validation.Row {
		return validation.Row{Measured: measured, Ours: ours, Keys: map[string]string{"test": test, "cache_op": "cg", "range_bytes": bytes}}
	}
	add("latency.csv", "L2 near", chase("chase_random", "33554432", 212, 230), chase("chase_random", "1048576", 146, 145), chase("chase_host", "1048576", 1157, 1150),
		chase("chase_pages_64KiB", "1048576", 146, 145))
	for _, test := range []string{"read_vs_range", "hbm_span", "host_span", "peer_span", "memcpy_h2d"} {
		row := validation.Row{Measured: 1000, Ours: 1100, Bytes: 4e6, Keys: map[string]string{"test": test, "param": "4096", "range_bytes": "1048576"}}
		add("a/"+test+".csv", "copies", row, row)
	}
	loaded := validation.Row{Measured: 400, Ours: 410, Load: 3000, OurLoad: 3100, Keys: map[string]string{"test": "loaded_latency", "writes": "w0of4", "streaming_sms": "131"}}
	add("loaded.csv", "latency to 90 %", loaded, loaded)
	return r
}

func TestEqualReportsGiveEqualBytes(t *testing.T) {
	first, err := Of(sample())
	require.NoError(t, err)
	second, err := Of(sample())
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func TestEachTableHasItsPlots(t *testing.T) {
	plots, err := Of(sample())
	require.NoError(t, err)
	var names []string
	for _, p := range plots {
		names = append(names, p.Name)
		wellFormed(t, p)
	}
	require.Equal(t, []string{"latency-scatter.svg", "latency-latency.svg",
		"a%2Fread_vs_range-scatter.svg", "a%2Fread_vs_range-reread.svg", "a%2Fhbm_span-scatter.svg", "a%2Fhbm_span-hbm-gather.svg",
		"a%2Fhost_span-scatter.svg", "a%2Fhost_span-host-gather.svg", "a%2Fpeer_span-scatter.svg", "a%2Fpeer_span-peer-gather.svg",
		"a%2Fmemcpy_h2d-scatter.svg", "a%2Fmemcpy_h2d-copies.svg", "loaded-scatter.svg", "loaded-loaded.svg"}, names)
	require.Contains(t, string(plots[0].SVG), "L2 near: 3.2 %")
	for _, text := range []string{"latency.csv on h200: dependent accesses", "working set", "ns an access", "host memory", "1 MiB"} {
		require.Contains(t, string(plots[1].SVG), text)
	}
	require.NotContains(t, string(plots[1].SVG), "64KiB")
}

func wellFormed(t *testing.T, p Plot) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(p.SVG)))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err, p.Name)
	}
}

func TestAnEmptyReportHasNoPlots(t *testing.T) {
	plots, err := Of(&validation.Report{})
	require.NoError(t, err)
	require.Empty(t, plots)
}

func TestCurvesGoByTheirAbscissa(t *testing.T) {
	p := tables(sample())[0].curves()[0]
	require.Equal(t, "HBM", p.series[0].name)
	require.Equal(t, []point{{X: 1 << 20, Y: 146}, {X: 1 << 25, Y: 212}}, p.series[0].measured)
}

func TestRatesAreBytesOverTime(t *testing.T) {
	measured, ours := rateOver("param")(&validation.Row{Measured: 1000, Ours: 800, Bytes: 4000, Keys: map[string]string{"param": "64"}})
	require.Equal(t, point{X: 64, Y: 4}, measured)
	require.Equal(t, point{X: 64, Y: 5}, ours)
}

func TestTicksAreRoundAndFewHaveLabels(t *testing.T) {
	for _, x := range []struct {
		lo, hi float64
		ticks  plot.TickerFunc
		want   []string
	}{
		{1 << 12, 1 << 15, byteTicks, []string{"4 KiB", "8 KiB", "16 KiB", "32 KiB"}},
		{1 << 20, 1 << 37, byteTicks, []string{"1 MiB", "8 MiB", "64 MiB", "512 MiB", "4 GiB", "32 GiB"}},
		{20, 2e6, timeTicks, []string{"10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"}},
		{100, 1500, decimalTicks, []string{"100", "200", "500", "1000", "2000", "5000", "10000"}},
		{1, 50000, decimalTicks, []string{"1", "10", "100", "1000", "10000", "100000"}},
	} {
		var labels []string
		for _, tick := range x.ticks(x.lo, x.hi) {
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		require.Equal(t, x.want, labels)
	}
}
