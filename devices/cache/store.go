package cache

import (
	"math/bits"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

// write stores whole sectors in the home slice without fetching; a slice
// that only keeps copies drops them and passes the write on. Stores whose
// sender waits for their Ack are taken only while the channel's queue has room
// for the lines that they drive out; those that nobody waits for (copies) are
// few and always are.
func (g *Group) write(s *slice, at sim.Time, m *devices.Message, home bool) {
	if !home {
		g.invalidate(s, m)
		h, _ := g.wiring.Locate(m.Addr)
		g.port.Send(int(g.wiring.Port[h]), at+g.hit+g.bridge, sim.Deliver, m)
		return
	}
	if m.From != devices.NoReply && s.backs >= g.backs {
		s.refused.push(&stalled{*m, at})
		return
	}
	begin := s.admit(at, m.Bytes, g.psStore)
	g.stats.PipelineBusyPs += uint64(s.free - begin)
	g.stats.Written += uint64(m.Bytes)
	end := m.Addr + uint64(m.Bytes)
	copied := false
	for base := m.Addr &^ (LineBytes - 1); base < end; base += LineBytes {
		copied = g.storeLine(s, begin, base, mask(base, m.Addr, end)) || copied
	}
	if copied {
		inval := *m
		inval.Kind = invalidate
		g.port.Send(int(g.wiring.Port[g.wiring.Mirror(s.id)]), begin+g.hit+g.bridge, sim.Deliver, &inval)
	}
	if m.From != devices.NoReply {
		ack := *m
		ack.Kind = devices.Ack
		g.port.Send(int(m.From), begin+g.hit+g.cross, sim.Deliver, &ack)
	}
}

// storeLine writes sectors of one line and reports whether the other
// partition had a copy of it.
func (g *Group) storeLine(s *slice, at sim.Time, base uint64, sectors uint8) (copied bool) {
	line := uint32(base / LineBytes)
	set := s.lines.of(line)
	way := set.find(line)
	if way == noWay {
		if way = set.victim(s.lines.ways); way == noWay {
			g.writeBack(s, at, base, sectors) // every way waits for data: write around
			return false
		}
		g.evict(s, at, set, way)
		set.claim(way, line)
	}
	set.touch(way)
	st := &set.state[way]
	st.valid |= sectors
	st.dirty |= sectors
	copied, st.copied = st.copied, false
	return copied
}

// invalidate drops this slice's copies of the message's lines. A copy still
// on its way is left: its reader asked before the write.
func (g *Group) invalidate(s *slice, m *devices.Message) {
	for base := m.Addr &^ (LineBytes - 1); base < m.Addr+uint64(m.Bytes); base += LineBytes {
		set := s.lines.of(uint32(base / LineBytes))
		if way := set.find(uint32(base / LineBytes)); way != noWay && set.state[way].pending == 0 {
			set.drop(way)
		}
	}
}

// evict frees the way, sending its dirty sectors to memory.
func (g *Group) evict(s *slice, at sim.Time, set *set, way int) {
	if d := set.state[way].dirty; d != 0 {
		g.writeBack(s, at, uint64(set.tag[way])*LineBytes, d)
	}
}

// writeBack sends the sectors' contiguous runs to the channel.
func (g *Group) writeBack(s *slice, at sim.Time, base uint64, dirty uint8) {
	for dirty != 0 {
		lo := bits.TrailingZeros8(dirty)
		n := bits.TrailingZeros8(^(dirty >> lo))
		_, local := g.wiring.Locate(base + uint64(lo*SectorBytes))
		s.enqueue(at, g.hit, local, uint32(n*SectorBytes), true, uint32(n*SectorBytes))
		g.stats.WrittenBack += uint64(n * SectorBytes)
		s.backs += uint32(n * SectorBytes)
		dirty &^= uint8(1<<(lo+n) - 1<<lo)
	}
}

// written counts a dirty line that the channel has written, and takes stores
// that had been refused while there is room.
func (g *Group) written(s *slice, c *dram.Completion) {
	s.backs -= c.Tag
	for s.refused.len() > 0 && s.backs < g.backs {
		w := s.refused.pop()
		g.write(s, max(w.at, c.Last+g.memory), &w.msg, true)
	}
}

// writeQueueBytes returns what a channel's queue of writes holds, and as much
// again on the way to it and back.
func writeQueueBytes(c *dram.Config, s *dram.Spec) uint32 {
	const usual = 128 // bursts, the channel's default
	depth := c.WriteQueueDepth
	if depth == 0 {
		depth = usual
	}
	return uint32(2 * depth * s.BurstBytes)
}

// Keep leaves a slice of the group as it is after it has held a line for a
// reader, for accesses that are not simulated: nothing moves. It reports
// whether the line was there.
func (g *Group) Keep(slice int, base uint64, copied bool) (held bool) {
	s := &g.slices[g.local[slice]]
	line := uint32(base / LineBytes)
	set := s.lines.of(line)
	way := set.find(line)
	held = way != noWay && set.state[way].valid == wholeLine
	if way == noWay {
		if way = set.victim(s.lines.ways); way == noWay {
			return false
		}
		set.claim(way, line)
	}
	set.touch(way)
	st := &set.state[way]
	st.valid = wholeLine
	if copied {
		st.copied = true
		set.lent |= 1 << way
	}
	return held
}

// wholeLine is the mask of all sectors of a line.
const wholeLine = 1<<(LineBytes/SectorBytes) - 1

// Stored leaves the slices as they are after a stretch of memory has been
// written, for time that is skipped: nothing moves. It may be called between
// windows.
func (g *Group) Stored(addr, bytes uint64) {
	for base := addr &^ (LineBytes - 1); base < addr+bytes; base += LineBytes {
		home, _ := g.wiring.Locate(base)
		if g.local[home] < 0 {
			continue
		}
		set := g.slices[g.local[home]].lines.of(uint32(base / LineBytes))
		way := set.find(uint32(base / LineBytes))
		if way == noWay {
			if way = set.victim(g.slices[g.local[home]].lines.ways); way == noWay {
				continue
			}
			set.claim(way, uint32(base/LineBytes))
		}
		set.touch(way)
		sectors := mask(base, addr, addr+bytes)
		set.state[way].valid |= sectors
		set.state[way].dirty |= sectors
	}
}
