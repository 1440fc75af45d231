package operators

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/models"
)

// latentAttended returns the time on the GPU of the attention of equal
// sequences over a compressed cache.
func latentAttended(t *testing.T, system, library string, heads, sequences, tokens int) float64 {
	t.Helper()
	c, p := onSystem(t, system, library)
	r, err := LatentAttention(context.Background(), c, p, LatentAttentionOptions{MLA: models.MLA{KVLoraRank: 512, QKNopeDim: 128, QKRopeDim: 64, VDim: 128},
		QHeads: heads, Lengths: slices.Repeat([]int{tokens}, sequences)})
	require.NoError(t, err)
	return r.Ns
}

// A CTA fills an SM: 128 CTAs take as long as 216, twice as long as 64.
func TestMLAGoesByWavesOfOneCTAASM(t *testing.T) {
	one := latentAttended(t, "a100_80gb_sxm", "triton_mla", 8, 16, 8191)
	two := latentAttended(t, "a100_80gb_sxm", "triton_mla", 8, 32, 8191)
	require.InEpsilon(t, 2*one, two, 0.12)
}

// A CTA's tiles follow one another, 3.1 µs each.
func TestMLAOfFewSequencesIsBoundByAPartsTiles(t *testing.T) {
	short := latentAttended(t, "a100_80gb_sxm", "triton_mla", 8, 1, 4095)
	long := latentAttended(t, "a100_80gb_sxm", "triton_mla", 8, 1, 8191)
	require.InEpsilon(t, 3.1e3, (long-short)/32, 0.1)
}

// FlashMLA's parts fill the SMs whatever the batch: 8 sequences and 16 that have
// as many tokens together take alike.
func TestMLAThatIsSharedByTheSMsGoesByAllTokens(t *testing.T) {
	eight := latentAttended(t, "h200_sxm", "flash_mla", 64, 8, 4096)
	sixteen := latentAttended(t, "h200_sxm", "flash_mla", 64, 16, 2048)
	require.InEpsilon(t, eight, sixteen, 0.15)
}
