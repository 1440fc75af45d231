package nvme

import (
	"fmt"

	"hwsim/devices/flash"
	"hwsim/devices/ftl"
	"hwsim/devices/link"
	"hwsim/sim"
)

const maxCores = 64

// Request is a read or a write of the host.
type Request struct {
	Addr  uint64 // in bytes
	Bytes uint32
	Tag   uint32 // returned with the completion
	Write bool
}

// Completion is a request that the host has seen completed.
type Completion struct {
	Request
	Issued, At sim.Time
}

// Stats counts what a drive has done for its host.
type Stats struct {
	Reads, Writes           uint64
	ReadBytes, WrittenBytes uint64
	BufferHits              uint64 // pages read from the write buffer
	Zeros                   uint64 // pages read that were never written
	Stalls                  uint64 // pages that waited for collection
	FirmwareBusy            sim.Time
}

// Drive is the state of a drive. It works lazily: Submit only takes a request
// in, Advance does the work.
type Drive struct {
	config    Config
	pageBytes uint64
	link      *link.Link
	flash     *flash.Array
	ftl       *ftl.FTL
	cores     [maxCores]sim.Time // when each is free

	submit, complete     sim.Time
	firmware, pipeline   [2]sim.Time // of a read, of a write
	bufferDelay          sim.Time
	events               sim.Queue[event]
	requests             pool[request]
	commands             pool[command]
	parts                pool[part]
	atHost               fifo // commands that wait for an entry of the queue
	atDoor               fifo // those in the queue that wait to be fetched
	outstanding, inDrive int
	buffered             int      // bytes
	forRoom              fifo     // parts that wait for the buffer
	blocked              []fifo   // parts that wait for their plane
	inBuffer             []uint16 // parts of each logical page
	done                 []Completion
	stats                Stats
}

type event struct {
	what stage
	id   uint32 // of the command or, for bufferRead, of the part
}

type stage uint8

const (
	issue       stage = iota // the host rings the doorbell
	rung                     // the doorbell has arrived
	entryAsked               // the drive's request for the entry is at the host
	fetched                  // the entry is in the drive
	begun                    // firmware has taken the command up
	dataAsked                // the drive's request for a write's data is at the host
	dataIn                   // the data are in the drive
	acknowledge              // a buffered write is safe
	bufferRead               // a part was read from the buffer
	seen                     // the host has the completion
)

type request struct {
	Request
	at       sim.Time
	commands int // not yet complete
}

type command struct {
	request uint32
	addr    uint64
	bytes   uint32
	parts   int // pages not yet read or safe
	write   bool
	next    uint32
}

// part is a page of a command, or an operation of collection.
type part struct {
	command ftl.Command // of the flash
	owner   uint32      // none: buffered, or of collection
	logical uint32
	bytes   uint32
	ops     uint32 // of the flash that collection waits for
	write   bool
	step    step
	next    uint32
}

// step is what a part waits for.
type step uint8

const (
	mapRead  step = iota // a mapping page
	pageRead             // its data
	oldRead              // what its page holds already
	program
	collection
)

// New returns an idle drive that was never written.
func New(c Config) (*Drive, error) {
	if err := c.validated(); err != nil {
		return nil, err
	}
	l, err := link.New(c.Link)
	if err != nil {
		return nil, fmt.Errorf("nvme: %w", err)
	}
	array, err := flash.New(c.Flash)
	if err != nil {
		return nil, fmt.Errorf("nvme: %w", err)
	}
	f, err := ftl.New(c.FTL, c.Flash.Geometry)
	if err != nil {
		return nil, fmt.Errorf("nvme: %w", err)
	}
	ns := sim.FromNanoseconds
	d := &Drive{
		config: c, pageBytes: uint64(c.Flash.PageBytes), link: l, flash: array, ftl: f,
		submit: ns(c.SubmitNs), complete: ns(c.CompleteNs), bufferDelay: ns(c.BufferNs),
		firmware: [2]sim.Time{ns(c.FirmwareReadNs), ns(c.FirmwareWriteNs)},
		pipeline: [2]sim.Time{ns(c.PipelineReadNs), ns(c.PipelineWriteNs)},
		atHost:   emptied, atDoor: emptied, forRoom: emptied,
		blocked: make([]fifo, c.Flash.AllPlanes()),
	}
	for i := range d.blocked {
		d.blocked[i] = emptied
	}
	if c.BufferBytes > 0 {
		d.inBuffer = make([]uint16, f.LogicalPages())
	}
	return d, nil
}

