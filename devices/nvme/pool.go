package nvme

// none is no slot.
const none = ^uint32(0)

// pool holds values by number and uses numbers again.
type pool[T any] struct {
	slots []T
	free  []uint32
}

func (p *pool[T]) take(v T) uint32 {
	if n := len(p.free); n > 0 {
		id := p.free[n-1]
		p.free = p.free[:n-1]
		p.slots[id] = v
		return id
	}
	p.slots = append(p.slots, v)
	return uint32(len(p.slots) - 1)
}

func (p *pool[T]) give(id uint32) { p.free = append(p.free, id) }

// each calls f with every value that is held.
func (p *pool[T]) each(f func(v *T)) {
	free := make([]bool, len(p.slots))
	for _, id := range p.free {
		free[id] = true
	}
	for id := range p.slots {
		if !free[id] {
			f(&p.slots[id])
		}
	}
}

// fifo is a queue of slots, each of which holds the number of the next.
type fifo struct{ head, tail uint32 }

var emptied = fifo{none, none}

func (q *fifo) empty() bool { return q.head == none }

func (q *fifo) push(id uint32, next func(id uint32) *uint32) {
	*next(id) = none
	if q.empty() {
		q.head = id
	} else {
		*next(q.tail) = id
	}
	q.tail = id
}

func (q *fifo) pop(next func(id uint32) *uint32) uint32 {
	id := q.head
	q.head = *next(id)
	return id
}

func (d *Drive) commandLink(id uint32) *uint32 { return &d.commands.slots[id].next }

func (d *Drive) partLink(id uint32) *uint32 { return &d.parts.slots[id].next }
