// Package hostmemory is the DRAM channels of a host as cores see them that are
// a fixed way off. It advances by windows as long as that way, within which
// neither side sees what the other does.
package hostmemory

import (
	"cmp"
	"fmt"
	"slices"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Memory is a host's memory.
type Memory struct {
	Way sim.Time // one way between a core and memory
	Now sim.Time // begin of the current window

	spread   devices.Interleave
	channels []*dram.Channel
	arriving [][]arrival // in this window, by channel
	sent     [][]arrival // for the next one
}

// arrival is a request at its channel.
type arrival struct {
	at sim.Time
	r  dram.Request
}

// New returns the memory, pathNs there and back from its users.
func New(m *hierarchy.Memory, pathNs float64) (*Memory, error) {
	h := &Memory{Way: sim.FromNanoseconds(pathNs / 2), spread: devices.Interleave{Granule: m.GranuleBytes, Slices: uint64(m.Channels)},
		arriving: make([][]arrival, m.Channels), sent: make([][]arrival, m.Channels)}
	for range m.Channels {
		c, err := dram.New(m.DRAM)
		if err != nil {
			return nil, fmt.Errorf("memory: %w", err)
		}
		h.channels = append(h.channels, c)
	}
	return h, nil
}

// Bytes returns how large the memory is.
func (m *Memory) Bytes() uint64 { return uint64(len(m.channels)) * m.channels[0].Spec().Bytes() }

// End returns where the current window ends.
func (m *Memory) End() sim.Time { return m.Now + m.Way }

// Send puts a request on its way at a time in the current window.
func (m *Memory) Send(at sim.Time, r dram.Request) {
	channel, local := m.spread.Locate(r.Addr)
	r.Addr = local
	m.sent[channel] = append(m.sent[channel], arrival{at + m.Way, r})
}

// Advance lets the channels work until the window's end and begins the next.
// Each completion is passed to answer with the time at which it is back.
func (m *Memory) Advance(answer func(at sim.Time, done *dram.Completion)) {
	end := m.End()
	for i, c := range m.channels {
		slices.SortStableFunc(m.arriving[i], func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
		for _, a := range m.arriving[i] {
			c.Enqueue(a.at, a.r)
		}
		m.arriving[i] = m.arriving[i][:0]
		c.Advance(end)
		done := c.Completions()
		for j := range done {
			answer(done[j].Last+m.Way, &done[j])
		}
		c.Drop()
	}
	m.arriving, m.sent = m.sent, m.arriving
	m.Now = end
}