// Bytes returns the drive's capacity.
func (d *Drive) Bytes() uint64 { return uint64(d.ftl.LogicalPages()) * d.pageBytes }

// Fill gives every page of an idle drive that has never been written a place,
// as if it had been written from its start to its end.
func (d *Drive) Fill() {
	for p := range d.ftl.LogicalPages() {
		d.ftl.Assume(p)
	}
}

// Flash returns the counters of the flash.
func (d *Drive) Flash() flash.Stats { return d.flash.Stats() }

// FTL returns the counters of the translation layer.
func (d *Drive) FTL() ftl.Stats { return d.ftl.Stats() }

// Wear returns the least and the most erases of any block, and all.
func (d *Drive) Wear() (least, most uint32, total uint64) { return d.ftl.Wear() }

// Stats returns the counters.
func (d *Drive) Stats() Stats { return d.stats }

// Next returns the time of the next event.
func (d *Drive) Next() sim.Time { return min(d.events.Next(), d.flash.Next()) }

// Completions returns the requests completed since Drop, in that order.
func (d *Drive) Completions() []Completion { return d.done }

// Drop forgets the completions.
func (d *Drive) Drop() { d.done = d.done[:0] }

// Submit sends a request at the given time, which is not before that of the
// last event done. Its bytes are at least one and lie in the drive.
func (d *Drive) Submit(at sim.Time, r Request) {
	most := uint64(d.config.MaxTransferBytes)
	id := d.requests.take(request{Request: r, at: at, commands: int((uint64(r.Bytes) + most - 1) / most)})
	d.count(r)
	for addr, end := r.Addr, r.Addr+uint64(r.Bytes); addr < end; {
		n := min(most, end-addr)
		cmd := d.commands.take(command{request: id, addr: addr, bytes: uint32(n), write: r.Write})
		d.events.Push(at+d.submit, sim.Deliver, event{issue, cmd})
		addr += n
	}
}

func (d *Drive) count(r Request) {
	if r.Write {
		d.stats.Writes++
		d.stats.WrittenBytes += uint64(r.Bytes)
		return
	}
	d.stats.Reads++
	d.stats.ReadBytes += uint64(r.Bytes)
}

// Advance does everything that happens before until.
func (d *Drive) Advance(until sim.Time) {
	for {
		own, media := d.events.Next(), d.flash.Next()
		switch {
		case min(own, media) >= until:
			return
		case media <= own:
			d.flash.Advance(media + 1)
			d.collect(media)
		default:
			var e event
			at := d.events.PopInto(&e)
			d.do(at, e)
		}
	}
}

func (d *Drive) do(at sim.Time, e event) {
	switch e.what {
	case issue:
		d.ring(at, e.id)
	case rung:
		d.commands.slots[e.id].next = none
		d.atDoor.push(e.id, d.commandLink)
		d.fetch(at)
	case entryAsked:
		d.send(at, link.Down, link.ReadData, sqeBytes, event{fetched, e.id})
	case fetched:
		d.takeUp(at, e.id)
	case begun:
		d.begin(at, e.id)
	case dataAsked:
		d.send(at, link.Down, link.ReadData, d.commands.slots[e.id].bytes, event{dataIn, e.id})
	case dataIn:
		d.take(at, e.id)
	case acknowledge:
		d.finish(at, e.id)
	case bufferRead:
		d.partRead(at, e.id)
	case seen:
		d.seen(at, e.id)
	}
}

// send puts a message on the link and has an event follow its arrival.
func (d *Drive) send(at sim.Time, dir link.Direction, k link.Packet, bytes uint32, e event) {
	_, last := d.link.Reserve(at, dir, k, bytes)
	d.events.Push(last, sim.Deliver, e)
}

