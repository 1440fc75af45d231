package dram

import (
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/require"
)

// bytesOf hands out the fuzzer's bytes; zeros after the last.
type bytesOf []byte

func (b *bytesOf) next() int {
	if len(*b) == 0 {
		return 0
	}
	v := (*b)[0]
	*b = (*b)[1:]
	return int(v)
}

func pick[T any](b *bytesOf, of ...T) T { return of[b.next()%len(of)] }

// config is any controller, valid or not.
func (b *bytesOf) config() Config {
	hash := b.next()%2 == 0
	return Config{
		Standard: pick(b, Standards()...), Refresh: pick(b, "all_bank", "staggered", "per_bank", "same_bank", "none"),
		RefreshFirst: b.next()%4 == 0, Postpone: b.next() % 9, PullIn: pick(b, 0, 0, 1, 4), InlineECC: pick(b, 0, 0, 0, 8, 16), PowerDownNs: pick(b, 0, 0, 1, 200.0),
		QueueDepth: b.next(), WriteQueueDepth: b.next(), DrainHigh: pick(b, 0, 0.5, 1), DrainLow: pick(b, 0, 0.4, 0.9),
		Scheduler: pick(b, "", "", "fcfs"), HitCap: b.next()%6 - 1,
		Page: pick(b, "open", "closed", "adaptive"), PageIdleNs: float64(b.next()), PageCap: pick(b, 0, 0, 1, 3), AutoPrecharge: b.next()%2 == 0,
		Forward: b.next()%2 == 0, Map: pick(b, "", "A", "B"), Hash: &hash, Ranks: pick(b, 0, 0, 1, 2, 4),
	}
}

// FuzzChannel checks that every request of any traffic completes, under any
// settings; built with -tags invariants, that no rule is broken.
func FuzzChannel(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a seed long enough to reach the requests, of which there are a few here"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := bytesOf(data)
		cfg := b.config()
		c, err := New(cfg)
		if err != nil {
			return
		}
		size := c.Spec().Bytes()
		var at []sim.Time
		var reqs []Request
		now := sim.Time(0)
		for len(b) > 0 && len(reqs) < 2000 {
			now += sim.Time(b.next()) * pick(&b, 0, sim.Time(100), sim.Nanosecond, 100*sim.Nanosecond, 10*sim.Microsecond)
			addr := (uint64(b.next())<<24 | uint64(b.next())<<10 | uint64(b.next())) % size
			for range 1 + b.next()%32 { // a run
				at = append(at, now)
				reqs = append(reqs, Request{Addr: addr, Bytes: uint32(1 + b.next()), Write: b.next()%3 == 0, Tag: uint32(len(reqs))})
				addr = (addr + 64) % size
			}
		}
		if len(reqs) == 0 {
			return
		}
		done, _ := play(t, cfg, at, reqs, nil)
		require.Len(t, done, len(reqs))
	})
}
