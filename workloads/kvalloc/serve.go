package kvalloc

import (
	"context"
	"fmt"

	"hwsim/sim"
)

// Request is one to be served.
type Request struct {
	Arrival sim.Time
	Prompt  int // tokens
	Output  int // tokens, at least 1: prefill gives the first
}

// Load is what is served.
type Load struct {
	Requests  []Request // in the order of their arrival
	Batch     int       // requests in the batch at most; 0: as many as there are slots
	Prefill   int       // tokens of prompts that an iteration takes at most, but for a longer one alone; 0: any number
	Watermark float64   // share of the units that admission leaves free; vLLM's is 0.01
}

// Result is what serving took.
type Result struct {
	Time      sim.Time // until the last request's end
	Prefills  int      // iterations that prefill
	Decodes   int      // iterations that decode
	MostBatch int      // requests at once
	MeanBatch float64  // of the decodes
	Preempted int      // requests, each time that they were

	MostMapped uint64  // bytes that slots held at most
	Used       float64 // of the decodes: mean bytes of the requests' tokens
	Wasted     float64 // mean bytes mapped for requests beside those
	Held       float64 // mean bytes of slots without a request

	Calls         uint64   // that map memory
	PrefillStalls sim.Time // all prefills' waiting for memory
	PrefillTime   sim.Time // all prefills, without it
	Stalls        Stalls   // of decodes
	AppendGBps    float64  // rate at which decoding fills memory, over decodes alone
}

// CallsPerRequest returns the mean.
func (r *Result) CallsPerRequest(requests int) float64 { return float64(r.Calls) / float64(requests) }

// CallsPerIteration returns the mean.
func (r *Result) CallsPerIteration() float64 { return float64(r.Calls) / float64(r.Prefills+r.Decodes) }

// PrefillOverhead returns how much longer prefills took for mapping, as a
// ratio.
func (r *Result) PrefillOverhead() float64 {
	return float64(r.PrefillTime+r.PrefillStalls) / float64(r.PrefillTime)
}

// Serve serves a load with an allocator that holds no request. If ctx ends it
// returns its error.
func Serve(ctx context.Context, a *Allocator, p Pace, l Load) (*Result, error) {
	if err := l.check(a); err != nil {
		return nil, err
	}
	s := &server{mapper: mapper{Allocator: a}, pace: p, load: l, running: make([]int, 0, len(a.slots)), at: make([]work, len(a.slots))}
	if s.load.Batch == 0 {
		s.load.Batch = len(a.slots)
	}
	s.waiting = make([]work, 0, len(l.Requests))
	for _, r := range l.Requests {
		s.waiting = append(s.waiting, work{Request: r})
	}
	for n := 0; len(s.waiting) > 0 || len(s.running) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := s.iteration(); err != nil {
			return nil, err
		}
	}
	return s.end(), nil
}

// check says what cannot be served.
func (l *Load) check(a *Allocator) error {
	if l.Batch < 0 || l.Prefill < 0 || !(l.Watermark >= 0 && l.Watermark < 1) {
		return fmt.Errorf("load: batch %d and prefill %d must not be negative, watermark %g must be 0 to below 1", l.Batch, l.Prefill, l.Watermark)
	}
	last := sim.Time(0)
	for i, r := range l.Requests {
		if r.Prompt < 1 || r.Output < 1 || r.Arrival < last {
			return fmt.Errorf("request %d: prompt %d and output %d must be positive, arrival %d not before the one before", i, r.Prompt, r.Output, r.Arrival)
		}
		last = r.Arrival
		if units := a.unitsOf(r.Prompt + r.Output); units > a.units-l.left(a) || a.limit > 0 && units > a.limit {
			return fmt.Errorf("request %d: %d tokens do not fit", i, r.Prompt+r.Output)
		}
	}
	return nil
}

// left returns the units that admission leaves free.
func (l *Load) left(a *Allocator) int { return int(l.Watermark * float64(a.units)) }

// work is a request with what it has got so far.
type work struct {
	Request
	done int // tokens of output
}

// server is a serving loop under way.
type server struct {
	mapper
	pace    Pace
	load    Load
	now     sim.Time
	waiting []work // in order; those that were preempted first
	running []int  // slots, in the order of admission
	at      []work // by slot
	result  Result
	stalls  []sim.Time
	used    float64 // sums over decodes
	wasted  float64
	held    float64
	batch   int
	decode  sim.Time
	grown   int // tokens
}

