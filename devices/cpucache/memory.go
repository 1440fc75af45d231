package cpucache

import (
	"fmt"
	"slices"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

// memory is the DRAM channels, a fixed way from the last cache. A channel runs
// only as far as the core's own time allows: nothing can come to it any more that
// is due earlier.
type memory struct {
	way      sim.Time // one way
	least    sim.Time // from a channel's next command to the earliest data that it can bring the core
	spread   devices.Interleave
	channels []channel
}

// channel is a DRAM channel and what is on its way there, by arrival.
type channel struct {
	*dram.Channel
	arriving []arrival
	next     sim.Time // it can do something; Never: idle
}

type arrival struct {
	at sim.Time
	r  dram.Request
}

func newMemory(c *MemoryConfig) (*memory, error) {
	m := &memory{way: sim.FromNanoseconds(c.PathNs / 2), spread: devices.Interleave{Granule: c.GranuleBytes, Slices: uint64(c.Channels)}}
	for range c.Channels {
		d, err := dram.New(c.DRAM)
		if err != nil {
			return nil, fmt.Errorf("memory: %w", err)
		}
		m.channels = append(m.channels, channel{d, nil, sim.Never})
	}
	s := m.channels[0].Spec()
	m.least = m.way + s.Tick.Edge(min(s.T[dram.TCL], s.T[dram.TCWL]))
	return m, nil
}

// send puts a line's request on its way.
func (m *memory) send(at sim.Time, addr uint64, write bool, tag uint32) {
	n, local := m.spread.Locate(addr)
	c := &m.channels[n]
	a := arrival{at + m.way, dram.Request{Addr: local, Bytes: LineBytes, Write: write, Tag: tag}}
	i := len(c.arriving)
	for i > 0 && c.arriving[i-1].at > a.at {
		i--
	}
	c.arriving = slices.Insert(c.arriving, i, a)
	c.next = min(c.next, a.at)
}

// next returns when a channel does something next.
func (m *memory) next() sim.Time {
	next := m.channels[0].next
	for i := range m.channels[1:] {
		next = min(next, m.channels[i+1].next)
	}
	return next
}

// advance lets the channels act up to end, and hands out the reads that this
// ends with the time at which the core has them.
func (m *memory) advance(end sim.Time, done func(tag uint32, at sim.Time)) {
	for i := range m.channels {
		if c := &m.channels[i]; c.next < end {
			c.advance(end)
			for _, d := range c.Completions() {
				if !d.Write {
					done(d.Tag, d.Last+m.way)
				}
			}
			c.Drop()
		}
	}
}

func (c *channel) advance(end sim.Time) {
	arrived := 0
	for arrived < len(c.arriving) && c.arriving[arrived].at < end {
		a := &c.arriving[arrived]
		c.Enqueue(a.at, a.r)
		arrived++
	}
	c.arriving = c.arriving[:copy(c.arriving, c.arriving[arrived:])]
	c.Advance(end)
	c.next = c.Next()
	if len(c.arriving) > 0 {
		c.next = min(c.next, c.arriving[0].at)
	}
}
