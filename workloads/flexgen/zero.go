package flexgen

import (
	"fmt"

	"hwsim/devices/hostio"
)

// zeroLinkShare is the share of the link's rate at which ZeRO-Inference streams
// weights: its fetches of parameters do not follow one another without gaps.
// Fitted to one row, OPT-30B, prompts of 512 and a batch of 4 on a T4 (0.60
// tokens/s, FlexGen's table 2).
const zeroLinkShare = 0.62

// ZeROInference returns what DeepSpeed's ZeRO-Inference with weights in host
// memory is here: a machine with a slower link, and a policy that streams every
// weight for every pass of one batch, whose cache stays on the GPU.
func ZeROInference(m *Machine, batch int) (*Machine, Policy) {
	slower := *m
	slower.Link.ToGPU *= zeroLinkShare
	return &slower, Policy{
		Batch: batch, Batches: 1, GPUAttention: true,
		Weights: Shares{CPU: 100}, Cache: Shares{GPU: 100}, Hidden: Shares{GPU: 100},
	}
}

// ZeROCacheOffload runs ZeRO-Inference with its cache in host memory (--kv-offload,
// with --pin_kv_cache if pinned). Weights that fit stay on the GPU, others are
// streamed.
//
// A step's new tensors are the old ones and a token, joined: of a pageable cache
// both are there until the step ends. What host memory cannot hold of it is
// swapped, by Linux's rules for two lists, and comes back page by page as the
// copy to the GPU faults on it. A pinned cache must fit.
func ZeROCacheOffload(m *Machine, s Shape, j Job, batch int, pinned bool) (Result, Need, error) {
	slower, p := ZeROInference(m, batch)
	p.Cache, p.PinnedCache = Shares{CPU: 100}, pinned
	onGPU := p
	onGPU.Weights = Shares{GPU: 100}
	if need := Needs(m, s, j, &onGPU); need.GPU.fit() == nil {
		p, slower = onGPU, m
	}
	need := Needs(slower, s, j, &p)
	if err := need.GPU.fit(); err != nil {
		return Result{}, need, err
	}
	if pinned {
		if err := need.Fit(); err != nil {
			return Result{}, need, err
		}
		return Run(slower, s, j, &p), need, nil
	}
	room := int64(need.Host.Capacity - need.Host.Used() + need.Host.part("KV"))
	if room <= 0 {
		return Result{}, need, need.Host.fit()
	}
	r := Run(slower, s, j, &p)
	err := r.swap(slower, s, j, batch, room)
	return r, need, err
}

// swap adds what a cache that is copied anew in each step costs in a host with
// room for so many bytes of it.
func (r *Result) swap(m *Machine, s Shape, j Job, batch int, room int64) error {
	memory := hostio.NewPageCache(room)
	tensor := func(tokens int) int64 { return int64(s.kvBytes(float64(batch*tokens))) / cacheTensors }
	tensors := cacheTensors * s.Layers
	id := func(step, n int) hostio.FileID { return hostio.FileID(2*n + step%2) }
	for n := range tensors {
		memory.Write(id(0, n), tensor(j.Prompt))
	}
	for step := 1; step < j.Output; step++ {
		before, out := memory.Misses, memory.Evicted
		for n := range tensors {
			memory.Read(id(step-1, n), tensor(j.Prompt+step-1))
			memory.Write(id(step, n), tensor(j.Prompt+step))
		}
		for n := range tensors {
			memory.Drop(id(step-1, n))
		}
		if err := r.swapped(m, memory.Misses-before, memory.Evicted-out); err != nil {
			return err
		}
	}
	r.TokensPerSecond = float64(batch*j.Output) / r.seconds()
	return nil
}

// swapped adds bytes that came in by page faults, and bytes that had to go out
// first.
func (r *Result) swapped(m *Machine, in, out int64) error {
	if in == 0 && out == 0 {
		return nil
	}
	if m.swapIn == nil || m.swapOut == nil {
		return fmt.Errorf("host %s: has no paths swap_in and swap_out, and its memory is too small for the cache", m.Host)
	}
	t := m.swapIn.Elapsed(in, 1) + m.swapOut.Elapsed(out, 1)
	r.SwappedIn += float64(in)
	r.Decode.grow(t)
	r.Decode.Kinds[LoadCache] += t
	r.Decode.Busy[Drive] += m.swapIn.Busy(Drive.String(), in) + m.swapOut.Busy(Drive.String(), out)
	return nil
}
