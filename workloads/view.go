package workloads

import (
	"math"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// view is the keys and values that attention reads under a policy: buffers in
// HBM where they lie side by side, or chosen chunks of the cache.
type view struct {
	heads    int
	tokens   []int     // of each sequence, a head
	first    []int     // of each sequence in the buffers
	buffer   [2]uint64 // of keys and of values; 0: none
	dim      [2]uint64 // bytes of a token of a head there
	resident *kvLayer  // what is read where it is kept; nil: nothing
	chunk    int       // tokens of it that lie together
	chunks   []int     // of each sequence
	spread   []uint64  // multiplier that scatters those chosen over them
}

// view returns what a layer's attention reads, for so many heads, and the bytes
// by tier.
func (d *decode) view(layer, heads int) (kernels.KV, [hierarchy.NumTiers]uint64) {
	m := &d.layout.method
	l := &m.layers[layer]
	var bytes [hierarchy.NumTiers]uint64
	for _, f := range l.stage(kv.AttendS) {
		tier, _ := hierarchy.ParseTier(string(f.Tier))
		bytes[tier] += uint64(f.Read)
	}
	resident := d.layout.kv.layers[layer] // where it is seen changes from layer to layer
	v := &view{heads: heads, tokens: l.attended, chunk: d.unit()}
	total := 0
	for _, n := range l.attended {
		v.first = append(v.first, total)
		total += n * heads
	}
	for part, object := range [2]string{"keys", "values"} {
		at, ok := d.buffered(l, object)
		if !ok && d.shares(layer) {
			at, ok = d.home(l, object), true // what it shares lies with the layer before
		}
		if ok {
			v.buffer[part] = at
			v.dim[part] = uint64(l.read(kv.AttendS, object)/float64(total) + 0.5)
		}
	}
	if v.buffer[0] > 0 || v.buffer[1] > 0 {
		return v, bytes
	}
	if keys, values := m.policy.Stored(m.shape); !keys && !values {
		return v, bytes // all of it is computed where it is used
	}
	if !m.policy.Chooses() {
		return &resident, resident.read(l.attended)
	}
	v.resident = &resident
	for _, n := range l.kept {
		chunks := max(1, n/v.chunk)
		v.chunks, v.spread = append(v.chunks, chunks), append(v.spread, coprime(uint64(chunks)))
	}
	return v, bytes
}

// buffered returns where attention finds an object if not in the cache.
func (d *decode) buffered(l *methodLayer, object string) (uint64, bool) {
	m := &d.layout.method
	if at, ok := m.scratch[scratchName(kv.Repeat, object)]; ok {
		return at, true
	}
	if at, ok := m.scratch[scratchName(kv.Rebuild, object)]; ok {
		return at, true
	}
	if at, ok := l.at["chosen "+object]; ok && m.policy.Chooses() {
		return at, true
	}
	at, ok := l.at["plain "+object]
	keys, values := m.policy.Stored(m.shape)
	return at, ok && (object == "keys" && !keys || object == "values" && !values)
}

// shares reports whether a layer reads what other layers keep for it too.
func (d *decode) shares(layer int) bool {
	m := &d.layout.method
	l := &m.layers[layer]
	return m.policy.Share.Layers > 1 && l.read(kv.AttendS, "keys") > 1.01*l.bytes("keys")
}

// Read implements kernels.KV.
func (v *view) Read(seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	if v.resident == nil {
		return v.readBuffers(seq, head, from, to, runs)
	}
	for t := from; t < to; {
		n := min(to-t, v.chunk-t%v.chunk)
		at := int(uint64(t/v.chunk)*v.spread[seq]%uint64(v.chunks[seq]))*v.chunk + t%v.chunk
		runs = v.resident.Read(seq, head, at, at+n, runs)
		t += n
	}
	return runs
}

func (v *view) readBuffers(seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	at := uint64(v.first[seq] + head*v.tokens[seq] + from)
	for part, base := range v.buffer {
		if dim := v.dim[part]; base > 0 && dim > 0 {
			runs = append(runs, gpu.Run{Addr: base + at*dim, Rows: 1, Bytes: uint32(uint64(to-from) * dim)})
		}
	}
	return runs
}

// Where implements kernels.KV: one mixture throughout.
func (v *view) Where(int, int) (memory, until int) { return 0, math.MaxInt32 }