// iteration prefills what can be admitted, or else decodes.
func (s *server) iteration() error {
	if len(s.running) == 0 && s.waiting[0].Arrival > s.now {
		s.now = s.waiting[0].Arrival
	}
	first := len(s.running)
	if tokens := s.admit(); tokens > 0 {
		s.prefill(tokens, first)
		return nil
	}
	if len(s.running) == 0 {
		return fmt.Errorf("nothing can be admitted: %d tokens wait", s.waiting[0].Prompt+s.waiting[0].done)
	}
	s.makeRoom()
	s.decodeOne()
	return nil
}

// admit takes requests in, and returns the tokens that they prefill.
func (s *server) admit() (tokens int) {
	for len(s.waiting) > 0 && len(s.running) < s.load.Batch {
		w := s.waiting[0]
		n := w.Prompt + w.done
		if w.Arrival > s.now || s.load.Prefill > 0 && tokens > 0 && tokens+n > s.load.Prefill {
			break
		}
		slot, calls, ok := s.Admit(n, s.load.left(s.Allocator))
		if !ok {
			break
		}
		s.wait(calls)
		s.waiting = s.waiting[1:]
		s.running = append(s.running, slot)
		s.at[slot] = w
		tokens += n
	}
	s.result.MostBatch = max(s.result.MostBatch, len(s.running))
	return tokens
}

// prefill computes the tokens of those just admitted, from one on. Each gets
// its next token.
func (s *server) prefill(tokens, first int) {
	pairs := 0.0
	for _, slot := range s.running[first:] {
		n := float64(s.slots[slot].tokens)
		pairs += n * (n + 1) / 2
	}
	stall, length := s.stall(), s.pace.prefill(tokens, pairs)
	s.result.Prefills++
	s.result.PrefillStalls += stall
	s.result.PrefillTime += length
	s.pass(stall, length, first)
}

// makeRoom gives every request memory for its last token, and preempts requests
// while there is too little.
func (s *server) makeRoom() {
	for i := 0; i < len(s.running); i++ {
		slot := s.running[i]
		for {
			calls, ok := s.Extend(slot, s.slots[slot].tokens+1)
			if ok {
				s.wait(calls)
				break
			}
			if s.preempt() == slot {
				break
			}
		}
	}
}

// preempt puts the last request back and returns its slot.
func (s *server) preempt() int {
	last := len(s.running) - 1
	slot := s.running[last]
	s.End(slot)
	s.running = s.running[:last]
	s.waiting = append(s.waiting, work{})
	copy(s.waiting[1:], s.waiting)
	s.waiting[0] = s.at[slot]
	s.result.Preempted++
	return slot
}

// decodeOne computes a token of every request.
func (s *server) decodeOne() {
	if len(s.running) == 0 {
		return
	}
	stall, length := s.stall(), s.pace.decode(len(s.running), s.Used())
	r := &s.result
	r.Decodes++
	s.stalls = append(s.stalls, stall)
	s.decode += length + stall
	s.grown += len(s.running)
	s.batch += len(s.running)
	held := s.Held()
	s.used += float64(s.Used())
	s.held += float64(held)
	s.wasted += float64(s.Mapped() - held - s.Used())
	s.pass(stall, length, 0)
}

// pass lets an iteration's time pass, gives the requests from one on their
// token, and ends those that have all.
func (s *server) pass(stall, length sim.Time, from int) {
	s.during(length)
	s.now += stall + length
	s.result.MostMapped = max(s.result.MostMapped, s.Mapped())
	kept := s.running[:from]
	for _, slot := range s.running[from:] {
		s.at[slot].done++
		if s.at[slot].done >= s.at[slot].Output {
			s.End(slot)
		} else {
			kept = append(kept, slot)
		}
	}
	s.running = kept
}

// end adds the result up.
func (s *server) end() *Result {
	r := &s.result
	r.Time, r.Calls = s.now, s.made
	r.Stalls = stallsOf(s.stalls)
	if n := float64(r.Decodes); n > 0 {
		r.MeanBatch, r.Used, r.Wasted, r.Held = float64(s.batch)/n, s.used/n, s.wasted/n, s.held/n
		r.AppendGBps = float64(s.shape.Bytes(s.grown)) / s.decode.Nanoseconds()
	}
	return r
}
