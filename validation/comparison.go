package validation

import (
	"fmt"

	"hwsim/hierarchy"
)

// comparison is one measured figure with the simulation that predicts it.
type comparison struct {
	row
	bucket   bucket
	task     task
	figure   string  // of the task's outcome
	unit     float64 // bytes whose time is compared where the figure is a rate; 0 where it is a time
	measured float64 // ns
	repeat   float64 // ns, of the same row on another machine; 0: none
	moved    float64 // bytes, which a fixed time and a rate may explain the time by; below 0: nothing does
	route    *route  // whose peak bounds the rate; nil: none
	load     load    // of a latency under load

	ours float64 // ns
	err  error   // why there is no prediction
}

// load is the rate at which others use the memory while a latency is taken,
// in GB/s.
type load struct {
	figure         string // of the task's outcome; "": there is no load
	measured, ours float64
}

// time adds the comparison of a time, in ns.
func (t *table) time(r row, b bucket, task task, figure string, ns, repeat float64) *comparison {
	c := &comparison{row: r, bucket: b, task: task, figure: figure, measured: ns, repeat: repeat, moved: -1}
	t.comparisons = append(t.comparisons, c)
	return c
}

// rate adds the comparison of a rate in GB/s, as the time of some bytes.
func (t *table) rate(r row, b bucket, task task, figure string, bytes, gbps, repeat float64) *comparison {
	c := t.time(r, b, task, figure, bytes/gbps, 0)
	c.unit = bytes
	if repeat > 0 {
		c.repeat = bytes / repeat
	}
	return c
}

// moving says how many bytes the row moved in its time, if that explains it.
func (c *comparison) moving(bytes float64) *comparison {
	c.moved = bytes
	return c
}

// over says which way the bytes took: to a tier, within so many bytes of it.
func (c *comparison) over(tier hierarchy.TierID, span uint64) *comparison {
	c.route = &route{tier: tier, bytes: span}
	return c
}

// under says what rate others moved while the latency was measured.
func (c *comparison) under(figure string, gbps float64) *comparison {
	c.load = load{figure: figure, measured: gbps}
	return c
}

// gbps is the measured rate.
func (c *comparison) gbps() float64 { return max(c.unit, c.moved) / c.measured }

// predict takes over what the simulation found.
func (c *comparison) predict(o outcome, err error) {
	if c.err = err; err != nil {
		return
	}
	if c.load.figure != "" {
		c.load.ours = o[c.load.figure]
	}
	v, ok := o[c.figure]
	switch {
	case !ok:
		c.err = fmt.Errorf("not part of what is simulated")
	case !(v > 0 && v < maxNumber):
		c.err = fmt.Errorf("the simulation gives %g", v)
	case c.unit > 0:
		c.ours = c.unit / v
	default:
		c.ours = v
	}
}

// error is the relative error of the prediction.
func (c *comparison) error() float64 { return c.ours/c.measured - 1 }