// ring rings the doorbell for a command, when the queue has room for it.
func (d *Drive) ring(at sim.Time, id uint32) {
	if d.outstanding == d.config.QueueDepth {
		d.atHost.push(id, d.commandLink)
		return
	}
	d.outstanding++
	d.send(at, link.Down, link.WriteData, doorbellBytes, event{rung, id})
}

// fetch asks for entries as long as the drive takes commands.
func (d *Drive) fetch(at sim.Time) {
	for d.inDrive < d.config.FetchLimit && !d.atDoor.empty() {
		d.inDrive++
		d.send(at, link.Up, link.ReadRequest, sqeBytes, event{entryAsked, d.atDoor.pop(d.commandLink)})
	}
}

// takeUp gives a command to the core that is free first.
func (d *Drive) takeUp(at sim.Time, id uint32) {
	kind := 0
	if d.commands.slots[id].write {
		kind = 1
	}
	core := 0
	for i, t := range d.cores[:d.config.FirmwareCores] {
		if t < d.cores[core] {
			core = i
		}
	}
	d.cores[core] = max(at, d.cores[core]) + d.firmware[kind]
	d.stats.FirmwareBusy += d.firmware[kind]
	d.events.Push(d.cores[core]+d.pipeline[kind], sim.Deliver, event{begun, id})
}

func (d *Drive) begin(at sim.Time, id uint32) {
	if c := &d.commands.slots[id]; c.write {
		d.send(at, link.Up, link.ReadRequest, c.bytes, event{dataAsked, id})
		return
	}
	d.split(at, id)
}

// take takes a write whose data are in the drive: into the buffer, if there is
// one, else to the flash.
func (d *Drive) take(at sim.Time, id uint32) {
	if d.config.BufferBytes == 0 {
		d.split(at, id)
		return
	}
	d.forRoom.push(id, d.commandLink)
	d.admit(at)
}

// admit lets commands into the buffer, in their order, as long as it is not
// full. The last may exceed it.
func (d *Drive) admit(at sim.Time) {
	for !d.forRoom.empty() && d.buffered < d.config.BufferBytes {
		id := d.forRoom.pop(d.commandLink)
		d.buffered += int(d.commands.slots[id].bytes)
		d.events.Push(at+d.bufferDelay, sim.Deliver, event{acknowledge, id})
		d.split(at, id)
	}
}

// split cuts a command at pages and starts each part.
func (d *Drive) split(at sim.Time, id uint32) {
	c := d.commands.slots[id]
	end := c.addr + uint64(c.bytes)
	d.commands.slots[id].parts = int((end-1)/d.pageBytes - c.addr/d.pageBytes + 1)
	owner, buffered := id, c.write && d.inBuffer != nil
	if buffered {
		owner = none
	}
	for addr := c.addr; addr < end; {
		n := min(d.pageBytes-addr%d.pageBytes, end-addr)
		logical := uint32(addr / d.pageBytes)
		if buffered {
			d.inBuffer[logical]++
		}
		d.translate(at, d.parts.take(part{owner: owner, logical: logical, bytes: uint32(n), write: c.write}))
		addr += n
	}
}

// finish sends the completion of a command whose parts are done.
func (d *Drive) finish(at sim.Time, id uint32) {
	d.inDrive--
	_, last := d.link.Reserve(at, link.Up, link.WriteData, uint32(d.config.CompletionBytes))
	d.events.Push(last+d.complete, sim.Deliver, event{seen, id})
	d.fetch(at)
}

// seen has the host take note of a completed command.
func (d *Drive) seen(at sim.Time, id uint32) {
	d.link.Reserve(at, link.Down, link.WriteData, doorbellBytes)
	d.outstanding--
	r := d.commands.slots[id].request
	d.commands.give(id)
	if !d.atHost.empty() {
		d.ring(at, d.atHost.pop(d.commandLink))
	}
	q := &d.requests.slots[r]
	if q.commands--; q.commands == 0 {
		d.done = append(d.done, Completion{q.Request, q.at, at})
		d.requests.give(r)
	}
}
