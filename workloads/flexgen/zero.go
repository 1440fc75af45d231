package flexgen

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
