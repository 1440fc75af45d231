package cache

import (
	"math/bits"

	"hwsim/devices"
	"hwsim/sim"
)

// invalidate tells a slice to drop its copies of lines that were written at
// their home.
const invalidate = devices.Local

// read serves a reader at the line's home, or at the near slice that may have
// a copy (then it arrives as Read and, if there is none, goes on as Probe).
func (g *Group) read(s *slice, at sim.Time, m *devices.Message, home bool) {
	begin := s.admit(at, m.Bytes, g.psByte)
	m.Why.Add(devices.Queue, begin-at)
	if m.Kind == devices.Read {
		g.stats.Read += uint64(m.Bytes)
	}
	g.stats.QueuePs += uint64(begin - at)
	g.stats.PipelineBusyPs += uint64(s.free - begin)
	switch {
	case !home:
		g.readCopy(s, begin, m)
	case s.stalled.len() > 0:
		g.stall(s, begin, m)
	default:
		g.lookup(s, begin, m)
	}
}

// readCopy answers from copies if all are here. Otherwise it claims ways for
// those that are missing and passes the request on to the home slice, whose
// data fill them on the way back.
func (g *Group) readCopy(s *slice, at sim.Time, m *devices.Message) {
	end := m.Addr + uint64(m.Bytes)
	all := true
	for base := m.Addr &^ (LineBytes - 1); base < end; base += LineBytes {
		line, need := uint32(base/LineBytes), mask(base, m.Addr, end)
		set := s.lines.of(line)
		way := set.find(line)
		if way == noWay {
			all = false
			if way = set.victim(s.lines.ways); way == noWay {
				continue
			}
			g.evict(s, at, set, way)
			set.claim(way, line)
		}
		set.touch(way)
		if st := &set.state[way]; need&^st.valid != 0 {
			all = false
			st.pending |= need &^ st.valid
		}
	}
	if all {
		g.stats.Hit += uint64(m.Bytes)
		g.stats.CopyHit += uint64(m.Bytes)
		g.respond(at, m)
		return
	}
	g.stats.Copied += uint64(m.Bytes)
	h, _ := g.wiring.Locate(m.Addr)
	m.Kind = devices.Probe
	g.port.Send(int(g.wiring.Port[h]), at+g.hit+g.bridge, sim.Deliver, m)
}

// fill makes copies valid that the home slice's data have reached.
func (g *Group) fill(s *slice, m *devices.Message) {
	end := m.Addr + uint64(m.Bytes)
	for base := m.Addr &^ (LineBytes - 1); base < end; base += LineBytes {
		line := uint32(base / LineBytes)
		set := s.lines.of(line)
		if way := set.find(line); way != noWay {
			st := &set.state[way]
			came := mask(base, m.Addr, end)
			st.valid |= st.pending & came
			st.pending &^= came
		}
	}
}

// stall parks a request until an MSHR is free.
func (g *Group) stall(s *slice, at sim.Time, m *devices.Message) {
	g.stats.MSHRStalls++
	s.stalled.push(&stalled{*m, at})
}

// missing is what a look-up did not find: runs of bytes that nobody has asked
// for, and fetches under way that bring the rest.
type missing struct {
	runs   [maxLines]run
	joins  [maxLines]int32
	nRuns  int
	nJoins int
	hit    uint64 // bytes found valid
	replay bool
}

// run is contiguous missing bytes with the ways that wait for their lines.
type run struct {
	from, to uint64
	way      [maxLines]int8
	lines    int
}

// lookup answers a request at its home if every sector is valid; otherwise it
// starts fetches for what is missing and waits.
func (g *Group) lookup(s *slice, at sim.Time, m *devices.Message) {
	var miss missing
	if !g.scan(s, at, m, &miss) {
		g.stall(s, at, m)
		return
	}
	g.stats.Hit += miss.hit
	switch {
	case miss.nRuns+miss.nJoins == 0:
		g.respond(at, m)
	case miss.nRuns == 1 && miss.nJoins == 0:
		f := g.fetch(s, at, &miss.runs[0])
		ft := &s.fetches.slots[f]
		ft.msg, ft.serves = *m, true
		ft.msg.Why.Add(devices.Queue, s.looked-at)
	default:
		g.await(s, at, m, &miss)
	}
}

// scan finds out what of the request is missing, and claims ways for it. It
// reports false if that takes an MSHR and none is free.
func (g *Group) scan(s *slice, at sim.Time, m *devices.Message, miss *missing) bool {
	end := m.Addr + uint64(m.Bytes)
	for base := m.Addr &^ (LineBytes - 1); base < end; base += LineBytes {
		line, need := uint32(base/LineBytes), mask(base, m.Addr, end)
		set := s.lines.of(line)
		way := set.find(line)
		if way != noWay && need&^set.state[way].valid == 0 {
			set.touch(way)
			miss.hit += uint64(bits.OnesCount8(need)) * SectorBytes
			continue
		}
		if miss.nRuns+miss.nJoins == 0 && s.fetches.live() >= g.mshrs {
			return false
		}
		if way != noWay && set.state[way].pending != 0 {
			miss.joins[miss.nJoins] = int32(set.fetch[way])
			miss.nJoins++
			miss.replay = miss.replay || need&^(set.state[way].valid|set.state[way].pending) != 0
			continue
		}
		absent := need
		if way == noWay {
			if way = set.victim(s.lines.ways); way != noWay {
				g.evict(s, at, set, way)
				set.claim(way, line)
			}
		} else {
			absent &^= set.state[way].valid
		}
		if way != noWay {
			set.touch(way)
			set.state[way].pending = absent
		}
		from, to := span(absent)
		miss.add(base+from, base+to, int8(way))
	}
	return true
}

