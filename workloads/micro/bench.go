package micro

import (
	"context"
	"fmt"

	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

const (
	line      = 128 // bytes of a cache line
	warpLanes = 32
	piece     = 512 // bytes of a load of 16 B a lane
	tierShift = devices.TierShift
)

// Flows under which jobs are counted.
const (
	flowA = uint8(iota)
	flowB
)

// The window of a steady state: after warmUp (warmWalks where chunks are walked
// for, beginning with all that are under way), at least leastTime and until the
// rates are known to tolerance (95 % confidence), but no longer than mostTime
// or, for the CPU's sake, mostBytes.
const (
	warmUp    = 6 * sim.Microsecond
	warmWalks = 150 * sim.Microsecond
	sample    = 500 * sim.Nanosecond
	leastTime = 8 * sim.Microsecond
	mostTime  = 150 * sim.Microsecond
	mostBytes = 120e6
	tolerance = 0.004
)

// machine is a system with at most one benchmark on it.
type machine struct {
	*hierarchy.System
	ctx context.Context
}

func build(ctx context.Context, c *hierarchy.Config) (*machine, error) {
	s, err := hierarchy.Build(c)
	if err != nil {
		return nil, err
	}
	s.Engine.SetWorkers(1)
	return &machine{s, ctx}, nil
}

// launch adds a kernel to what the machine runs.
func (m *machine) launch(k *gpu.Kernel) { m.GPU.Front.Add(m.Engine.Now(), gpu.Op{Kernel: k}) }

// meter reads how much has been done so far, in bytes.
type meter func() float64

// flow returns the meter of a flow of kernels.
func (m *machine) flow(f uint8) meter { return func() float64 { return float64(m.GPU.Bytes(f)) } }

// watch is a measurement under way: meters sampled over a steady state.
type watch struct {
	m      *machine
	meters []meter
	from   sim.Time // when measuring begins
	least  sim.Time // for how long at least
	start  []float64
	last   []float64
	rates  []sim.Batches
	begun  sim.Time
	next   sim.Time
}

func (m *machine) meters(warm, least sim.Time, meters ...meter) *watch {
	return &watch{m: m, meters: meters, from: warm, least: least, rates: make([]sim.Batches, len(meters))}
}

// rate measures one meter in GB/s.
func (m *machine) rate(of meter) (float64, error) {
	v, err := m.meters(warmUp, leastTime, of).measure()
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// measure runs the machine until the meters' rates are known, and returns
// them in GB/s.
func (w *watch) measure() ([]float64, error) {
	end := sim.Time(0)
	err := w.m.run(func(now sim.Time) bool {
		if now < w.from {
			return false
		}
		if w.start == nil {
			w.begin(now)
			return false
		}
		if now < w.next {
			return false
		}
		end = now
		return w.sample(now)
	})
	if err != nil {
		return nil, err
	}
	v := make([]float64, len(w.meters))
	for i := range v {
		v[i] = (w.last[i] - w.start[i]) / (end - w.begun).Nanoseconds()
	}
	return v, nil
}

func (w *watch) begin(now sim.Time) {
	w.begun, w.next = now, now+sample
	for _, read := range w.meters {
		w.start = append(w.start, read())
	}
	w.last = append(w.last, w.start...)
}

// sample notes the meters' rates since the last sample, and reports whether
// they are known well enough.
func (w *watch) sample(now sim.Time) (done bool) {
	span := float64(now-w.next+sample) / float64(sample)
	w.next = now + sample
	known, bytes := true, 0.0
	for i, read := range w.meters {
		v := read()
		w.rates[i].Add((v - w.last[i]) / span)
		w.last[i] = v
		known = known && w.rates[i].HalfWidth(0.95) <= tolerance*w.rates[i].Mean()
		bytes += v - w.start[i]
	}
	long := now - w.begun
	return long >= w.least && (known || bytes >= mostBytes || long >= max(mostTime, w.least))
}

// span runs the machine until a flow has computed so many tiles, and returns
// the time from one count to the other.
func (m *machine) span(flow uint8, from, to int) (sim.Time, error) {
	var begun, end sim.Time
	err := m.run(func(now sim.Time) bool {
		n := int(m.GPU.Tiles(flow))
		if begun == 0 && n >= from {
			begun = now
		}
		end = now
		return n >= to
	})
	return end - begun, err
}

// run runs the machine until stop says so; that it ends before is an error.
func (m *machine) run(stop func(now sim.Time) bool) error {
	done, stopped := m.ctx.Done(), false
	err := m.Engine.Run(func(now sim.Time) bool {
		select {
		case <-done:
			return true
		default:
			stopped = stop(now)
			return stopped
		}
	})
	switch {
	case err != nil:
		return err
	case m.ctx.Err() != nil:
		return m.ctx.Err()
	case !stopped:
		return fmt.Errorf("the kernel ended before it was measured")
	}
	return nil
}

// visit leaves the L2 as it is after an SM of the partition has read the
// lines, in their order.
func (m *machine) visit(lines []uint64, partition int) {
	for _, at := range lines {
		m.Loaded(at, line, partition)
	}
}
