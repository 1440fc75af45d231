package validation

import (
	"context"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"hwsim/devices/link"
	"hwsim/workloads/hostload"
)

// Mixes of the curves of hosts that are compared, in percent of reads.
const (
	onlyReads = 100
	oneToOne  = 50
)

// partLoads are the loads at which latencies are compared, as shares of what
// a curve itself reaches.
var partLoads = []struct {
	share  float64
	bucket bucket
}{{0.5, hostHalf}, {0.8, hostMost}}

// noHost is why a curve has no prediction.
const noHost = "recognised, no host preset"

// linkOfCurve names the link that bounds an expander, by its curve.
var linkOfCurve = map[string]string{"cxl-expander-micron-model": "cxl2-x8"}

// mixCurve is the part of a table that one share of reads has.
type mixCurve struct {
	hostload.Curve
	rows []row
}

// compileMess compares bandwidth-latency curves as Mess measures them. Which
// machine a table is of, its file name says.
func compileMess(t *table) {
	curves := t.mixes()
	stem := strings.TrimSuffix(path.Base(t.file), path.Ext(t.file))
	if l, ok := linkOfCurve[stem]; ok {
		for _, pct := range slices.Sorted(maps.Keys(curves)) {
			t.ceiling(curves[pct], l, pct)
		}
		return
	}
	host, err := hostload.OfCurve(stem)
	if err != nil {
		t.problems = append(t.problems, err)
	}
	if host == "" {
		for _, r := range t.rows {
			t.omit(r, "", noHost)
		}
		return
	}
	for _, m := range []struct {
		pct        uint64
		saturation bucket
	}{{onlyReads, hostReads}, {oneToOne, hostMixed}} {
		if c := curves[m.pct]; c != nil {
			t.host(c, hostCurve{host, m.pct}, m.saturation)
		}
	}
}

// mixes returns the table's curves by their percentage of reads.
func (t *table) mixes() map[uint64]*mixCurve {
	curves := map[uint64]*mixCurve{}
	for _, r := range t.rows {
		pct := r.whole("read_pct", 0, 100)
		if curves[pct] == nil {
			curves[pct] = &mixCurve{}
		}
		c := curves[pct]
		c.GBps, c.LatencyNs, c.rows = append(c.GBps, r.smoothed("bw_gbps")), append(c.LatencyNs, r.positive("lat_ns")), append(c.rows, r)
	}
	return curves
}

// smoothed returns a cell that must be a number. Below 0, where a filter has
// left it, it is 0.
func (r row) smoothed(column string) float64 {
	v, err := strconv.ParseFloat(r.text(column), 64)
	if err != nil || !(math.Abs(v) < maxNumber) {
		r.bad(column, fmt.Sprintf("%q: want a number", r.text(column)))
		return 0
	}
	return max(0, v)
}

// host compares a host's saturation, and its latency at parts of it.
func (t *table) host(c *mixCurve, task hostCurve, saturation bucket) {
	most := c.Most()
	if c.GBps[most] == 0 {
		c.rows[most].bad("bw_gbps", "want a number above 0 at some row")
		return
	}
	t.rate(c.rows[most], saturation, task, only, gb, c.GBps[most], 0)
	for _, p := range partLoads {
		i := c.Nearest(p.share * c.GBps[most])
		t.time(c.rows[i], p.bucket, task, string(p.bucket), c.LatencyNs[i], 0).under(loadAt(p.bucket), c.GBps[i])
	}
}

// loadAt names the load at which a latency was predicted.
func loadAt(b bucket) string { return "load, " + string(b) }

// ceiling compares what an expander reaches at a mix with what its link can
// carry.
func (t *table) ceiling(c *mixCurve, name string, pct uint64) {
	most := c.Most()
	t.rate(c.rows[most], linkCeiling, linkMix{name, pct}, only, gb, max(c.GBps[most], 1/maxNumber), 0)
}

// hostCurve is one mix of a host under load.
type hostCurve struct {
	preset  string
	readPct uint64
}

func (o hostCurve) simulate(ctx context.Context, _ *machine) (outcome, error) {
	c, err := hostload.Preset(o.preset)
	if err != nil {
		return nil, err
	}
	reads := float64(o.readPct) / 100
	saturated, err := hostload.Run(ctx, c, hostload.Load{Reads: reads})
	if err != nil {
		return nil, err
	}
	found := outcome{only: saturated.GBps}
	for _, p := range partLoads {
		r, err := hostload.Run(ctx, c, hostload.Load{Reads: reads, GBps: p.share * saturated.GBps})
		if err != nil {
			return nil, err
		}
		found[string(p.bucket)], found[loadAt(p.bucket)] = r.LatencyNs, r.GBps
	}
	return found, nil
}

// linkMix is a link that carries reads and writes in some proportion.
type linkMix struct {
	preset  string
	readPct uint64
}

func (o linkMix) simulate(context.Context, *machine) (outcome, error) {
	c, ok := link.Preset(o.preset)
	if !ok {
		return nil, fmt.Errorf("no link %q", o.preset)
	}
	l, err := link.New(c)
	if err != nil {
		return nil, err
	}
	return outcome{only: l.Ceiling(float64(o.readPct) / 100)}, nil
}
