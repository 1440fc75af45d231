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

// near is the number of levels whose events are linked one by one. They span
// the 33 ns at hand.
const near = 2

// wheel is a hierarchical timing wheel: a priority queue, FIFO among equal
// keys, over all of time.
//
// An event lies at the level of the highest digit in which its key differs
// from the last key taken, in the slot of that digit. Everything at a level is
// therefore earlier than everything above it, and a slot of level 0 holds one
// key only, so appending is all the ordering there is. last moves only when an
// event is taken, never to look ahead: an event earlier than the earliest
// pending one can always still be put.
//
// By the time an event is due, its memory has often left the host's caches.
// So events of the upper levels lie in chunks, which are written and, once
// their slot is at hand, read in sequence. Only then do they get nodes of
// their own, which are few and reused while still cached.
type wheel[E any] struct {
	last  uint64 // key last taken
	next  uint64 // least pending key; meaningful while n > 0
	n     int
	busy  uint32 // bit l is set when level l holds events
	level [levels]*level

	nodes     []node[E]  // of the near levels; nodes[0] stands for none
	chunks    []chunk[E] // of the others; chunks[0] stands for none
	freeNode  int32      // first free node
	freeChunk int32      // first free chunk

	taken uint64 // events taken so far
	since uint64 // taken when the time last changed
	limit uint64 // events allowed in one instant; 0 means any number
}

// letter is an event with its key.
type letter[E any] struct {
	key uint64
	e   E
}

// node is one pending event of a near level.
type node[E any] struct {
	letter[E]
	next int32
}

// chunk is part of a list, in order of arrival.
type chunk[E any] struct {
	n, next int32
	letter  [chunkLen]letter[E]
}

// chunkLen makes 1 KB of the devices' messages.
const chunkLen = 14

// slot is a list of nodes or chunks in order of arrival. min spares a search of
// the list, since slots above level 0 only grow until they are emptied at once.
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
func (w *wheel[E]) place(key uint64) (l, s uint) {
	l = uint(bits.Len64((key^w.last)|1)-1) / digitBits
	return l, uint(key>>(l*digitBits&63)) % slots
}

// put adds an event and returns where its payload goes.
func (w *wheel[E]) put(key uint64) *E {
	if key>>1 < w.last>>1 {
		panic(fmt.Sprintf("sim: event at %v is before the current time %v", Time(key>>1), Time(w.last>>1)))
	}
	if w.n == 0 || key < w.next {
		w.next = key
	}
	w.n++
	l, n := w.place(key)
	s := w.slot(l, n, key)
	if l < near {
		return &w.nodes[w.link(s, key)].e
	}
	return w.write(s, key)
}

// slot returns slot n of level l for an event to be appended.
func (w *wheel[E]) slot(l, n uint, key uint64) *slot {
	lv := w.level[l]
	if lv == nil {
		lv = new(level)
		w.level[l] = lv
	}
	s := &lv.slot[n]
	if s.tail == 0 {
		s.min = key
		lv.word[n/64] |= 1 << (n % 64)
		lv.words |= 1 << (n / 64)
		w.busy |= 1 << l
	}
	s.min = min(s.min, key)
	return s
}

// link appends a node to the slot.
func (w *wheel[E]) link(s *slot, key uint64) int32 {
	i := w.freeNode
	if i == 0 {
		i = int32(max(1, len(w.nodes)))
		w.nodes = append(w.nodes, make([]node[E], int(i)+1-len(w.nodes))...)
	}
	d := &w.nodes[i]
	w.freeNode, d.next, d.key = d.next, 0, key
	w.append(s, i)
	return i
}

// append puts node i, of no list, at the end of the slot.
func (w *wheel[E]) append(s *slot, i int32) {
	if s.tail == 0 {
		s.head = i
	} else {
		w.nodes[s.tail].next = i
	}
	s.tail = i
}

// write appends an event to the slot's last chunk.
func (w *wheel[E]) write(s *slot, key uint64) *E {
	if s.tail == 0 || w.chunks[s.tail].n == chunkLen {
		w.lengthen(s)
	}
	c := &w.chunks[s.tail]
	e := &c.letter[c.n]
	c.n++
	e.key = key
	return &e.e
}

// lengthen appends an empty chunk to the slot.
func (w *wheel[E]) lengthen(s *slot) {
	i := w.freeChunk
	if i == 0 {
		i = int32(max(1, len(w.chunks)))
		w.chunks = append(w.chunks, make([]chunk[E], int(i)+1-len(w.chunks))...)
	}
	c := &w.chunks[i]
	w.freeChunk, c.next, c.n = c.next, 0, 0
	if s.tail == 0 {
		s.head = i
	} else {
		w.chunks[s.tail].next = i
	}
	s.tail = i
}

// take removes the earliest event and returns its payload, which is valid
// until the next put. The wheel must not be empty.
func (w *wheel[E]) take() *E {
	key := w.next
	if key>>1 != w.last>>1 {
		w.since = w.taken
	} else if w.limit != 0 && w.taken-w.since >= w.limit {
		panic(livelock{Time(key >> 1)})
	}
	l, n := w.place(key)
	lv := w.level[l]
	s := &lv.slot[n]
	i, last := s.head, s.tail
	w.last = key
	w.taken++
	w.n--
	if l == 0 && i != last {
		s.head = w.nodes[i].next
		return w.release(i)
	}
	w.clear(lv, l, n)
	var e *E
	switch {
	case l >= near:
		e = w.unpack(i, last, key)
	case i == last:
		e = w.release(i)
	default:
		e = w.release(w.spread(i, key))
	}
	w.next = w.earliest()
	return e
}

// release frees node i and returns its payload.
func (w *wheel[E]) release(i int32) *E {
	d := &w.nodes[i]
	d.next = w.freeNode
	w.freeNode = i
	return &d.e
}

// clear empties slot n of level l.
func (w *wheel[E]) clear(lv *level, l, n uint) {
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

// spread links the nodes at i anew, in order, after last moved to key among
// them; all of it falls to level 0. The first event of that key stays out and
// is returned.
func (w *wheel[E]) spread(i int32, key uint64) (first int32) {
	for i != 0 {
		d := &w.nodes[i]
		next := d.next
		d.next = 0
		if first == 0 && d.key == key {
			first = i
		} else {
			l, n := w.place(d.key)
			w.append(w.slot(l, n, d.key), i)
		}
		i = next
	}
	return first
}

// unpack is spread for the chunks from i to last.
func (w *wheel[E]) unpack(i, last int32, key uint64) (first *E) {
	for j := i; j != 0; j = w.chunks[j].next {
		for k := range w.chunks[j].n {
			d := &w.chunks[j].letter[k]
			if first == nil && d.key == key {
				first = &d.e
				continue
			}
			l, n := w.place(d.key)
			s := w.slot(l, n, d.key)
			if l < near {
				w.nodes[w.link(s, d.key)].e = d.e
			} else {
				*w.write(s, d.key) = d.e
			}
		}
	}
	w.chunks[last].next = w.freeChunk
	w.freeChunk = i
	return first
}

// earliest returns the least pending key, or 0 when there is none.
func (w *wheel[E]) earliest() uint64 {
	if w.busy == 0 {
		return 0
	}
	lv := w.level[bits.TrailingZeros32(w.busy)%levels]
	word := uint(bits.TrailingZeros64(lv.words)) % (slots / 64)
	return lv.slot[(word*64+uint(bits.TrailingZeros64(lv.word[word])))%slots].min
}
