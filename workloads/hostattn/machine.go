package hostattn

import (
	"context"
	"fmt"
	"math"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/internal/hostmemory"
)

// The window of blocks a thread that is simulated, after some to warm up.
const (
	warmBlocks = 1
	blocks     = 4
)

// run returns how long a thread takes for a block, in ns, when the last cache
// has a share of its lines.
func (w *work) run(ctx context.Context, ddr *hierarchy.Memory, kept float64) (float64, error) {
	m, err := w.machine(ddr, kept)
	if err != nil {
		return 0, err
	}
	for m.working > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		m.window()
	}
	var sum sim.Time
	for i := range m.threads {
		sum += m.threads[i].at - m.threads[i].warm
	}
	return sum.Nanoseconds() / float64(w.threads*blocks), nil
}

// machine is the threads' cores and the memory.
type machine struct {
	*work
	memory      *hostmemory.Memory
	near        sim.Time // to a line in the last cache and back
	pace, after sim.Time // a line, and at a block's end
	kept        uint64   // of 2^32 lines
	threads     []thread
	working     int
}

// thread streams through its keys and values, line by line in order.
type thread struct {
	base         uint64     // address
	asked, taken int        // lines
	ready        []sim.Time // of lines asked for and not taken, in a ring
	at, warm     sim.Time   // it is done with what it has taken; the same when it had warmed up
}

func (w *work) machine(ddr *hierarchy.Memory, kept float64) (*machine, error) {
	memory, err := hostmemory.New(ddr, w.cpu.PathNs)
	if err != nil {
		return nil, fmt.Errorf("host.ddr: %w", err)
	}
	m := &machine{work: w, memory: memory, near: sim.FromNanoseconds(w.cpu.LLCNs), pace: sim.FromNanoseconds(w.line), after: sim.FromNanoseconds(w.after),
		kept: uint64(kept * math.MaxUint32), threads: make([]thread, w.threads), working: w.threads}
	size := memory.Bytes()
	random := sim.NewRand(1)
	for i := range m.threads {
		const page = 4096
		m.threads[i] = thread{base: uint64(random.IntN(int(size/page))) * page, ready: make([]sim.Time, w.fills)}
		m.threads[i].at = (m.pace*sim.Time(w.lines) + m.after) * sim.Time(i) / sim.Time(w.threads) // threads are not in step
	}
	return m, nil
}

// window advances the machine by the way from a core to memory.
func (m *machine) window() {
	end := m.memory.End()
	for i := range m.threads {
		m.step(uint32(i), end)
	}
	m.memory.Advance(func(at sim.Time, done *dram.Completion) {
		m.threads[done.Tag/uint32(m.fills)].ready[done.Tag%uint32(m.fills)] = at
	})
}

// step lets a thread take what is there and ask for what comes next until end.
// A block's lines are asked for once the block before has been computed.
func (m *machine) step(n uint32, end sim.Time) {
	const last = warmBlocks + blocks
	t := &m.threads[n]
	for t.at < end && t.taken < last*m.lines {
		if t.asked-t.taken < m.fills && t.asked < (t.taken/m.lines+1)*m.lines {
			m.ask(n, t)
			continue
		}
		ready := t.ready[t.taken%m.fills]
		if ready >= end {
			return
		}
		t.at = max(t.at, ready) + m.pace
		if t.taken++; t.taken%m.lines > 0 {
			continue
		}
		t.at += m.after
		switch t.taken {
		case warmBlocks * m.lines:
			t.warm = t.at
		case last * m.lines:
			m.working--
		}
	}
}

// ask sends for a thread's next line.
func (m *machine) ask(n uint32, t *thread) {
	at := max(t.at, m.memory.Now)
	slot := t.asked % m.fills
	addr := t.base + uint64(t.asked)*uint64(m.cpu.LineBytes)
	if devices.Mix(addr)>>32 < m.kept {
		t.ready[slot] = at + m.near
	} else {
		t.ready[slot] = sim.Never
		m.memory.Send(at, dram.Request{Addr: addr, Bytes: m.cpu.LineBytes, Tag: n*uint32(m.fills) + uint32(slot)})
	}
	t.asked++
}
