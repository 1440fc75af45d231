package link

import (
	"errors"
	"fmt"
	"math"

	"hwsim/devices/card"
	"hwsim/sim"
)

// Config describes one link. Exactly one of Packets and Slots says how its
// messages are packed.
type Config struct {
	Kind      string  `toml:"kind"`        // "pcie", "nvlink", "cxl", ...: a name for reports
	RawGBps   float64 `toml:"raw_gbps"`    // a direction, 1e9 B/s, after line coding
	RawUpGBps float64 `toml:"raw_up_gbps"` // Up where it differs from Down; 0: the same
	Overhead  float64 `toml:"overhead"`    // fraction of the wire lost to the link layer
	LatencyNs float64 `toml:"latency_ns"`  // one way, ports included
	QuantumNs float64 `toml:"quantum_ns"`  // a message's time on the wire is rounded down to a multiple, as simulators that count in ns do; 0: exact
	Tags      int     `toml:"tags"`        // reads one requester may have outstanding; 0: unlimited

	Packets *Packets `toml:"packets"`
	Slots   *Slots   `toml:"slots"`

	Energy *card.Link `toml:"energy"` // nil: none
}

// Packets is the packing of PCIe and NVLink: a message travels as packets of
// bounded payload, each with a header.
type Packets struct {
	RequestHeaderBytes int `toml:"request_header_bytes"` // a read request
	ReadHeaderBytes    int `toml:"read_header_bytes"`    // a packet of read data
	WriteHeaderBytes   int `toml:"write_header_bytes"`   // a packet of write data
	AckBytes           int `toml:"ack_bytes"`            // a write's acknowledgement; 0: posted writes
	MaxPayloadBytes    int `toml:"max_payload_bytes"`    // payload of a data packet
	ReadRequestBytes   int `toml:"read_request_bytes"`   // payload one read request asks for
	GranuleBytes       int `toml:"granule_bytes"`        // payload is padded to a multiple
}

// Slots is the packing of CXL.mem: messages share flits of fixed-size slots.
// The slot counts are for one line and may be fractions, as flits are shared.
type Slots struct {
	SlotBytes   float64 `toml:"slot_bytes"`   // wire bytes a slot, with its share of flit header and CRC
	LineBytes   int     `toml:"line_bytes"`   // bytes of a cache line, the unit of CXL.mem
	ReadRequest float64 `toml:"read_request"` // slots of a read request
	ReadData    float64 `toml:"read_data"`    // slots of a line read
	WriteData   float64 `toml:"write_data"`   // slots of a line written, with its request
	WriteAck    float64 `toml:"write_ack"`    // slots of a write's acknowledgement
}

// Validate reports every key whose value describes no link.
func (c *Config) Validate(report func(key, message string)) {
	positive(report, "raw_gbps", c.RawGBps)
	notNegative(report, "raw_up_gbps", c.RawUpGBps)
	notNegative(report, "latency_ns", c.LatencyNs)
	notNegative(report, "quantum_ns", c.QuantumNs)
	notNegative(report, "tags", float64(c.Tags))
	if !(c.Overhead >= 0 && c.Overhead < 1) {
		report("overhead", "must be at least 0 and below 1")
	}
	if (c.Packets == nil) == (c.Slots == nil) {
		report("packets", "exactly one of packets and slots must be given")
	}
	if p := c.Packets; p != nil {
		p.validate(report)
	}
	if s := c.Slots; s != nil {
		s.validate(report)
	}
}

func (p *Packets) validate(report func(key, message string)) {
	notNegative(report, "packets.request_header_bytes", float64(p.RequestHeaderBytes))
	notNegative(report, "packets.read_header_bytes", float64(p.ReadHeaderBytes))
	notNegative(report, "packets.write_header_bytes", float64(p.WriteHeaderBytes))
	notNegative(report, "packets.ack_bytes", float64(p.AckBytes))
	positive(report, "packets.max_payload_bytes", float64(p.MaxPayloadBytes))
	positive(report, "packets.read_request_bytes", float64(p.ReadRequestBytes))
	positive(report, "packets.granule_bytes", float64(p.GranuleBytes))
}

func (s *Slots) validate(report func(key, message string)) {
	positive(report, "slots.slot_bytes", s.SlotBytes)
	positive(report, "slots.line_bytes", float64(s.LineBytes))
	notNegative(report, "slots.read_request", s.ReadRequest)
	positive(report, "slots.read_data", s.ReadData)
	positive(report, "slots.write_data", s.WriteData)
	notNegative(report, "slots.write_ack", s.WriteAck)
}

func positive(report func(key, message string), key string, v float64) {
	if !(v > 0) {
		report(key, "must be positive")
	}
}

func notNegative(report func(key, message string), key string, v float64) {
	if !(v >= 0) {
		report(key, "must not be negative")
	}
}

// validated returns all of Validate's reports as one error.
func (c *Config) validated() error {
	var errs []error
	c.Validate(func(key, message string) { errs = append(errs, fmt.Errorf("link %s: %s %s", c.Kind, key, message)) })
	return errors.Join(errs...)
}

// unitsPerByte divides a byte of wire so that every size is whole: a third
// of a slot of a 68-byte flit (17 bytes of wire) and of a 256-byte flit
// (256/15 bytes), and half a slot of either.
const unitsPerByte = 90

// format is the size on the wire of one kind of message, in wire units.
type format struct {
	span    uint64 // payload bytes one packet or line covers
	header  uint64 // units a packet or line
	granule uint64 // payload is padded to a multiple of it
	data    uint64 // units a granule; 0: the message carries no payload
}

// units returns the wire units of a message about payload bytes.
func (f *format) units(payload uint32) uint64 {
	n := uint64(payload)
	return (n+f.span-1)/f.span*f.header + (n+f.granule-1)/f.granule*f.data
}

func (c *Config) formats() [numPackets]format {
	if c.Packets != nil {
		return c.Packets.formats()
	}
	return c.Slots.formats()
}

func (p *Packets) formats() [numPackets]format {
	f := func(span, header, dataPerByte int) format {
		granule := uint64(p.GranuleBytes)
		return format{uint64(span), uint64(header) * unitsPerByte, granule, granule * uint64(dataPerByte)}
	}
	return [numPackets]format{
		ReadRequest: f(p.ReadRequestBytes, p.RequestHeaderBytes, 0),
		ReadData:    f(p.MaxPayloadBytes, p.ReadHeaderBytes, unitsPerByte),
		WriteData:   f(p.MaxPayloadBytes, p.WriteHeaderBytes, unitsPerByte),
		WriteAck:    f(p.MaxPayloadBytes, p.AckBytes, 0),
	}
}

func (s *Slots) formats() [numPackets]format {
	f := func(slots float64) format {
		line := uint64(s.LineBytes)
		return format{span: line, header: uint64(math.Round(slots * s.SlotBytes * unitsPerByte)), granule: line}
	}
	return [numPackets]format{
		ReadRequest: f(s.ReadRequest),
		ReadData:    f(s.ReadData),
		WriteData:   f(s.WriteData),
		WriteAck:    f(s.WriteAck),
	}
}

// clock returns the clock whose edges are a direction's wire units.
func (c *Config) clock(d Direction) sim.Clock {
	return sim.ClockHz(uint64(math.Round(c.effectiveGBps(d) * 1e9 * unitsPerByte)))
}

// effectiveGBps returns the rate that messages share.
func (c *Config) effectiveGBps(d Direction) float64 {
	raw := c.RawGBps
	if d == Up && c.RawUpGBps > 0 {
		raw = c.RawUpGBps
	}
	return raw * (1 - c.Overhead)
}
