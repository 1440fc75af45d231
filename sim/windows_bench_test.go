package sim

import (
	"fmt"
	"testing"
)

// hopDomain passes every event on: one in four leaves for another domain.
type hopDomain struct {
	*Port[benchEvent]
	domains uint32
}

func (d *hopDomain) Run(horizon Time) {
	var e benchEvent
	for d.Next() < horizon {
		now := d.PopInto(&e)
		e.rng ^= e.rng << 13
		e.rng ^= e.rng >> 17
		e.rng ^= e.rng << 5
		if e.rng%4 == 0 {
			d.Send(int(e.rng>>8%d.domains), now+lookahead+Time(e.rng%5000), Deliver, &e)
		} else {
			d.Push(now+1+Time(e.rng%10_000), Arbitrate, e)
		}
	}
}

// BenchmarkWindows reports the cost of one event among 40 domains, with so
// many events in flight in each; 0 stands for a single one in all of them.
func BenchmarkWindows(b *testing.B) {
	const domains = 40
	for _, each := range []int{0, 1, 10, 100} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("each=%d/workers=%d", each, workers), func(b *testing.B) {
				e := NewEngine[benchEvent](lookahead)
				e.SetWorkers(workers)
				for i := range domains {
					d := &hopDomain{e.Port(fmt.Sprint(i)), domains}
					e.Attach(d.Port, d)
					for k := range each {
						d.Push(Time(k), Deliver, benchEvent{rng: uint32(i*1000+k)*2654435761 + 1})
					}
				}
				if each == 0 {
					e.ports[0].Push(0, Deliver, benchEvent{rng: 1})
				}
				run := func(events uint64) {
					events += e.Events()
					due := e.Windows()
					if err := e.Run(func(Time) bool {
						if e.Windows() < due { // counting asks all ports
							return false
						}
						due = e.Windows() + 20
						return e.Events() >= events
					}); err != nil {
						b.Fatal(err)
					}
				}
				run(uint64(200 * domains * each))
				b.ReportAllocs()
				b.ResetTimer()
				windows := e.Windows()
				run(uint64(b.N))
				b.ReportMetric(float64(b.N)/float64(e.Windows()-windows), "events/window")
			})
		}
	}
}
