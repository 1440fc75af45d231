package sim

import (
	"fmt"
	"math/bits"
)

// A key orders events: twice the time in ps, plus the phase. It is read as
// digits of digitBits bits, one level of the wheel each.
const (
	digitBits = 8
	slots     = 1 << digitBits
	levels    = (64 + digitBits - 1) / digitBits
)

// wheel is a hierarchical timing wheel: a priority queue of node numbers, FIFO
// among equal keys, over all of time.
//
// An event lies at the level of the highest digit in which its key differs
// from the last key taken, in the slot of that digit. Everything at a level is
// therefore earlier than everything above it, and a slot of level 0 holds one
// key only, so appending is all the ordering there is. last moves only when an
// event is taken, never to look ahead: an event earlier than the earliest
// pending one can always still be put.
type wheel struct {
	last  uint64 // key last taken
	next  uint64 // least pending key; meaningful while n > 0
	n     int
	busy  uint32 // bit l is set when level l holds events
	free  int32  // first free node
	nodes []node // nodes[0] stands for none
	level [levels]*level

	taken uint64 // events taken so far
	since uint64 // taken when the time last changed
	limit uint64 // events allowed in one instant; 0 means any number
}

// node is one pending event. Its payload lies elsewhere under the same number,
// so that spreading a slot touches 16 bytes an event.
type node struct {
	key  uint64
	next int32
}

// slot is a list in order of arrival. min spares a search of the list, since
// slots above level 0 only grow until they are emptied at once.
type slot struct {
	head, tail int32
	min        uint64
}

type level struct {
	words uint64 // bit w is set when word[w] is not zero
	word  [slots / 64]uint64
	slot  [slots]slot
}

// livelock is the panic of a wheel that takes more than limit events in one
// instant; the engine turns it into an error.
type livelock struct{ at Time }

func (l livelock) String() string { return fmt.Sprintf("sim: time stands still at %v", l.at) }

// place returns the level and slot of key.
func (w *wheel) place(key uint64) (l, s uint) {
	l = uint(bits.Len64((key^w.last)|1)-1) / digitBits
	return l, uint(key>>(l*digitBits&63)) % slots
}

// put adds an event and returns its node, which stays its own until taken.
func (w *wheel) put(key uint64) int32 {
	if key>>1 < w.last>>1 {
		panic(fmt.Sprintf("sim: event at %v is before the current time %v", Time(key>>1), Time(w.last>>1)))
	}
	i := w.free
	if i == 0 {
		i = w.grow()
	} else {
		w.free = w.nodes[i].next
	}
	w.nodes[i] = node{key: key}
	w.link(i, key)
	if w.n == 0 || key < w.next {
		w.next = key
	}
	w.n++
	return i
}

func (w *wheel) grow() int32 {
	if len(w.nodes) == 0 {
		w.nodes = make([]node, 1, 16)
	}
	w.nodes = append(w.nodes, node{})
	return int32(len(w.nodes) - 1)
}

// link appends node i to the slot of its key.
func (w *wheel) link(i int32, key uint64) {
	l, n := w.place(key)
	lv := w.level[l]
	if lv == nil {
		lv = new(level)
		w.level[l] = lv
	}
	s := &lv.slot[n]
	if s.tail == 0 {
		*s = slot{i, i, key}
		lv.word[n/64] |= 1 << (n % 64)
		lv.words |= 1 << (n / 64)
		w.busy |= 1 << l
		return
	}
	w.nodes[s.tail].next = i
	s.tail = i
	s.min = min(s.min, key)
}

// take removes the earliest event and returns its node, whose payload is valid
// until the next put. The wheel must not be empty.
func (w *wheel) take() int32 {
	key := w.next
	if key>>1 != w.last>>1 {
		w.since = w.taken
	} else if w.limit != 0 && w.taken-w.since >= w.limit {
		panic(livelock{Time(key >> 1)})
	}
	l, n := w.place(key)
	lv := w.level[l]
	s := &lv.slot[n]
	i := s.head
	w.last = key
	w.taken++
	w.n--
	switch {
	case i == s.tail:
		w.clear(lv, l, n)
		w.next = w.earliest()
	case l == 0:
		s.head = w.nodes[i].next
	default:
		w.clear(lv, l, n)
		i = w.spread(i, key)
		w.next = w.earliest()
	}
	w.nodes[i].next = w.free
	w.free = i
	return i
}

// clear empties slot n of level l.
func (w *wheel) clear(lv *level, l, n uint) {
	lv.slot[n].tail = 0
	lv.word[n/64] &^= 1 << (n % 64)
	if lv.word[n/64] != 0 {
		return
	}
	lv.words &^= 1 << (n / 64)
	if lv.words == 0 {
		w.busy &^= 1 << l
	}
}

// spread links the list at i anew, in order, after last moved to key inside
// it; all of it falls to lower levels. The first event of that key stays out
// and is returned.
func (w *wheel) spread(i int32, key uint64) (first int32) {
	for i != 0 {
		d := &w.nodes[i]
		next := d.next
		d.next = 0
		if first == 0 && d.key == key {
			first = i
		} else {
			w.link(i, d.key)
		}
		i = next
	}
	return first
}

// earliest returns the least pending key, or 0 when there is none.
func (w *wheel) earliest() uint64 {
	if w.busy == 0 {
		return 0
	}
	lv := w.level[bits.TrailingZeros32(w.busy)%levels]
	word := uint(bits.TrailingZeros64(lv.words)) % (slots / 64)
	return lv.slot[(word*64+uint(bits.TrailingZeros64(lv.word[word])))%slots].min
}