// add appends a line's missing bytes to the last run if they follow it.
func (m *missing) add(from, to uint64, way int8) {
	if m.nRuns == 0 || m.runs[m.nRuns-1].to != from {
		m.runs[m.nRuns] = run{from: from}
		m.nRuns++
	}
	r := &m.runs[m.nRuns-1]
	r.to = to
	r.way[r.lines] = way
	r.lines++
}

// fetch takes an MSHR and asks the channel for a run.
func (g *Group) fetch(s *slice, at sim.Time, r *run) int32 {
	f := s.fetches.take()
	s.fetches.slots[f] = fetch{addr: r.from, bytes: uint32(r.to - r.from), others: -1, way: r.way}
	line := uint32(r.from / LineBytes)
	for i := range r.lines {
		if w := r.way[i]; w != noWay {
			s.lines.of(line + uint32(i)).fetch[w] = uint16(f)
		}
	}
	_, local := g.wiring.Locate(r.from)
	s.enqueue(at, g.hit, local, uint32(r.to-r.from), false, uint32(f))
	g.stats.Filled += r.to - r.from
	return f
}

// await makes the request wait for several fetches, or for another's.
func (g *Group) await(s *slice, at sim.Time, m *devices.Message, miss *missing) {
	w := s.waiters.take()
	s.waiters.slots[w] = waiter{msg: *m, at: at, replay: miss.replay}
	for i := range miss.nRuns {
		s.join(w, g.fetch(s, at, &miss.runs[i]))
	}
	for _, f := range miss.joins[:miss.nJoins] {
		s.join(w, f)
	}
}

// complete makes a fetch's sectors valid and answers whoever waited for the
// last of its parts; then a stalled request gets the freed MSHR.
func (g *Group) complete(s *slice, f int32, at sim.Time, why *devices.Why) {
	ft := &s.fetches.slots[f]
	g.land(s, ft)
	if ft.serves {
		ft.msg.Why.Merge(why)
		g.respond(at, &ft.msg)
	}
	others := ft.others
	s.fetches.give(f)
	for w := others; w >= 0; {
		wt := &s.waiters.slots[w]
		next := wt.next(f)
		if wt.parts--; wt.parts == 0 {
			g.finish(s, w, at)
		}
		w = next
	}
	for s.stalled.len() > 0 && s.fetches.live() < g.mshrs {
		w := s.stalled.pop()
		again := max(at, s.looked, w.at)
		w.msg.Why.Add(devices.Queue, max(0, again-w.at))
		g.lookup(s, again, &w.msg)
	}
}

// land makes the fetch's sectors valid.
func (g *Group) land(s *slice, ft *fetch) {
	line := uint32(ft.addr / LineBytes)
	last := uint32((ft.addr + uint64(ft.bytes) - 1) / LineBytes)
	for i := 0; line <= last; i, line = i+1, line+1 {
		if w := ft.way[i]; w != noWay {
			st := &s.lines.of(line).state[w]
			st.valid |= st.pending
			st.pending = 0
		}
	}
}

// finish answers a waiter whose parts are all here, or looks again.
func (g *Group) finish(s *slice, w int32, at sim.Time) {
	wt := &s.waiters.slots[w]
	m := wt.msg
	at = max(at, wt.at) // the channel may have been run late
	m.Why.Add(devices.Queue, max(0, at-wt.at))
	replay := wt.replay
	s.waiters.give(w)
	if replay {
		g.lookup(s, max(at, s.looked), &m)
		return
	}
	g.respond(at, &m)
}

// respond sends the data across the crossbar; to the other partition by way
// of the bridge, where its near slice keeps a copy.
func (g *Group) respond(at sim.Time, m *devices.Message) {
	at += g.hit
	if m.Kind == devices.Probe {
		at += g.bridge
		home, _ := g.wiring.Locate(m.Addr)
		g.markCopied(m, home)
		m.Kind = devices.Fill
		g.port.Send(int(g.wiring.Port[g.wiring.Mirror(home)]), at, sim.Deliver, m)
	}
	m.Kind = devices.Data
	g.port.Send(int(m.From), at+g.cross, sim.Deliver, m)
}

// markCopied remembers that the other partition now holds the lines too.
func (g *Group) markCopied(m *devices.Message, home int) {
	s := &g.slices[g.local[home]]
	for base := m.Addr &^ (LineBytes - 1); base < m.Addr+uint64(m.Bytes); base += LineBytes {
		set := s.lines.of(uint32(base / LineBytes))
		if way := set.find(uint32(base / LineBytes)); way != noWay {
			set.state[way].copied = true
			set.lent |= 1 << way
		}
	}
}
