package hostio

import "hwsim/sim"

// transfer is one transfer under way.
type transfer struct {
	leg    int
	issued int64 // requests of the leg begun
	passed int64 // of those, through its last stage
}

// arrival is a request at a stage, or at the end of its leg behind the last.
type arrival struct {
	transfer, stage int
	bytes           int64
}

// simulation is a path with its transfers.
type simulation struct {
	path      *Path
	size      int64
	queue     sim.Queue[arrival]
	transfers []transfer
	free      map[string]sim.Time // of a shared resource
	own       [][]sim.Time        // of a transfer's own stages, by transfer
	waiting   int                 // transfers without a thread yet
	end       sim.Time
}

// Simulate runs several equal transfers of size bytes each, asked for at once,
// request by request, and returns when the last has ended.
func (p *Path) Simulate(size int64, transfers int) sim.Time {
	s := &simulation{path: p, size: size, free: map[string]sim.Time{}}
	stages := 0
	for i := range p.Legs {
		stages = max(stages, len(p.Legs[i].Stages))
	}
	for range transfers {
		s.own = append(s.own, make([]sim.Time, stages))
	}
	s.waiting = transfers
	for range min(transfers, p.Threads) {
		s.start(0)
	}
	for s.queue.Len() > 0 {
		now, a := s.queue.Pop()
		s.step(now, a)
	}
	return s.end
}

// start gives a thread its next transfer.
func (s *simulation) start(now sim.Time) {
	if s.waiting == 0 {
		return
	}
	s.waiting--
	s.transfers = append(s.transfers, transfer{})
	s.begin(now, len(s.transfers)-1)
}

// begin starts a transfer's leg, whose number it has.
func (s *simulation) begin(now sim.Time, i int) {
	clear(s.own[i])
	s.issue(now+s.legOf(i).call(), i)
}

func (s *simulation) legOf(i int) *Leg { return &s.path.Legs[s.transfers[i].leg] }

// issue sends a transfer's next request to the leg's first stage, if it has one.
func (s *simulation) issue(at sim.Time, i int) {
	t := &s.transfers[i]
	full, n, rest := s.legOf(i).requests(s.size)
	switch {
	case t.issued < full:
	case t.issued == full && rest > 0:
		n = rest
	default:
		return
	}
	t.issued++
	s.queue.Push(at, sim.Deliver, arrival{transfer: i, bytes: n})
}

// step serves a request at a stage, or takes note that it has passed its leg.
func (s *simulation) step(now sim.Time, a arrival) {
	leg := s.legOf(a.transfer)
	if a.stage == len(leg.Stages) {
		s.passed(now, a.transfer)
		return
	}
	done := s.serve(now, &leg.Stages[a.stage], a)
	if leg.Overlapped && a.stage == 0 {
		s.issue(done, a.transfer)
	}
	a.stage++
	s.queue.Push(done, sim.Deliver, a)
}

// serve returns when a stage is done with a request that reaches it now.
func (s *simulation) serve(now sim.Time, stage *Stage, a arrival) sim.Time {
	took := stage.request(a.bytes, s.size)
	if stage.Resource != "" {
		done := max(now, s.free[stage.Resource]) + took
		s.free[stage.Resource] = done
		return done
	}
	done := max(now, s.own[a.transfer][a.stage]) + took
	s.own[a.transfer][a.stage] = done
	return done
}

// passed ends a request: the next one begins, or the next leg, or another
// transfer.
func (s *simulation) passed(now sim.Time, i int) {
	t := &s.transfers[i]
	full, _, rest := s.legOf(i).requests(s.size)
	t.passed++
	if t.passed < full+min(rest, 1) {
		if !s.legOf(i).Overlapped {
			s.issue(now, i)
		}
		return
	}
	if t.leg+1 < len(s.path.Legs) {
		*t = transfer{leg: t.leg + 1}
		s.begin(now, i)
		return
	}
	s.end = max(s.end, now)
	s.start(now)
}
