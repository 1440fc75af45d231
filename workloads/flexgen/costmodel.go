package flexgen

import "math"

const gib = 1 << 30

// Job is what is generated: every sequence of a block has Prompt tokens and
// gets Output more, the first of them by the prefill.
type Job struct {
	Prompt, Output int
}

// CostModel holds the constants of FlexGen's published cost equations: rates of
// transfers in GiB/s and of arithmetic in TFLOPS. It is a comparator; Run does
// not use it.
type CostModel struct {
	CPUToGPU                                float64
	CacheToCPU, HiddenToCPU                 float64 // GPU to CPU
	DiskToCPU                               float64
	CacheToDisk, HiddenToDisk, DecodeToDisk float64
	PrefillGEMM, PrefillBMM                 float64
	DecodeGEMM, DecodeBMM                   float64
	CPU                                     float64 // attention
	BatchTimesHidden, PerBatch, PerHidden   float64 // how the CPU's rate falls with small batches and models
}

// ReleasedT4 returns the constants released with FlexGen (repository at
// 19753bc0), fitted by its authors to their machine with a T4.
func ReleasedT4() CostModel {
	return CostModel{
		CPUToGPU: 12.89, CacheToCPU: 0.97, HiddenToCPU: 4.82, DiskToCPU: 0.473,
		CacheToDisk: 0.746, HiddenToDisk: 2.015, DecodeToDisk: 2.015,
		PrefillGEMM: 21.24, PrefillBMM: 9.97, DecodeGEMM: 4.3, DecodeBMM: 0.079, CPU: 0.0123,
		BatchTimesHidden: 0.0168, PerBatch: 0.0328, PerHidden: 0.0621,
	}
}

// Terms are a layer's times of one phase in seconds, by what takes them.
type Terms struct {
	CPUToGPU, GPUToCPU, DiskToCPU, CPUToDisk, Compute float64
}

// Cost is what the equations give.
type Cost struct {
	Prefill, Decode Terms   // of a layer; of a layer and a token
	PrefillLayer    float64 // s
	DecodeLayer     float64 // s
	Seconds         float64 // of the block
	TokensPerSecond float64
}

// Evaluate returns the cost of a block.
func (c *CostModel) Evaluate(s Shape, j Job, p *Policy) Cost {
	e := Cost{Prefill: c.prefill(s, j, p), Decode: c.decode(s, j, p)}
	f, g := &e.Prefill, &e.Decode
	e.PrefillLayer = max(f.CPUToGPU+f.DiskToCPU, f.GPUToCPU+f.CPUToDisk, f.Compute)
	e.DecodeLayer = g.CPUToGPU + max(g.GPUToCPU, g.DiskToCPU, g.CPUToDisk, g.Compute)
	layers := float64(s.Layers)
	e.Seconds = layers * (e.PrefillLayer + float64(j.Output-1)*e.DecodeLayer)
	e.TokensPerSecond = float64(p.Sequences()*j.Output) / e.Seconds
	return e
}

// prefill returns the terms of a layer's prompts.
func (c *CostModel) prefill(s Shape, j Job, p *Policy) Terms {
	sequences, prompt := float64(p.Sequences()), float64(j.Prompt)
	w, hidden := s.weightBytes()/gib, s.hiddenBytes(sequences*prompt)/gib
	kv := s.kvBytes(sequences*(prompt+1)) / gib
	return Terms{
		CPUToGPU:  (w*p.Weights.offGPU() + hidden*p.Hidden.offGPU()) / c.CPUToGPU,
		GPUToCPU:  kv*p.Cache.offGPU()/c.CacheToCPU + hidden*p.Hidden.offGPU()/c.HiddenToCPU,
		DiskToCPU: (w*p.Weights.disk() + hidden*p.Hidden.disk()) / c.DiskToCPU,
		CPUToDisk: kv*p.Cache.disk()/c.CacheToDisk + hidden*p.Hidden.disk()/c.HiddenToDisk,
		Compute:   s.gemmFlops(sequences*prompt)/(c.PrefillGEMM*1e12) + s.attentionFlops(sequences*prompt, prompt)/(c.PrefillBMM*1e12),
	}
}

// diskWeights is the rate of weights from disk against that of the cache.
const diskWeights = 0.95

// decode returns the terms of a layer for one token, at the mean context.
func (c *CostModel) decode(s Shape, j Job, p *Policy) Terms {
	sequences, context := float64(p.Sequences()), float64(j.Prompt)+float64(j.Output)/2
	w, hidden := s.weightBytes()/gib, s.hiddenBytes(sequences)/gib
	kv, added := s.kvBytes(sequences*context)/gib, s.kvBytes(sequences)/gib
	attention := s.attentionFlops(sequences, context)
	return Terms{
		CPUToGPU:  (w*p.Weights.offGPU() + hidden*p.Hidden.offGPU()) / c.CPUToGPU,
		GPUToCPU:  hidden * p.Hidden.offGPU() / c.HiddenToCPU,
		DiskToCPU: (kv*p.Cache.disk()+hidden*p.Hidden.disk())/c.DiskToCPU + w*p.Weights.disk()/(diskWeights*c.DiskToCPU),
		CPUToDisk: (added*p.Cache.disk() + hidden*p.Hidden.disk()) / c.DecodeToDisk,
		Compute: s.gemmFlops(sequences)/(c.DecodeGEMM*1e12) + attention*p.Cache.gpu()/(c.DecodeBMM*1e12) +
			attention*p.Cache.offGPU()/(c.CPU*1e12*c.cpuShare(s, p)),
	}
}

// cpuShare returns which share of its rate the CPU reaches.
func (c *CostModel) cpuShare(s Shape, p *Policy) float64 {
	batch := max(0, math.Log2(64/float64(p.Batch)))
	hidden := max(0, math.Log2(4096/float64(s.Hidden)))
	return max(0.1, 1+c.BatchTimesHidden*batch*hidden-c.PerBatch*batch-c.PerHidden*hidden)
}
