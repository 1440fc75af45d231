package flexgen

import (
	"errors"
	"fmt"
	"strings"
)

// Part is what lies in a memory, bytes.
type Part struct {
	Name  string
	Bytes float64
}

// Room is one memory: what there is and what a policy wants of it.
type Room struct {
	Name     string
	Capacity float64 // bytes
	Parts    []Part
}

// Used returns the bytes of all parts.
func (r *Room) Used() (bytes float64) {
	for _, p := range r.Parts {
		bytes += p.Bytes
	}
	return bytes
}

// add takes note of a part that is there.
func (r *Room) add(name string, bytes float64) {
	if bytes > 0 {
		r.Parts = append(r.Parts, Part{name, bytes})
	}
}

// part returns the bytes of a part, 0 if it is not there.
func (r *Room) part(name string) float64 {
	for _, p := range r.Parts {
		if p.Name == name {
			return p.Bytes
		}
	}
	return 0
}

// fit returns what is wrong with a room that is too small.
func (r *Room) fit() error {
	over := r.Used() - r.Capacity
	if over <= 0 {
		return nil
	}
	parts := make([]string, len(r.Parts))
	for i, p := range r.Parts {
		parts[i] = fmt.Sprintf("%s %.1f", p.Name, p.Bytes/gib)
	}
	return fmt.Errorf("%s: needs %.1f GiB, has %.1f, %.1f too few: %s", r.Name, r.Used()/gib, r.Capacity/gib, over/gib, strings.Join(parts, ", "))
}

// Need is what a policy wants of a machine's memories.
type Need struct{ GPU, Host, Drive Room }

// Rooms returns them in their order.
func (n *Need) Rooms() []*Room { return []*Room{&n.GPU, &n.Host, &n.Drive} }

// Fit returns an error for the memories that are too small, a line each.
func (n *Need) Fit() error {
	var problems []error
	for _, r := range n.Rooms() {
		problems = append(problems, r.fit())
	}
	return errors.Join(problems...)
}

// fits is Fit without a word.
func (n *Need) fits() bool {
	for _, r := range n.Rooms() {
		if r.Used() > r.Capacity {
			return false
		}
	}
	return true
}

// PageCache returns the bytes of host memory that are left for files.
func (n *Need) PageCache() int64 { return int64(max(0, n.Host.Capacity-n.Host.Used())) }

// Needs returns what a policy wants at its most. The GPU's working set is that of
// one batch's prefill, two sublayers' weights on their way, and a layer's cache
// of two batches where the GPU attends to one that lies elsewhere.
func Needs(m *Machine, s Shape, j Job, p *Policy) Need {
	n := Need{
		GPU:   Room{Name: "GPU memory", Capacity: gib * m.Memory.GPU},
		Host:  Room{Name: "host memory", Capacity: gib * m.Memory.Host},
		Drive: Room{Name: "drive", Capacity: gib * m.Memory.Drive},
	}
	gpu, host, drive := s.weightHomes(p)
	kv := packed(float64(s.Layers)*s.kvBytes(float64(p.Sequences()*j.tokens())), p.CompressCache)
	hidden := s.hiddenBytes(float64(p.Sequences() * j.Prompt))
	n.Host.add("system", gib*m.Memory.System)
	n.Host.add("copy buffers", gib*m.Memory.Pinned)
	for _, at := range []struct {
		room                *Room
		weights, kv, hidden float64
	}{
		{&n.GPU, gpu, kv * p.Cache.gpu(), hidden * p.Hidden.gpu()},
		{&n.Host, host, kv * p.Cache.cpu(), hidden * p.Hidden.cpu()},
		{&n.Drive, drive, kv * p.Cache.disk(), hidden * p.Hidden.disk()},
	} {
		at.room.add("weights", at.weights)
		at.room.add("KV", at.kv)
		at.room.add("hidden states", at.hidden)
	}
	n.GPU.add("weights on their way", s.weightsOnTheirWay(p))
	n.GPU.add("KV on its way", s.cacheOnItsWay(j, p))
	n.GPU.add("prefill", s.prefillBytes(j, p))
	n.Host.add("attention", s.cpuAttentionBytes(j, p))
	return n
}

// tokens returns how many of a sequence's tokens are cached at most: the last one
// is not.
func (j Job) tokens() int { return j.Prompt + j.Output - 1 }

// weightHomes returns the bytes of all weights by where they lie; those outside
// layers lie as the policy's shares say.
func (s Shape) weightHomes(p *Policy) (gpu, host, drive float64) {
	for _, attention := range []bool{true, false} {
		h := p.Weights.homes(s.matrices(attention))
		gpu, host, drive = gpu+h.gpu, host+h.cpu, drive+h.onDisk
	}
	layers := float64(s.Layers)
	in := func(values, share float64) float64 {
		return packed(2*(values*layers+s.Outside*share), p.CompressWeights)
	}
	return in(gpu, p.Weights.gpu()), in(host, p.Weights.cpu()), in(drive, p.Weights.disk())
}

// weightsOnTheirWay returns the bytes of a layer's weights that lie elsewhere: an
// attention's and an MLP's are on the GPU together; and unpacked the greater.
func (s Shape) weightsOnTheirWay(p *Policy) (bytes float64) {
	for _, attention := range []bool{true, false} {
		h := p.Weights.homes(s.matrices(attention))
		bytes += packed(2*(h.cpu+h.onDisk), p.CompressWeights)
	}
	if p.CompressWeights {
		bytes += 2 * max(s.attentionWeights(), s.mlpWeights())
	}
	return bytes
}

// cacheOnItsWay returns the bytes of a layer's cache that the GPU needs to attend.
func (s Shape) cacheOnItsWay(j Job, p *Policy) float64 {
	if p.onCPU() {
		return 0
	}
	layer := s.kvBytes(float64(p.Batch * (j.Prompt + j.Output)))
	bytes := float64(min(2, p.Batches)) * p.Cache.offGPU() * p.read() * packed(layer, p.CompressCache)
	if p.CompressCache {
		bytes += layer
	}
	return bytes
}

// prefillBytes returns what one batch's prompts need in a layer: scores twice
// (masked, and their softmax), or the MLP's inner activations; queries, keys,
// values, input and output.
func (s Shape) prefillBytes(j Job, p *Policy) float64 {
	tokens := float64(p.Batch * j.Prompt)
	scores := 2 * 2 * tokens * float64(j.Prompt) * s.heads()
	qkv := 2*tokens*s.qWidth() + s.kvBytes(tokens)
	inner := 2 * tokens * or(s.FFN, 4*s.Hidden)
	return max(scores+qkv, inner) + 2*s.hiddenBytes(tokens)
}

// cpuAttentionBytes returns the runtime's workspace to attend on the CPU: a
// layer's cache of one batch twice, in 32 bits.
func (s Shape) cpuAttentionBytes(j Job, p *Policy) float64 {
	if !p.onCPU() || p.Cache.GPU == 100 {
		return 0
	}
	return 2 * s.kvBytes(float64(p.Batch*j.tokens()))
}
