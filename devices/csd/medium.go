package csd

import (
	"fmt"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/devices/flash"
	"hwsim/sim"
)

// part is what a read is for.
type part uint32

const (
	columns part = iota // keys for approximate scores
	keys
	values
	parts
)

// piece is what is read at once: of keys and values a group of tokens (row),
// for approximate scores a group of channels (column) of some tokens (row).
type piece struct {
	head, row, column uint32
	part              part
}

// arrival is a piece that has come off its channel.
type arrival struct {
	tag  uint32
	lane uint32 // channel
	at   sim.Time
}

// medium is what an engine reads from. Arrivals may lie after the time that
// was advanced to.
type medium interface {
	lanes() int
	read(at sim.Time, p piece, tag uint32)
	next() sim.Time
	advance(until sim.Time, into []arrival) []arrival
}

// flashPages are the pages of an array of flash.
type flashPages struct {
	array    *flash.Array
	channels uint32
	planes   uint32 // of a channel
	pages    uint32 // of a plane
	bytes    uint32
}

func newFlashPages(c *flash.Config) (*flashPages, error) {
	a, err := flash.New(*c)
	if err != nil {
		return nil, fmt.Errorf("csd: %w", err)
	}
	return &flashPages{
		array: a, channels: uint32(c.Channels), planes: uint32(c.AllPlanes() / c.Channels),
		pages: uint32(c.PlanePages()), bytes: uint32(c.PageBytes),
	}, nil
}

func (f *flashPages) lanes() int { return int(f.channels) }

// page returns where a piece lies: channels first, then planes.
func (f *flashPages) page(p piece) uint32 {
	channel, plane := p.head+p.row, p.head+p.row/f.channels
	switch p.part {
	case values:
		channel += f.channels / 2
		plane += f.planes / 2
	case columns:
		channel += p.column
		plane += p.column + f.planes/4
	}
	return f.at(channel, plane, p.head)
}

// at returns a page of a plane of a channel, each modulo their number.
func (f *flashPages) at(channel, plane, page uint32) uint32 {
	return (channel%f.channels*f.planes+plane%f.planes)*f.pages + page%f.pages
}

// class is the order of reads that wait in one die or for one channel: keys,
// whose scores are computed while values arrive, then values, then keys of heads
// that are not in the exact part yet.
var class = [parts]flash.Class{keys: flash.Urgent, values: flash.User, columns: flash.Collect}

func (f *flashPages) read(at sim.Time, p piece, tag uint32) {
	f.array.Submit(at, flash.Op{Kind: flash.Read, Class: class[p.part], Page: f.page(p), Bytes: f.bytes, Tag: tag})
}

func (f *flashPages) next() sim.Time { return f.array.Next() }

func (f *flashPages) advance(until sim.Time, into []arrival) []arrival {
	f.array.Advance(until)
	for _, c := range f.array.Completions() {
		into = append(into, arrival{c.Tag, c.Page / f.pages / f.planes, c.At})
	}
	f.array.Drop()
	return into
}

// bursts are those of DRAM channels. Keys and values of a head lie by token, each
// in a region of their own.
type bursts struct {
	channels []*dram.Channel
	spread   devices.Interleave
	row      [parts]uint64 // bytes between pieces
	column   uint64        // bytes between the pieces of a token
	bytes    [parts]uint32 // of a piece
}

// Regions of the address space, of the keys or the values of a head each. More
// heads than regions share them: one layer's heads are never all under way.
const (
	headRegions = 64
	regionBytes = 1 << 25
)

func newBursts(m *MemoryDevices, l *Layout) (*bursts, error) {
	token, column := l.TokenBytes(), l.ColumnBytes()
	b := &bursts{
		spread: devices.Interleave{Granule: uint64(m.GranuleBytes), Slices: uint64(m.Channels)},
		row:    [parts]uint64{uint64(l.rowBytes()), uint64(token), uint64(token)},
		column: uint64(column),
		bytes:  [parts]uint32{uint32(column), uint32(token), uint32(token)},
	}
	for range m.Channels {
		ch, err := dram.New(m.DRAM)
		if err != nil {
			return nil, fmt.Errorf("csd: memory: %w", err)
		}
		b.channels = append(b.channels, ch)
	}
	return b, nil
}

func (b *bursts) lanes() int { return len(b.channels) }

func (b *bursts) read(at sim.Time, p piece, tag uint32) {
	region := uint64(p.head%headRegions) * 2
	if p.part == values {
		region++
	}
	channel, addr := b.spread.Locate(region*regionBytes + uint64(p.row)*b.row[p.part] + uint64(p.column)*b.column)
	b.channels[channel].Enqueue(at, dram.Request{Addr: addr, Bytes: b.bytes[p.part], Tag: tag})
}

func (b *bursts) next() sim.Time {
	t := sim.Never
	for _, ch := range b.channels {
		t = min(t, ch.Next())
	}
	return t
}

func (b *bursts) advance(until sim.Time, into []arrival) []arrival {
	for i, ch := range b.channels {
		ch.Advance(until)
		for _, c := range ch.Completions() {
			into = append(into, arrival{c.Tag, uint32(i), c.Last})
		}
		ch.Drop()
	}
	return into
}
