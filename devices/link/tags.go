package link

// Window bounds what is outstanding: PCIe tags, link credits, or bytes of a
// receiver's buffer. Its zero value is unlimited.
type Window struct {
	limit int
	used  int
	peak  int
	waits uint64
}

// NewWindow returns a window of limit units; 0 is unlimited.
func NewWindow(limit int) Window { return Window{limit: limit} }

// Take takes n units and reports whether it could. A refusal is counted: the
// caller waits, and tries again once after the next Give. A window that is
// idle admits anything, lest a message larger than the window never pass.
func (w *Window) Take(n int) bool {
	if w.limit > 0 && w.used > 0 && w.used+n > w.limit {
		w.waits++
		return false
	}
	w.used += n
	w.peak = max(w.peak, w.used)
	return true
}

// Give returns n units.
func (w *Window) Give(n int) {
	w.used -= n
	if w.used < 0 {
		panic("link: more credits given than taken")
	}
}

// Used returns the units now taken.
func (w *Window) Used() int { return w.used }

// Peak returns the most units ever taken at once.
func (w *Window) Peak() int { return w.peak }

// Waits returns how often Take had to refuse.
func (w *Window) Waits() uint64 { return w.waits }
