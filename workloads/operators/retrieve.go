package operators

import (
	"context"
	"fmt"

	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/kernels"
)

// RetrieveOptions describe one layer of landmark retrieval, or a stage of it.
type RetrieveOptions struct {
	QHeads, KVHeads, Dim int
	Batch, Context       int
	Chunk                int // tokens
	Top                  int // chunks of each KV head to fetch
	Keys, Values         hierarchy.TierID
	Stage                string // of RetrieveStages, "" all
}

// RetrieveStages are the stages of a retrieval, in their order.
var RetrieveStages = []string{"score", "top", "fetch", "attend"}

// Retrieve returns the time of a graph of one retrieval, run again and again
// over the same data.
func Retrieve(ctx context.Context, c *hierarchy.Config, p *kernels.Profiles, o RetrieveOptions) (Time, error) {
	const warm = 1
	if p.Retrieve.ScoreChunks == 0 {
		return Time{}, fmt.Errorf("kernels %s have no retrieval", p.Name)
	}
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	stages := b.retrieval(c, p, &o)
	var call []kernel
	for i, name := range RetrieveStages {
		if o.Stage == "" || o.Stage == name {
			call = append(call, stages[i]...)
		}
	}
	for range warm + mostCalls {
		b.call(call...)
	}
	t, err := b.run(ctx, warm, 1)
	t.Ns = max(t.Ns, p.Retrieve.HostNs)
	return t, err
}

// retrieval places the data of a layer and returns the kernels of its stages.
func (b *bench) retrieval(c *hierarchy.Config, p *kernels.Profiles, o *RetrieveOptions) (stages [4][]kernel) {
	const elem = 2
	r := kernels.Retrieve{Rows: o.Batch * o.KVHeads, Group: o.QHeads / o.KVHeads, Dim: o.Dim, Chunks: o.Context / o.Chunk, Tokens: o.Chunk, Top: o.Top}
	row := uint64(o.Dim) * elem
	rows, chunks, top := uint64(r.Rows), uint64(r.Rows*r.Chunks), uint64(r.Rows*r.Top)
	place := func(n uint64) uint64 { return b.place("activations", hierarchy.HBM, n) }
	q, out, attended := place(rows*uint64(r.Group)*row), place(rows*uint64(r.Group)*row), place(rows*uint64(r.Group)*row)
	landmarks, scores := place(chunks*row), place(chunks*4)
	index, chosen := place(top*8), place(top*8)
	far := [2]uint64{b.place("kv", o.Values, chunks*uint64(o.Chunk)*row), b.place("kv", o.Keys, chunks*uint64(o.Chunk)*row)}
	near := [2]uint64{place(top * uint64(o.Chunk) * row), place(top * uint64(o.Chunk) * row)}

	l := &p.Retrieve
	list := func(i int, k kernel) { stages[i] = append(stages[i], k) }
	list(0, kernel{Kernel: l.ScoreKernel(r, q, landmarks, scores), class: "score", bytes: [hierarchy.NumTiers]uint64{chunks * row}})
	for _, k := range l.TopKernels(&c.GPU, r, scores, index) {
		list(1, kernel{Kernel: k, class: "top"})
	}
	list(1, kernel{Kernel: p.Copy.Elementwise("", 1, int(top), 8, []kernels.Matrix{kernels.At(index, 0)}, kernels.At(chosen, 0)), class: "copy"})
	pick := drawn(r)
	for i, tier := range [2]hierarchy.TierID{o.Values, o.Keys} {
		k := kernel{Kernel: l.GatherKernel(r, chosen, far[i], near[i], pick), class: "fetch"}
		k.bytes[tier] = top * uint64(o.Chunk) * row
		list(2, k)
	}
	list(3, kernel{Kernel: p.Copy.Elementwise("", 1, 1, elem, nil, kernels.At(attended, 0)), class: "clear"})
	list(3, kernel{Kernel: l.AttendKernel(r, q, near[1], near[0], attended), class: "attend", bytes: [hierarchy.NumTiers]uint64{2 * top * uint64(o.Chunk) * row}})
	list(3, kernel{Kernel: p.Copy.Elementwise("", 1, int(rows)*r.Group*o.Dim, elem, []kernels.Matrix{kernels.At(attended, 0)}, kernels.At(out, 0)), class: "copy"})
	return stages
}

// drawn returns which chunks of each row are the best: random ones, each once,
// in their order.
func drawn(r kernels.Retrieve) func(row, n int) int {
	rng := sim.NewRand(1)
	all := make([]int, 0, r.Rows*r.Top)
	for range r.Rows {
		left := r.Top
		for chunk := range r.Chunks {
			if left > 0 && rng.IntN(r.Chunks-chunk) < left {
				all = append(all, chunk)
				left--
			}
		}
	}
	return func(row, n int) int { return all[row*r.Top+n] }
}
