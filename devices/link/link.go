package link

import (
	"math"

	"hwsim/sim"
)

// Direction is one of a link's two wires.
type Direction uint8

const (
	Down          Direction = iota // requester (host) to device
	Up                             // device to requester
	numDirections = 2
)

// Packet is the kind of a message on the wire.
type Packet uint8

const (
	ReadRequest Packet = iota // asks for payload bytes, carries none
	ReadData                  // carries the payload of a read
	WriteData                 // carries the payload of a write
	WriteAck                  // acknowledges a write of payload bytes, carries none
	numPackets
)

func (p Packet) carriesPayload() bool { return p == ReadData || p == WriteData }

// Link is the state of one link.
type Link struct {
	config  Config
	formats [numPackets]format
	latency sim.Time
	wires   [numDirections]wire
}

// New returns an idle link.
func New(cfg Config) (*Link, error) {
	if err := cfg.validated(); err != nil {
		return nil, err
	}
	l := &Link{config: cfg, formats: cfg.formats(), latency: sim.FromNanoseconds(cfg.LatencyNs)}
	for d := range l.wires {
		l.wires[d].clock = cfg.clock(Direction(d))
		l.wires[d].quantum = sim.FromNanoseconds(cfg.QuantumNs)
	}
	return l, nil
}

// Posted reports whether writes are not acknowledged on the wire: to know
// that they have arrived takes a read behind them.
func (l *Link) Posted() bool { return l.formats[WriteAck].units(1) == 0 }

// Latency returns the time one byte takes from end to end.
func (l *Link) Latency() sim.Time { return l.latency }

// Tags returns the reads one requester may have outstanding, 0 if unlimited.
func (l *Link) Tags() int { return l.config.Tags }

// Reserve puts one message on the wire of direction d at or after now and
// returns when its first and its last byte arrive at the far end. Messages
// leave in the order of the calls, whose now must not decrease. A message
// that occupies no wire (the acknowledgement of a posted write) waits for
// nothing.
func (l *Link) Reserve(now sim.Time, d Direction, k Packet, payload uint32) (first, last sim.Time) {
	w := &l.wires[d]
	w.messages++
	if k.carriesPayload() {
		w.payload += uint64(payload)
	}
	units := l.formats[k].units(payload)
	if units == 0 {
		return now + l.latency, now + l.latency
	}
	first, last = w.occupy(now, units)
	return first + l.latency, last + l.latency
}

// Free returns when the wire of direction d has sent all that is reserved.
func (l *Link) Free(d Direction) sim.Time { return l.wires[d].free }

// wire is one direction. Within a busy period ends are counted in wire units
// from its start, so that no rounded time is ever accumulated.
type wire struct {
	clock   sim.Clock // one edge a wire unit
	quantum sim.Time  // of a message's time; 0: none
	start   sim.Time  // of the current busy period
	units   uint64    // sent since start
	free    sim.Time  // end of the current busy period

	messages, payload, sent uint64 // sent in units
	maxBacklog              sim.Time
}

// occupy sends units from now on, behind what is already reserved.
func (w *wire) occupy(now sim.Time, units uint64) (begin, end sim.Time) {
	if now > w.free {
		w.start, w.units, w.free = now, 0, now
	}
	begin = w.free
	w.maxBacklog = max(w.maxBacklog, begin-now)
	w.sent += units
	if w.quantum > 0 {
		t := w.clock.Edge(int64(units))
		w.free += t - t%w.quantum
		return begin, w.free
	}
	w.units += units
	w.free = w.start + w.clock.Edge(int64(w.units))
	return begin, w.free
}

// Stats counts what one direction has carried.
type Stats struct {
	Messages     uint64
	PayloadBytes uint64
	WireBytes    float64  // payload, headers and padding; no link-layer overhead
	Busy         sim.Time // time the wire was occupied, link-layer overhead included
	MaxBacklog   sim.Time // longest wait of a message for the wire
}

// Stats returns the counters of direction d.
func (l *Link) Stats(d Direction) Stats {
	w := &l.wires[d]
	return Stats{
		Messages:     w.messages,
		PayloadBytes: w.payload,
		WireBytes:    float64(w.sent) / unitsPerByte,
		Busy:         w.clock.Edge(int64(w.sent)),
		MaxBacklog:   w.maxBacklog,
	}
}

// Ceiling returns the greatest payload rate, in GB/s, at which a stream of
// long messages can mix reads with writes, readFraction of the payload being
// read: the fuller direction is the limit.
func (l *Link) Ceiling(readFraction float64) float64 {
	const long = 1 << 20 // bytes; a whole number of packets of every format
	return l.CeilingOf(readFraction, long)
}

// CeilingOf is Ceiling for messages of payload bytes each.
func (l *Link) CeilingOf(readFraction float64, payload uint32) float64 {
	wireBytes := func(reads, writes Packet) float64 {
		r, w := l.formats[reads].units(payload), l.formats[writes].units(payload)
		mixed := readFraction*float64(r) + (1-readFraction)*float64(w)
		return mixed / unitsPerByte / float64(payload)
	}
	return math.Min(
		l.config.effectiveGBps(Down)/wireBytes(ReadRequest, WriteData),
		l.config.effectiveGBps(Up)/wireBytes(ReadData, WriteAck))
}
