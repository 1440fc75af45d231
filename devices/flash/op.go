package flash

import "hwsim/sim"

// Kind is what an operation does.
type Kind uint8

const (
	Read Kind = iota
	Program
	Erase
	numKinds
)

// Class is whom an operation is for; a lower one goes first.
type Class uint8

const (
	Mapping Class = iota // the translation's own pages
	Urgent               // garbage collection that the host must wait for
	User
	Collect // garbage collection that must wait for the host
	numClasses
)

// Op is one operation. A page's number counts pages of blocks of planes of
// dies of ways of channels, the page fastest; an erase names any page of its
// block.
type Op struct {
	Page  uint32
	Bytes uint32 // moved over the channel; nothing for an erase
	Tag   uint32 // returned with the completion
	Kind  Kind
	Class Class
}

// Completion is an operation that has ended: a read with its data's last byte
// off the channel, a program or an erase with the die.
type Completion struct {
	Op
	At sim.Time
}

// Stats counts what an array has done. A multi-plane command is one command.
type Stats struct {
	Ops        [numKinds]uint64 // pages read and programmed, blocks erased
	Commands   [numKinds]uint64
	MultiPlane [numKinds]uint64 // of the commands, those with several planes
	Suspended  uint64
	Retried    uint64   // reads that needed retries
	BytesOut   uint64   // read over the channels
	BytesIn    uint64   // programmed over them
	Busy       sim.Time // of all channels
	CellBusy   sim.Time // of all units' cells
}

// Since returns what was counted after an earlier state of the counters.
func (s Stats) Since(was Stats) Stats {
	for k := range s.Ops {
		s.Ops[k] -= was.Ops[k]
		s.Commands[k] -= was.Commands[k]
		s.MultiPlane[k] -= was.MultiPlane[k]
	}
	s.Suspended -= was.Suspended
	s.Retried -= was.Retried
	s.BytesOut -= was.BytesOut
	s.BytesIn -= was.BytesIn
	s.Busy -= was.Busy
	s.CellBusy -= was.CellBusy
	return s
}

// none is no slot.
const none = ^uint32(0)

// slot is an operation in the array.
type slot struct {
	Op
	next  uint32
	unit  uint16
	die   uint8 // of its chip
	plane uint8 // of its die
	page  uint16
}

// list is a queue of slots.
type list struct{ head, tail uint32 }

func (l *list) empty() bool { return l.head == none }

func (a *Array) push(l *list, id uint32) {
	a.slots[id].next = none
	if l.empty() {
		l.head = id
	} else {
		a.slots[l.tail].next = id
	}
	l.tail = id
}

// cut removes the slot after prev, or the head if prev is none.
func (a *Array) cut(l *list, prev, id uint32) {
	next := a.slots[id].next
	if prev == none {
		l.head = next
	} else {
		a.slots[prev].next = next
	}
	if l.tail == id {
		l.tail = prev
	}
}

// take returns the number of a free slot that holds s.
func (a *Array) take(s slot) uint32 {
	if n := len(a.free); n > 0 {
		id := a.free[n-1]
		a.free = a.free[:n-1]
		a.slots[id] = s
		return id
	}
	a.slots = append(a.slots, s)
	return uint32(len(a.slots) - 1)
}
