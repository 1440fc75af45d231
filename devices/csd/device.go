package csd

import (
	"hwsim/devices/flash"
	"hwsim/sim"
)

// Device attends where the cache lies.
type Device interface {
	Attend(Load) (Result, error)
}

// New returns the device that a configuration describes, idle.
func New(c *Config) (Device, error) {
	if err := c.validated(); err != nil {
		return nil, err
	}
	if c.Flash != nil {
		return newDrive(c)
	}
	m, err := newBursts(c.Memory, &c.Layout)
	if err != nil {
		return nil, err
	}
	return newEngine(c, m), nil
}

// Drive is a device whose cache lies on flash.
type Drive struct {
	*Engine[*flashPages]
}

func newDrive(c *Config) (*Drive, error) {
	f, err := newFlashPages(c.Flash)
	if err != nil {
		return nil, err
	}
	return &Drive{newEngine(c, f)}, nil
}

// Write programs pages, striped over channels and planes, and returns the time
// from the first to the last. It assumes that data are there when a plane is
// free.
func (d *Drive) Write(pages int) sim.Time {
	f := d.medium
	return d.run(pages, func(i uint32) flash.Op {
		plane := i / f.channels
		return flash.Op{Kind: flash.Program, Class: flash.User, Page: f.at(i, plane, plane/f.planes), Bytes: f.bytes}
	})
}

// Erase erases blocks, one of a plane after the other, and returns the time.
func (d *Drive) Erase(blocks int) sim.Time {
	f := d.medium
	return d.run(blocks, func(i uint32) flash.Op {
		plane := i / f.channels
		return flash.Op{Kind: flash.Erase, Class: flash.Collect, Page: f.at(i, plane, 0)}
	})
}

// run does n operations and returns how long they take.
func (d *Drive) run(n int, op func(i uint32) flash.Op) sim.Time {
	f, start := d.medium, d.now
	for i := range uint32(n) {
		f.array.Submit(start, op(i))
	}
	f.array.Advance(sim.Never)
	for _, c := range f.array.Completions() {
		d.now = max(d.now, c.At)
	}
	f.array.Drop()
	return d.now - start
}

// ProgramGBps returns the rate at which all planes program pages, without the
// ends of a run.
func (d *Drive) ProgramGBps() float64 {
	const rounds = 32 // pages of a plane
	f := d.medium
	each := int(f.channels * f.planes)
	short, long := d.Write(rounds*each), d.Write(2*rounds*each)
	return float64(rounds*each) * float64(f.bytes) / (long - short).Nanoseconds()
}

// Flash returns the flash's counters.
func (d *Drive) Flash() flash.Stats { return d.medium.array.Stats() }
