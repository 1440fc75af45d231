package kernels

import "hwsim/devices/gpu"

// Region is bytes that lie side by side.
type Region struct{ Addr, Bytes uint64 }

// Stretch is regions one after the other. What goes beyond its end begins again
// at its start: passes over the same bytes.
type Stretch []Region

// Bytes returns how long it is.
func (s Stretch) Bytes() (n uint64) {
	for _, r := range s {
		n += r.Bytes
	}
	return n
}

// Upto returns its first bytes, all of it if it is no longer.
func (s Stretch) Upto(bytes uint64) (out Stretch) {
	for _, r := range s {
		if r.Bytes = min(r.Bytes, bytes); r.Bytes > 0 {
			out = append(out, r)
		}
		bytes -= r.Bytes
	}
	return out
}

// Runs appends the n bytes from an offset on.
func (s Stretch) Runs(from, n uint64, runs []gpu.Run) []gpu.Run {
	all := s.Bytes()
	if all == 0 {
		return runs
	}
	from %= all
	for n > 0 {
		for _, r := range s {
			if from >= r.Bytes {
				from -= r.Bytes
				continue
			}
			part := min(n, r.Bytes-from)
			if part > 0 {
				runs = append(runs, gpu.Run{Addr: r.Addr + from, Rows: 1, Bytes: uint32(part)})
			}
			from, n = 0, n-part
		}
	}
	return runs
}
