package workloads

import (
	"math"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// view is the keys and values that attention reads under a policy: buffers in
// which they lie side by side, head by head, or the cache, or chosen chunks of
// it.
type view struct {
	heads    int
	tokens   []int // of each sequence, a head
	first    []int // of each sequence in the buffers
	buffer   [2]kernels.Stretch
	dim      [2]float64 // bytes of a token of a head there
	resident *kvLayer   // what is read where it is kept; nil: nothing
	chunk    int        // tokens of it that lie together; 0: all
	chunks   []int      // of each sequence
	spread   []uint64   // multiplier that scatters those chosen over them
}

// view returns what a layer's attention reads, for so many heads, and the bytes
// by tier.
func (d *decode) view(layer, heads int) (kernels.KV, [hierarchy.NumTiers]uint64) {
	m := &d.layout.method
	l := &m.layers[layer]
	var bytes [hierarchy.NumTiers]uint64
	v := &view{heads: heads, tokens: l.attended}
	total := 0
	for _, n := range l.attended {
		v.first = append(v.first, total)
		total += n * heads
	}
	inCache := [2]bool{}
	inCache[0], inCache[1] = m.inCache()
	for part, object := range [2]string{"keys", "values"} {
		if s := d.buffered(layer, object); s != nil {
			read := l.sum(kv.AttendS, object).read
			v.buffer[part], v.dim[part] = s, read/float64(total)
			inCache[part] = false
			share(&bytes, s.Upto(uint64(read)), read)
		}
	}
	if !inCache[0] && !inCache[1] {
		return v, bytes
	}
	resident := d.layout.kv.layers[layer] // where it is seen changes from layer to layer
	if !m.policy.Chooses() {
		if v.buffer[0] == nil && v.buffer[1] == nil {
			return &resident, resident.read(l.attended)
		}
		addTiers(&bytes, resident.read(l.attended))
	} else {
		v.choose(l.kept, d.unit())
		addTiers(&bytes, resident.part(l.attended, l.kept))
	}
	v.resident = &resident
	return v, bytes
}

// choose spreads chunks over those that are kept.
func (v *view) choose(kept []int, chunk int) {
	v.chunk = chunk
	for _, n := range kept {
		chunks := max(1, n/chunk)
		v.chunks, v.spread = append(v.chunks, chunks), append(v.spread, coprime(uint64(chunks)))
	}
}

// part returns the bytes that reading some of what is kept takes from each tier.
func (l *kvLayer) part(read, kept []int) (sum [hierarchy.NumTiers]uint64) {
	for seq, n := range kept {
		for t, bytes := range l.bytesByTier(seq, n) {
			sum[t] += uint64(float64(bytes) * float64(read[seq]) / float64(max(1, n)))
		}
	}
	return sum
}

// buffered returns where attention finds an object if not in the cache.
func (d *decode) buffered(layer int, object string) kernels.Stretch {
	if r, ok := d.layout.method.scratch[scratchName(kv.Repeat, object)]; ok {
		return kernels.Stretch{r}
	}
	if s := d.gathered(layer, object); s != nil {
		return s
	}
	return d.shared(layer, object)
}

// unrepeated returns where an object lies before the framework writes it out.
func (d *decode) unrepeated(layer int, object string) kernels.Stretch {
	if s := d.gathered(layer, object); s != nil {
		return s
	}
	if s := d.shared(layer, object); s != nil {
		return s
	}
	return d.kept(layer, object, true)
}

// gathered returns the part of HBM where keys or values lie that are beside what
// they are computed from, were computed, or were fetched; nil if there are none.
func (d *decode) gathered(layer int, object string) (s kernels.Stretch) {
	m := &d.layout.method
	at := m.layers[layer].at
	for _, r := range []kernels.Region{at["plain "+object], at["chosen "+object], m.scratch[scratchName(kv.Rebuild, object)]} {
		if r.Bytes > 0 {
			s = append(s, r)
		}
	}
	return s
}

// shared returns what a layer and those that keep keys and values with it keep of
// an object, its own first; nil if it shares nothing.
func (d *decode) shared(layer int, object string) (s kernels.Stretch) {
	first, last := d.config.Policy.Share.Group(layer, d.model.Layers)
	if last-first < 2 {
		return nil
	}
	s = d.kept(layer, object, true)
	for n := first; n < last; n++ {
		if n != layer {
			s = append(s, d.kept(n, object, true)...)
		}
	}
	return s
}

// Read implements kernels.KV.
func (v *view) Read(seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	at := float64(v.first[seq] + head*v.tokens[seq] + from)
	for part, s := range v.buffer {
		begin, end := uint64(at*v.dim[part]), uint64((at+float64(to-from))*v.dim[part])
		runs = s.Runs(begin, end-begin, runs)
	}
	switch {
	case v.resident == nil:
		return runs
	case v.chunk == 0:
		return v.resident.Read(seq, head, from, to, runs)
	}
	for t := from; t < to; {
		n := min(to-t, v.chunk-t%v.chunk)
		at := int(uint64(t/v.chunk)*v.spread[seq]%uint64(v.chunks[seq]))*v.chunk + t%v.chunk
		runs = v.resident.Read(seq, head, at, at+n, runs)
		t += n
	}
	return runs
}

// Where implements kernels.KV: one mixture throughout.
func (v *view) Where(int, int) (memory, until int) { return 0, math.MaxInt32 }
