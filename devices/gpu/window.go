package gpu

import (
	"hwsim/devices"
	"hwsim/sim"
)

// window bounds the bytes that a GPC's SMs have asked the L2 for and not got:
// what fills the queues of the slices is no more than that, so that a lone
// request finds them as long whatever the SMs want. SMs that it stops stand in
// line.
type window struct {
	bytes  int     // under way at most
	flight int     // under way
	line   []int32 // SMs that wait, from head on
	head   int
}

// turnBytes is how much room ends an SM's wait: four requests, for fewer events.
const turnBytes = 2048

// counts reports whether the window bounds a request: a read from the L2.
func (w *window) counts(m *devices.Message) bool {
	return m.Kind == devices.Read && devices.Tier(m.Addr) == 0
}

// take notes that a request has left.
func (w *window) take(m *devices.Message) {
	if w.counts(m) {
		w.flight += int(m.Bytes)
	}
}

// waits reports whether the window has no room for an SM's request, and if so
// puts the SM in line.
func (g *Group) waits(sm int32, m *devices.Message) bool {
	w := &g.window
	if w.flight+int(m.Bytes) <= w.bytes || !w.counts(m) {
		return false
	}
	w.line = append(w.line, sm)
	g.sms[sm].out.line = true
	return true
}

// answered makes room in the window, and lets the first SM in line go on once
// there is enough.
func (g *Group) answered(at sim.Time, bytes int) {
	w := &g.window
	w.flight -= bytes
	if w.head == len(w.line) || w.flight+turnBytes > w.bytes {
		return
	}
	n := w.line[w.head]
	if w.head++; 2*w.head >= len(w.line) {
		w.line = w.line[:copy(w.line, w.line[w.head:])]
		w.head = 0
	}
	u := &g.sms[n].out
	u.line = false
	g.local(max(at, u.free), issueMore, n)
}
