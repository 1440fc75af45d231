package sim

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// How long a goroutine looks for a change before it yields, and how often it
// yields before it sleeps. A window takes a few µs, and so does waking up.
const (
	spins  = 4000
	yields = 100
)

// pool is a set of helpers that share jobs with their caller. Nobody waits
// for a helper to show up: the caller takes jobs as they do and waits only for
// those taken, so a helper the system has put aside costs nothing.
type pool struct {
	helpers int
	spins   int
	job     func(i int)
	wake    chan struct{}
	group   sync.WaitGroup

	_        [64]byte
	left     atomic.Int64 // jobs not yet taken
	_        [64]byte
	done     atomic.Int64
	_        [64]byte
	sleeping atomic.Int64
	closed   atomic.Bool
}

// open starts the helpers.
func (p *pool) open(helpers int) {
	p.helpers = helpers
	if runtime.GOMAXPROCS(0) > 1 {
		p.spins = spins
	} else {
		p.spins = 0
	}
	p.wake = make(chan struct{}, helpers)
	p.closed.Store(false)
	p.left.Store(0)
	for range helpers {
		p.group.Go(p.help)
	}
}

// close ends the helpers and returns when they are gone.
func (p *pool) close() {
	p.closed.Store(true)
	close(p.wake)
	p.group.Wait()
}

// do runs job(0) to job(n-1), in no order, and returns when all have ended.
func (p *pool) do(n int, job func(i int)) {
	p.job = job
	p.done.Store(0)
	p.left.Store(int64(n)) // from here on helpers take jobs
	for range min(int(p.sleeping.Load()), n-1) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	p.take()
	for i := 0; p.done.Load() < int64(n); i++ {
		if i >= p.spins {
			runtime.Gosched()
		}
	}
}

// take executes jobs until none is left. A helper that comes late may take
// one of the next do, which is as well.
func (p *pool) take() {
	for p.left.Load() > 0 {
		if i := p.left.Add(-1); i >= 0 {
			p.one(int(i))
		}
	}
}

func (p *pool) one(i int) {
	defer p.done.Add(1) // even if a failing test ends the goroutine
	p.job(i)
}

func (p *pool) help() {
	for i := 0; !p.closed.Load(); i++ {
		switch {
		case p.left.Load() > 0:
			p.take()
			i = 0
		case i < p.spins:
		case i < p.spins+yields:
			runtime.Gosched()
		default:
			p.sleep()
			i = 0
		}
	}
}

// sleep returns when do has work. A wake-up that is missed between the check
// and the wait is not possible: do stores left before it reads sleeping.
func (p *pool) sleep() {
	p.sleeping.Add(1)
	if p.left.Load() <= 0 {
		<-p.wake
	}
	p.sleeping.Add(-1)
}
