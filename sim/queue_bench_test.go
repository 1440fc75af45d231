package sim

import (
	"fmt"
	"testing"
)

// benchEvent is as large as the messages of the devices.
type benchEvent struct {
	addr  uint64
	_     [8]byte
	first Time
	kind  uint32
	tag   uint32
	rng   uint32
	_     [28]byte
}

// benchDomain reschedules each event 1 ps to about 1 µs ahead.
type benchDomain struct {
	*Port[benchEvent]
	sum uint64
}

func (d *benchDomain) Run(horizon Time) {
	var e benchEvent
	for d.Next() < horizon {
		now := d.PopInto(&e)
		d.handle(now, &e)
	}
}

func (d *benchDomain) handle(now Time, e *benchEvent) {
	e.rng ^= e.rng << 13
	e.rng ^= e.rng >> 17
	e.rng ^= e.rng << 5
	switch e.kind {
	case 0:
		d.sum += e.addr
	case 1:
		e.tag++
	case 2:
		e.first = now
	default:
		d.sum++
	}
	e.kind = e.rng >> 30
	d.Push(now+1+Time(e.rng%(1<<20)), Deliver, *e)
}

func BenchmarkEngine(b *testing.B) {
	for _, pending := range []int{1, 16, 1000, 100_000} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			const spread = 1 << 20
			// A window of some 256 events, as a busy domain has.
			e := NewEngine[benchEvent](256 * spread / 2 / Time(pending))
			d := &benchDomain{Port: e.Port("bench")}
			e.Attach(d.Port, d)
			for i := range pending {
				d.Push(Time(i), Deliver, benchEvent{rng: uint32(i)*2654435761 + 1})
			}
			run := func(events uint64) {
				events += d.Popped()
				if err := e.Run(func(Time) bool { return d.Popped() >= events }); err != nil {
					b.Fatal(err)
				}
			}
			run(uint64(4 * pending)) // until the queue has its steady shape
			b.ReportAllocs()
			b.ResetTimer()
			run(uint64(b.N))
		})
	}
}
