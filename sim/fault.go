package sim

import (
	"fmt"
	"runtime/debug"
)

// Fault is what Engine.Run panics with when a domain panics, on whatever
// goroutine that was.
type Fault struct {
	Domain string
	At     Time // of the domain's latest event
	Value  any  // what the domain panicked with
	Stack  []byte
}

// Error says which domain failed, when and where.
func (f *Fault) Error() string {
	return fmt.Sprintf("sim: domain %s at %v: %v\n\n%s", f.Domain, f.At, f.Value, f.Stack)
}

// Unwrap returns the error the domain panicked with, if it was one.
func (f *Fault) Unwrap() error {
	err, _ := f.Value.(error)
	return err
}

// catch, deferred, keeps a panic for the engine to find.
func (p *Port[M]) catch() {
	if v := recover(); v != nil {
		p.fault = &Fault{p.name, Time(p.w.last >> 1), v, debug.Stack()}
	}
}
