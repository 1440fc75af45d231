package kvalloc

import (
	"fmt"

	"hwsim/sim"
)

// entryBytes is an entry of a block table.
const entryBytes = 4

// Allocator gives the slots of a batch physical memory in units of the same
// number of tokens in all buffers.
type Allocator struct {
	shape    Shape
	tokens   int      // of a unit
	bytes    uint64   // of a unit, all buffers
	calls    int      // that map a unit
	call     sim.Time // time of one
	limit    int      // units of a slot
	entry    uint64   // bytes of a unit's entry in a block table
	deferred bool
	overlap  bool
	eager    int // tokens

	units    int      // in all
	fresh    int      // never given out: all from this number on
	returned []uint32 // given back
	slots    []slot
	active   int
	used     uint64 // tokens of all requests
}

// slot is a place in the batch and the memory mapped for it.
type slot struct {
	active bool
	tokens int
	units  []uint32 // in the order of their tokens
}

// NewPaged returns an allocator of blocks of so many tokens, out of so many
// bytes, for at most so many requests.
func NewPaged(s Shape, bytes uint64, slots, blockTokens int) (*Allocator, error) {
	a := &Allocator{tokens: blockTokens, entry: entryBytes}
	return a.of(s, s.Bytes(blockTokens), bytes, slots)
}

// NewVirtual returns an allocator of page groups, one in every buffer at once.
func NewVirtual(s Shape, bytes uint64, slots int, v Virtual) (*Allocator, error) {
	v = v.WithDefaults()
	if v.GroupBytes < s.TokenBytes {
		return nil, fmt.Errorf("page group of %d bytes: a token has %d in a buffer", v.GroupBytes, s.TokenBytes)
	}
	a := &Allocator{tokens: int(v.GroupBytes / s.TokenBytes), calls: s.Buffers, call: sim.FromNanoseconds(v.MapUs * 1e3),
		overlap: v.Overlap, deferred: v.Deferred, eager: v.Eager}
	return a.of(s, v.GroupBytes*uint64(s.Buffers), bytes, slots)
}

// NewContiguous returns an allocator that reserves maxTokens for each request.
func NewContiguous(s Shape, bytes uint64, slots, maxTokens int) (*Allocator, error) {
	a := &Allocator{tokens: maxTokens, limit: 1}
	return a.of(s, s.Bytes(maxTokens), bytes, slots)
}

func (a *Allocator) of(s Shape, unit, bytes uint64, slots int) (*Allocator, error) {
	const mostUnits, mostSlots = 1 << 31, 1 << 16
	switch {
	case s.Buffers < 1 || s.TokenBytes < 1:
		return nil, fmt.Errorf("shape of %d buffers of %d bytes a token: both must be positive", s.Buffers, s.TokenBytes)
	case a.tokens < 1:
		return nil, fmt.Errorf("unit of %d tokens: must be positive", a.tokens)
	case slots < 1 || slots > mostSlots:
		return nil, fmt.Errorf("%d slots: must be 1 to %d", slots, mostSlots)
	case bytes/unit > mostUnits:
		return nil, fmt.Errorf("%d bytes in units of %d: must be at most %d units", bytes, unit, mostUnits)
	}
	a.shape, a.bytes, a.units, a.slots = s, unit, int(bytes/unit), make([]slot, slots)
	return a, nil
}

// UnitTokens returns the tokens of a unit.
func (a *Allocator) UnitTokens() int { return a.tokens }

// Active returns how many requests have a slot.
func (a *Allocator) Active() int { return a.active }

// Used returns the bytes of the requests' tokens.
func (a *Allocator) Used() uint64 { return a.shape.Bytes(1) * a.used }

// Mapped returns the bytes that slots hold.
func (a *Allocator) Mapped() uint64 { return uint64(a.fresh-len(a.returned)) * a.bytes }

// Held returns the bytes that slots hold without a request, for the next one.
func (a *Allocator) Held() uint64 {
	units := 0
	for i := range a.slots {
		if s := &a.slots[i]; !s.active {
			units += len(s.units)
		}
	}
	return uint64(units) * a.bytes
}

// TableBytes returns the size of all block tables.
func (a *Allocator) TableBytes() uint64 { return uint64(a.fresh-len(a.returned)) * a.entry }

// MapGBps returns the rate at which memory can be mapped, 0 if it need not be.
func (a *Allocator) MapGBps() float64 {
	if a.calls == 0 {
		return 0
	}
	return float64(a.bytes) / (sim.Time(a.calls) * a.call).Nanoseconds()
}

