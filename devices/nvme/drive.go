package nvme

import (
	"fmt"

	"hwsim/devices/flash"
	"hwsim/devices/ftl"
	"hwsim/devices/link"
	"hwsim/sim"
)

const (
	maxCores  = 64
	maxQueues = 256
)

// Request is a read, a write or a trim of the host.
type Request struct {
	Addr  uint64 // in bytes
	Bytes uint32
	Tag   uint32 // returned with the completion
	Queue uint16 // of the drive's pairs
	Write bool
	Trim  bool // of the pages that lie in it whole
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
	Trims                   uint64
	AheadReads, AheadHits   uint64 // pages read ahead, and pages asked for that were
	FirmwareBusy            sim.Time
}

// Since returns what was counted after an earlier state of the counters.
func (s Stats) Since(was Stats) Stats {
	s.Reads -= was.Reads
	s.Writes -= was.Writes
	s.ReadBytes -= was.ReadBytes
	s.WrittenBytes -= was.WrittenBytes
	s.BufferHits -= was.BufferHits
	s.Zeros -= was.Zeros
	s.Stalls -= was.Stalls
	s.Trims -= was.Trims
	s.AheadReads -= was.AheadReads
	s.AheadHits -= was.AheadHits
	s.FirmwareBusy -= was.FirmwareBusy
	return s
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

	submit, complete   sim.Time
	firmware, pipeline [2]sim.Time // of a read, of a write
	bufferDelay        sim.Time
	events             sim.Queue[event]
	requests           pool[request]
	commands           pool[command]
	parts              pool[part]
	queues             []queuePair
	turn               int // of the queue that is fetched from
	burst              int // entries that it may still give
	inDrive            int
	buffered           int      // bytes
	forRoom            fifo     // parts that wait for the buffer
	blocked            []fifo   // parts that wait for their plane
	inBuffer           []uint32 // parts of each logical page
	ahead              readAhead
	done               []Completion
	stats              Stats
}

// queuePair is a submission queue and its completion queue.
type queuePair struct {
	atHost      fifo // commands that wait for an entry
	atDoor      fifo // those that have one and wait to be fetched
	outstanding int
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
	addr    uint64 // of what is left
	bytes   uint32
	left    uint32 // not yet cut into pages
	parts   int    // pages not yet read or safe
	queue   uint16
	write   bool
	trim    bool
	next    uint32
}

// part is a page of a command, or an operation of collection.
type part struct {
	command ftl.Command // of the flash
	owner   uint32      // none: buffered, or of collection
	logical uint32
	version uint32 // of a write
	bytes   uint32
	ops     uint32 // of the flash that collection waits for
	write   bool
	ahead   bool // a page read ahead
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
	if _, err := link.New(c.Link); err != nil {
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
		config: c, pageBytes: uint64(c.Flash.PageBytes), flash: array, ftl: f,
		submit: ns(c.SubmitNs), complete: ns(c.CompleteNs), bufferDelay: ns(c.BufferNs),
		firmware: [2]sim.Time{ns(c.FirmwareReadNs), ns(c.FirmwareWriteNs)},
		pipeline: [2]sim.Time{ns(c.PipelineReadNs), ns(c.PipelineWriteNs)},
	}
	if c.BufferBytes > 0 {
		d.inBuffer = make([]uint32, f.LogicalPages())
	}
	d.idle()
	return d, nil
}

// idle makes a drive one that has nothing to do.
func (d *Drive) idle() {
	c := &d.config
	d.link, _ = link.New(c.Link) // New has tried it
	d.events = sim.Queue[event]{}
	d.cores = [maxCores]sim.Time{}
	d.requests, d.commands, d.parts = pool[request]{}, pool[command]{}, pool[part]{}
	d.queues = make([]queuePair, max(1, c.Queues))
	for i := range d.queues {
		d.queues[i] = queuePair{atHost: emptied, atDoor: emptied}
	}
	d.turn, d.burst, d.inDrive = 0, max(1, c.ArbitrationBurst), 0
	d.buffered, d.forRoom = 0, emptied
	clear(d.inBuffer)
	d.blocked = make([]fifo, c.Flash.AllPlanes())
	for i := range d.blocked {
		d.blocked[i] = emptied
	}
	d.ahead = newReadAhead(c)
}

// Bytes returns the drive's capacity.
func (d *Drive) Bytes() uint64 { return uint64(d.ftl.LogicalPages()) * d.pageBytes }

