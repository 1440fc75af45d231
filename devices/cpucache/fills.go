package cpucache

// fills are the lines on their way from memory, with those who wait for them.
type fills struct {
	slots  []fill
	free   []int32
	live   int
	data   int         // of data
	filter [256]uint16 // live fills, by their line's low byte
	queue  []waiter
	spare  int32 // list of unused waiters
}

type fill struct {
	tag         uint64
	data, live  bool
	first, last int32
}

type waiter struct {
	w    Waiter
	from int64 // the first cycle in which it can have the line
	next int32
}

func newFills() fills { return fills{spare: none} }

// find returns the fill of a line, or none.
func (f *fills) find(tag uint64) int {
	if f.filter[tag&255] == 0 {
		return none
	}
	for i := range f.slots {
		if s := &f.slots[i]; s.live && s.tag == tag {
			return i
		}
	}
	return none
}

// begin notes a fill and returns its number.
func (f *fills) begin(tag uint64, data bool) int {
	n := len(f.slots)
	if k := len(f.free); k > 0 {
		n = int(f.free[k-1])
		f.free = f.free[:k-1]
	} else {
		f.slots = append(f.slots, fill{})
	}
	f.slots[n] = fill{tag, data, true, none, none}
	f.filter[tag&255]++
	f.live++
	if data {
		f.data++
	}
	return n
}

// await puts a waiter behind a fill, which can have the line from a cycle on.
func (f *fills) await(n int, w Waiter, from int64) {
	if w == NoWaiter {
		return
	}
	i := f.spare
	if i == none {
		i = int32(len(f.queue))
		f.queue = append(f.queue, waiter{})
	} else {
		f.spare = f.queue[i].next
	}
	f.queue[i] = waiter{w, from, none}
	s := &f.slots[n]
	if s.first == none {
		s.first = i
	} else {
		f.queue[s.last].next = i
	}
	s.last = i
}

// end ends a fill and tells its waiters, in the order in which they came.
func (f *fills) end(n int, tell func(w Waiter, from int64)) {
	s := &f.slots[n]
	for i := s.first; i != none; {
		q := f.queue[i]
		f.queue[i].next, f.spare = f.spare, i
		tell(q.w, q.from)
		i = q.next
	}
	f.filter[s.tag&255]--
	f.live--
	if s.data {
		f.data--
	}
	s.live = false
	f.free = append(f.free, int32(n))
}

// event tells a waiter in a cycle.
type event struct {
	at int64
	w  Waiter
}

// events are in order of time, those of one cycle in the order in which they
// came. There are a few at a time.
type events struct {
	list []event
	head int
}

func (e *events) len() int { return len(e.list) - e.head }

func (e *events) first() *event { return &e.list[e.head] }

func (e *events) pop() {
	e.head++
	if e.head == len(e.list) {
		e.list, e.head = e.list[:0], 0
	}
}

func (e *events) push(v event) {
	if e.head > 64 && 2*e.head > len(e.list) {
		e.list = e.list[:copy(e.list, e.list[e.head:])]
		e.head = 0
	}
	e.list = append(e.list, v)
	i := len(e.list) - 1
	for ; i > e.head && e.list[i-1].at > v.at; i-- {
		e.list[i] = e.list[i-1]
	}
	e.list[i] = v
}