// available returns the units that no slot holds.
func (a *Allocator) available() int { return a.units - a.fresh + len(a.returned) }

// spare returns the units that could be given to others.
func (a *Allocator) spare() int {
	n := a.available()
	for i := range a.slots {
		s := &a.slots[i]
		n += len(s.units) - a.needed(s)
	}
	return n
}

// needed returns the units that a slot's tokens take.
func (a *Allocator) needed(s *slot) int {
	if !s.active {
		return 0
	}
	return a.unitsOf(s.tokens)
}

func (a *Allocator) unitsOf(tokens int) int { return (tokens + a.tokens - 1) / a.tokens }

// next returns the slot that the next request gets, the first without one, or
// -1.
func (a *Allocator) next() int {
	for i := range a.slots {
		if !a.slots[i].active {
			return i
		}
	}
	return -1
}

// Admit gives a request of so many tokens a slot, if after that so many units
// would be left. It returns the calls that its memory takes.
func (a *Allocator) Admit(tokens, left int) (slot, calls int, ok bool) {
	slot = a.next()
	if slot < 0 || a.spare()-a.unitsOf(tokens) < left {
		return 0, 0, false
	}
	a.slots[slot].active = true
	if calls, ok = a.Extend(slot, tokens); !ok {
		a.slots[slot].active = false
		return 0, 0, false
	}
	a.active++
	return slot, calls, true
}

// Extend gives a slot's request memory for so many tokens, and returns the
// calls that it takes. If there is none, nothing changes.
func (a *Allocator) Extend(slot, tokens int) (calls int, ok bool) {
	s := &a.slots[slot]
	if a.limit > 0 && a.unitsOf(tokens) > a.limit {
		return 0, false
	}
	before := len(s.units)
	if short := a.unitsOf(tokens) - before; short > a.available() {
		a.reclaim(short, slot)
		if short > a.available() {
			return 0, false
		}
	}
	a.grow(s, a.unitsOf(tokens))
	a.used += uint64(tokens - s.tokens)
	s.tokens = tokens
	return (len(s.units) - before) * a.calls, true
}

// Prepare maps what a slot needs for so many tokens as far as there is memory
// that no request has, and returns the calls that it takes.
func (a *Allocator) Prepare(slot, tokens int) (calls int) {
	s := &a.slots[slot]
	before := len(s.units)
	a.release(a.unitsOf(tokens)-before, slot)
	a.grow(s, min(a.unitsOf(tokens), before+a.available()))
	return (len(s.units) - before) * a.calls
}

// grow gives a slot units until it has so many.
func (a *Allocator) grow(s *slot, units int) {
	for len(s.units) < units {
		var u uint32
		if n := len(a.returned); n > 0 {
			u, a.returned = a.returned[n-1], a.returned[:n-1]
		} else {
			u = uint32(a.fresh)
			a.fresh++
		}
		s.units = append(s.units, u)
	}
}

// reclaim takes units that are not needed from slots, the last one first,
// until so many are available. One slot keeps what it has.
func (a *Allocator) reclaim(units, but int) {
	for i := len(a.slots) - 1; i >= 0 && a.available() < units; i-- {
		if i != but {
			a.shrink(&a.slots[i], a.needed(&a.slots[i]))
		}
	}
}

// release takes units from slots without a request, the last one first, until
// so many are available. One slot keeps what it has.
func (a *Allocator) release(units, but int) {
	for i := len(a.slots) - 1; i >= 0 && a.available() < units; i-- {
		if s := &a.slots[i]; i != but && !s.active {
			a.shrink(s, 0)
		}
	}
}

// shrink takes units from a slot until it has so many.
func (a *Allocator) shrink(s *slot, units int) {
	for n := len(s.units); n > units; n-- {
		a.returned = append(a.returned, s.units[n-1])
		s.units = s.units[:n-1]
	}
}

// End ends a slot's request. Its units stay with the slot if reclamation is
// deferred.
func (a *Allocator) End(slot int) {
	s := &a.slots[slot]
	a.used -= uint64(s.tokens)
	s.active, s.tokens = false, 0
	a.active--
	if !a.deferred {
		a.shrink(s, 0)
	}
}

// Reclaim takes back all that no request needs.
func (a *Allocator) Reclaim() { a.reclaim(a.units, -1) }