// Fill gives every page of an idle drive that has never been written a place,
// as if it had been written from its start to its end.
func (d *Drive) Fill() {
	d.ftl.Fill()
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
// last event done. Its bytes are at least one and lie in the drive, and the
// drive has its queue.
func (d *Drive) Submit(at sim.Time, r Request) {
	most := uint64(d.config.MaxTransferBytes)
	if r.Trim {
		most = uint64(r.Bytes) // one range
	}
	id := d.requests.take(request{Request: r, at: at, commands: int((uint64(r.Bytes) + most - 1) / most)})
	d.count(r)
	for addr, end := r.Addr, r.Addr+uint64(r.Bytes); addr < end; {
		n := min(most, end-addr)
		cmd := d.commands.take(command{request: id, addr: addr, bytes: uint32(n), left: uint32(n), queue: r.Queue, write: r.Write || r.Trim, trim: r.Trim})
		d.events.Push(at+d.submit, sim.Deliver, event{issue, cmd})
		addr += n
	}
}

func (d *Drive) count(r Request) {
	if r.Trim {
		d.stats.Trims++
		return
	}
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
			d.flash.Step()
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
		d.queues[d.commands.slots[e.id].queue].atDoor.push(e.id, d.commandLink)
		d.fetch(at)
	case entryAsked:
		d.send(at, link.Down, link.ReadData, sqeBytes, event{fetched, e.id})
	case fetched:
		d.takeUp(at, e.id)
	case begun:
		d.begin(at, e.id)
	case dataAsked:
		d.send(at, link.Down, link.ReadData, d.commands.slots[e.id].payload(), event{dataIn, e.id})
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
	q := &d.queues[d.commands.slots[id].queue]
	if q.outstanding == d.config.QueueDepth {
		q.atHost.push(id, d.commandLink)
		return
	}
	q.outstanding++
	d.send(at, link.Down, link.WriteData, doorbellBytes, event{rung, id})
}

// fetch asks for entries as long as the drive takes commands.
func (d *Drive) fetch(at sim.Time) {
	for d.inDrive < d.config.FetchLimit {
		id := d.arbitrate()
		if id == none {
			return
		}
		d.inDrive++
		d.send(at, link.Up, link.ReadRequest, sqeBytes, event{entryAsked, id})
	}
}

// arbitrate returns the command to be fetched next, or none. Queues take turns,
// each with a burst at most.
func (d *Drive) arbitrate() uint32 {
	for range len(d.queues) + 1 {
		if q := &d.queues[d.turn]; d.burst > 0 && !q.atDoor.empty() {
			d.burst--
			return q.atDoor.pop(d.commandLink)
		}
		d.turn = (d.turn + 1) % len(d.queues)
		d.burst = max(1, d.config.ArbitrationBurst)
	}
	return none
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
		d.send(at, link.Up, link.ReadRequest, c.payload(), event{dataAsked, id})
		return
	}
	d.lookAhead(at, id)
	d.split(at, id)
}

// payload returns the bytes that a write or a trim sends to the drive.
func (c *command) payload() uint32 {
	if c.trim {
		return rangeBytes
	}
	return c.bytes
}

// take takes a write whose data are in the drive: into the buffer, if there is
// one, else to the flash.
func (d *Drive) take(at sim.Time, id uint32) {
	switch {
	case d.commands.slots[id].trim:
		d.trim(at, id)
		return
	case d.config.BufferBytes == 0:
		d.split(at, id)
		return
	}
	d.forRoom.push(id, d.commandLink)
	d.admit(at)
}

// admit lets pages into the buffer, in their order, as long as it is not full.
// A command is acknowledged once all of its pages are in.
func (d *Drive) admit(at sim.Time) {
	for !d.forRoom.empty() && d.buffered < d.config.BufferBytes {
		id := d.forRoom.head
		p := d.nextPart(id)
		p.owner = none
		if d.commands.slots[id].left == 0 {
			d.forRoom.pop(d.commandLink)
			d.events.Push(at+d.bufferDelay, sim.Deliver, event{acknowledge, id})
		}
		d.enter(at, p)
	}
}

// enter puts a page into the buffer, from which it goes to the flash.
func (d *Drive) enter(at sim.Time, p part) {
	d.buffered += int(p.bytes)
	d.inBuffer[p.logical]++
	d.translate(at, d.parts.take(p))
}

// split cuts a command at pages and starts each part.
func (d *Drive) split(at sim.Time, id uint32) {
	c := &d.commands.slots[id]
	end := c.addr + uint64(c.bytes)
	c.parts = int((end-1)/d.pageBytes - c.addr/d.pageBytes + 1)
	for range c.parts {
		d.translate(at, d.parts.take(d.nextPart(id)))
	}
}

// nextPart cuts the next page's part off a command.
func (d *Drive) nextPart(id uint32) part {
	c := &d.commands.slots[id]
	n := uint32(min(d.pageBytes-c.addr%d.pageBytes, uint64(c.left)))
	p := part{owner: id, logical: uint32(c.addr / d.pageBytes), bytes: n, write: c.write}
	c.addr += uint64(n)
	c.left -= n
	if p.write {
		p.version = d.ftl.Stamp()
		d.ahead.drop(p.logical)
	}
	return p
}

// trim trims the pages that lie whole in a command's range.
func (d *Drive) trim(at sim.Time, id uint32) {
	c := &d.commands.slots[id]
	first, end := (c.addr+d.pageBytes-1)/d.pageBytes, (c.addr+uint64(c.bytes))/d.pageBytes
	for page := first; page < end; page++ {
		d.ahead.drop(uint32(page))
		d.ftl.Trim(uint32(page))
	}
	d.submitCollection(at)
	d.finish(at, id)
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
	r := d.commands.slots[id].request
	p := &d.queues[d.commands.slots[id].queue]
	p.outstanding--
	d.commands.give(id)
	if !p.atHost.empty() {
		d.ring(at, p.atHost.pop(d.commandLink))
	}
	q := &d.requests.slots[r]
	if q.commands--; q.commands == 0 {
		d.done = append(d.done, Completion{q.Request, q.at, at})
		d.requests.give(r)
	}
}
