package replay

import (
	"cmp"
	"runtime"
	"sync"
	"sync/atomic"

	"hwsim/devices"
	"hwsim/devices/dram"
)

// share is how many pieces a channel gets of a chunk, on average: enough to
// make little of the wait at the chunk's end, and few enough to stay in cache.
const share = 1024

// Array is a device of like channels, over which its addresses are spread
// granule by granule.
type Array struct {
	Channels []*dram.Channel // idle
	Granule  uint64          // bytes; see devices.Interleave
	Workers  int             // goroutines that run channels; 0: GOMAXPROCS
}

// NewArray returns an idle device of so many channels.
func NewArray(cfg dram.Config, channels int, granule uint64) (*Array, error) {
	a := &Array{Channels: make([]*dram.Channel, channels), Granule: granule}
	for i := range a.Channels {
		c, err := dram.New(cfg)
		if err != nil {
			return nil, err
		}
		a.Channels[i] = c
	}
	return a, nil
}

// Spec returns the standard of a channel.
func (a *Array) Spec() *dram.Spec { return a.Channels[0].Spec() }

// Run sends the requests of src, whose addresses are the device's, at pace p.
// A request is cut into pieces where granules end, and every channel takes its
// own pieces in order: one that is full holds back no other's. The result does
// not depend on the number of workers. A single channel has no granules.
func (a *Array) Run(src Source, p Pace) *Result {
	if len(a.Channels) == 1 {
		return Run(a.Channels[0], src, p)
	}
	drivers := make([]*driver, len(a.Channels))
	for i, c := range a.Channels {
		drivers[i] = newDriver(c, p.Depth)
	}
	workers := cmp.Or(a.Workers, runtime.GOMAXPROCS(0))
	s := newSplitter(a, src, p)
	for s.split(); s.pieces > 0; {
		s.swap()
		parallel(workers, 1+len(drivers), func(job int) {
			if job == 0 { // the longest first
				s.split()
				return
			}
			drivers[job-1].sendAll(s.ready[job-1])
		})
	}
	parallel(workers, len(drivers), func(i int) { drivers[i].drain() })
	return conclude(drivers, s.requests)
}

// parallel calls do with 0 to n-1, in turn as workers get to it.
func parallel(workers, n int, do func(job int)) {
	var taken atomic.Int64
	var group sync.WaitGroup
	for range min(workers, n) {
		group.Go(func() {
			for job := taken.Add(1) - 1; job < int64(n); job = taken.Add(1) - 1 {
				do(int(job))
			}
		})
	}
	group.Wait()
}

// splitter cuts a stream into the channels' pieces, chunk by chunk: one is cut
// while the one before is sent.
type splitter struct {
	src      Source
	pacer    *pacer
	spread   devices.Interleave
	requests int64 // so far

	ready, next [][]Request // pieces of a chunk, by channel: to send; being cut
	pieces      int         // of next
}

func newSplitter(a *Array, src Source, p Pace) *splitter {
	n := len(a.Channels)
	return &splitter{src: src, pacer: newPacer(a.Spec(), n, p), spread: devices.Interleave{Granule: a.Granule, Slices: uint64(n)},
		ready: make([][]Request, n), next: make([][]Request, n)}
}

// swap makes the chunk that was cut ready, and its predecessor's room free.
func (s *splitter) swap() { s.ready, s.next = s.next, s.ready }

// split cuts the next chunk; at the stream's end it has no pieces.
func (s *splitter) split() {
	for i := range s.next {
		s.next[i] = s.next[i][:0]
	}
	s.pieces = 0
	var r Request
	for s.pieces < share*len(s.next) && s.src.Next(&r) {
		s.requests++
		s.cut(r)
	}
}

// cut adds the pieces of r to the chunk.
func (s *splitter) cut(r Request) {
	for left := r.Bytes; ; {
		channel, local := s.spread.Locate(r.Addr)
		room := s.spread.Granule - local%s.spread.Granule
		piece := Request{Due: r.Due, Addr: local, Bytes: uint32(min(uint64(left), room)), Write: r.Write}
		s.pacer.stamp(&piece)
		s.next[channel] = append(s.next[channel], piece)
		s.pieces++
		if left -= piece.Bytes; left == 0 {
			return
		}
		r.Addr += room
	}
}
