package hostload

import (
	"context"
	"slices"

	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/internal/hostmemory"
)

// Config is a host as its memory sees it.
type Config struct {
	Name      string           `toml:"name"`       // that reports say; any text
	Curve     string           `toml:"curve"`      // measured bandwidth-latency curve of it, by its file's name; "": none
	Cores     int              `toml:"cores"`      // cores that load the memory
	Fills     int              `toml:"fills"`      // lines a core can have in flight, prefetches too
	LineBytes uint32           `toml:"line_bytes"` // of the last cache
	PathNs    float64          `toml:"path_ns"`    // core to memory queue and back
	Memory    hierarchy.Memory `toml:"memory"`
}

// Load is what the cores ask of the memory.
type Load struct {
	Reads float64 // share of the lines moved that are read, 0 to 1
	GBps  float64 // asked for by all cores; 0: as much as they can
	Lines int     // moved in the measured span, all cores together; 0: 200 000
}

// Result is one point of a bandwidth-latency curve.
type Result struct {
	GBps      float64 // moved, reads and writes
	LatencyNs float64 // of the chase, mean
}

// Run loads an idle host.
func Run(ctx context.Context, c *Config, l Load) (Result, error) {
	m, err := newMachine(c, l)
	if err != nil {
		return Result{}, err
	}
	if l.Lines == 0 {
		l.Lines = 200_000
	}
	for m.moved < l.Lines/2 { // until queues have filled
		if err := m.window(ctx); err != nil {
			return Result{}, err
		}
	}
	from, before := m.memory.Now, m.moved
	m.chase.count, m.chase.sum = 0, 0
	for m.moved < before+l.Lines {
		if err := m.window(ctx); err != nil {
			return Result{}, err
		}
	}
	r := Result{GBps: float64(m.moved-before) * float64(c.LineBytes) / (m.memory.Now - from).Nanoseconds()}
	if m.chase.count > 0 {
		r.LatencyNs = (m.chase.sum / sim.Time(m.chase.count)).Nanoseconds()
	}
	return r, nil
}

// machine is a host under load.
type machine struct {
	cfg    *Config
	memory *hostmemory.Memory
	pace   sim.Time // between lines of a core
	reads  float64  // share
	cores  []core
	chase  chaser
	moved  int // lines
}

// core streams through one array.
type core struct {
	next   [2]uint64 // lines read and written
	credit float64   // of reads
	free   sim.Time  // it issues no earlier
	flying [2]int
	ends   [2][]sim.Time // of lines under way: when the core has them
}

// chaser waits for each line before it asks for the next.
type chaser struct {
	random sim.Rand
	lines  int
	begun  sim.Time
	due    sim.Time // it asks again; Never while it waits
	sum    sim.Time
	count  int64
}

// issueNs is the least time between lines of a core, about two clocks.
const issueNs = 0.7

func newMachine(c *Config, l Load) (*machine, error) {
	memory, err := hostmemory.New(&c.Memory, c.PathNs)
	if err != nil {
		return nil, err
	}
	m := &machine{cfg: c, memory: memory, reads: l.Reads, pace: sim.FromNanoseconds(issueNs), cores: make([]core, c.Cores)}
	if l.GBps > 0 {
		m.pace = max(m.pace, sim.FromNanoseconds(float64(c.LineBytes)*float64(c.Cores)/l.GBps))
	}
	size := memory.Bytes()
	random := sim.NewRand(1)
	for i := range m.cores {
		k := &m.cores[i]
		// arrays begin at any page, as an operating system would have it
		for d := range k.next {
			k.next[d] = uint64(random.IntN(int(size/4096))) * 4096
		}
		k.credit = float64(i) / float64(c.Cores)
		k.free = m.pace * sim.Time(i) / sim.Time(c.Cores)
	}
	m.chase = chaser{random: random.Split("chase"), lines: int(size / uint64(c.LineBytes))}
	return m, nil
}

// window advances the machine by the way between cores and memory.
func (m *machine) window(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	end := m.memory.End()
	for i := range m.cores {
		m.issue(uint32(i), end)
	}
	m.ask(end)
	m.memory.Advance(m.answer)
	return nil
}

// issue sends what a core can before end.
func (m *machine) issue(n uint32, end sim.Time) {
	k := &m.cores[n]
	for d := range k.ends {
		slices.Sort(k.ends[d])
	}
	for k.free < end {
		d := 1
		if k.credit+m.reads >= 1 {
			d = 0
		}
		if k.flying[d] == m.cfg.Fills {
			if len(k.ends[d]) == 0 || k.ends[d][0] >= end {
				break
			}
			k.free = max(k.free, k.ends[d][0])
			k.ends[d] = k.ends[d][1:]
			k.flying[d]--
		}
		k.credit += m.reads
		if d == 0 {
			k.credit--
		}
		m.send(max(k.free, m.memory.Now), k.next[d], d == 1, n)
		k.next[d] += uint64(m.cfg.LineBytes)
		k.flying[d]++
		k.free = max(k.free, m.memory.Now) + m.pace
	}
	for d := range k.ends {
		n, _ := slices.BinarySearch(k.ends[d], end)
		k.flying[d] -= n
		k.ends[d] = slices.Delete(k.ends[d], 0, n)
	}
}

// send puts a line's request on its way.
func (m *machine) send(at sim.Time, addr uint64, write bool, tag uint32) {
	m.memory.Send(at, dram.Request{Addr: addr, Bytes: m.cfg.LineBytes, Write: write, Tag: tag})
}

// ask sends the chaser's next request if it is due before end.
func (m *machine) ask(end sim.Time) {
	c := &m.chase
	if c.due >= end {
		return
	}
	m.send(c.due, uint64(c.random.IntN(c.lines))*uint64(m.cfg.LineBytes), false, uint32(len(m.cores)))
	c.begun, c.due = c.due, sim.Never
}

// answer takes a line that is back.
func (m *machine) answer(at sim.Time, done *dram.Completion) {
	if int(done.Tag) == len(m.cores) {
		m.chase.sum += at - m.chase.begun
		m.chase.count++
		m.chase.due = at
		return
	}
	m.moved++
	d := 0
	if done.Write {
		d = 1
	}
	k := &m.cores[done.Tag]
	k.ends[d] = append(k.ends[d], at)
}
