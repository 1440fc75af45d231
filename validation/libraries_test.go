package validation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTablesOfLibrariesAreToldApart(t *testing.T) {
	for _, test := range []struct {
		file, text string
		want       []task
		buckets    []bucket
		omitted    int
	}{
		{"x/a100_decode_attn_vllm0.14_bf16.csv", "batch,q_heads,kv_heads,head_dim,kv_len,latency_us\n1,8,8,128,1024,31.5\n2,32,8,128,64,18.8\n2,32,8,128,512,23.0\n",
			[]task{libraryAttention{gpu: "a100", library: "vllm", again: true, paged: true, qHeads: 8, kvHeads: 8, dim: 128, batch: 1, tokens: 1024},
				libraryAttention{gpu: "a100", library: "vllm", again: true, paged: true, qHeads: 32, kvHeads: 8, dim: 128, batch: 2, tokens: 64},
				libraryAttention{gpu: "a100", library: "vllm", again: true, paged: true, qHeads: 32, kvHeads: 8, dim: 128, batch: 2, tokens: 512}},
			[]bucket{libraryAmpereWhole, libraryShort, libraryAmpere}, 0},
		{"a100_decode_attn_sglang0.5.10_bf16.csv", "batch,q_heads,kv_heads,head_dim,kv_len,latency_us\n1,8,8,128,1024,31.5\n1,8,8,128,256,21.9\n",
			[]task{libraryAttention{gpu: "a100", library: "sglang", again: true, qHeads: 8, kvHeads: 8, dim: 128, batch: 1, tokens: 1024},
				libraryAttention{gpu: "a100", library: "sglang", again: true, qHeads: 8, kvHeads: 8, dim: 128, batch: 1, tokens: 256}},
			[]bucket{librarySGLang, libraryShort}, 0},
		{"skewed.csv", "gpu,model,tp,q_heads_per_gpu,kv_heads_per_gpu,head_dim,batch,n_big,kv_small,kv_big,t_skewed_us\nRTXPRO6000,m,1,32,8,128,4,1,255,1023,60\nRTX4090,m,1,32,8,128,4,1,255,1023,60\n",
			[]task{libraryAttention{gpu: "rtxpro6000", library: "vllm", qHeads: 32, kvHeads: 8, dim: 128, batch: 4, tokens: 256, longer: 1, long: 1024}},
			[]bucket{librarySkewed}, 1},
		{"a100_decode_mla_x.csv", "kernel,kv_dtype,q_heads,batch,kv_len,latency_us\ntriton_mla,bf16,128,4,8192,552.6\ntriton_mla,bf16,8,8,128,340\ntriton_mla,bf16,1,1,16384,1239\nflashmla,bf16,128,4,8192,55\ntriton_mla,fp8,128,4,8192,55\n",
			[]task{latentAttention{gpu: "a100", qHeads: 128, batch: 4, tokens: 8191}, latentAttention{gpu: "a100", qHeads: 8, batch: 8, tokens: 127},
				latentAttention{gpu: "a100", qHeads: 1, batch: 1, tokens: 16383}},
			[]bucket{libraryLatent, libraryLatentHost, libraryLatent}, 2},
		{"a800_x.csv", "batch,kv_len,latency_us_median\n3,128,21\n",
			[]task{libraryAttention{gpu: "a800", library: "flashinfer", again: true, paged: true, qHeads: 32, kvHeads: 32, dim: 128, batch: 3, tokens: 129}}, []bucket{libraryFlashInfer}, 0},
	} {
		table, err := readTable(test.file, strings.NewReader(test.text))
		require.NoError(t, err)
		require.Len(t, table.omissions, test.omitted, test.file)
		require.Len(t, table.comparisons, len(test.want), test.file)
		for i, c := range table.comparisons {
			require.Equal(t, test.want[i], c.task, test.file)
			require.Equal(t, test.buckets[i], c.bucket, test.file)
		}
	}
}

func TestASkewedRowIsOneOfItsCalls(t *testing.T) {
	table, err := readTable("skewed.csv", strings.NewReader("gpu,model,tp,q_heads_per_gpu,kv_heads_per_gpu,head_dim,batch,n_big,kv_small,kv_big,t_skewed_us\nRTXPRO6000,m,1,32,8,128,4,1,255,1023,60\n"))
	require.NoError(t, err)
	require.InDelta(t, 20e3, table.comparisons[0].measured, 1e-6)
	require.Equal(t, []int{256, 256, 256, 1024}, table.comparisons[0].task.(libraryAttention).sequences().Lengths)
}

// Every system that tables name has a profile of vLLM, and is one.
func TestNamedSystemsHaveALibrary(t *testing.T) {
	m, err := newMachine("h200_sxm")
	require.NoError(t, err)
	for gpu, system := range systems {
		c, err := m.named(gpu)
		require.NoError(t, err)
		require.Equal(t, system, c.Name)
		p, err := profiles(vllm[system])
		require.NoError(t, err)
		require.NotNil(t, p.Library, gpu)
	}
	for system, name := range sglang {
		p, err := profiles(name)
		require.NoError(t, err)
		require.NotNil(t, p.Library, system)
	}
}

func TestPromptsAreComparedByLength(t *testing.T) {
	table, err := readTable("p.csv", strings.NewReader("q_heads,kv_heads,head_dim,batch,context,causal,us_median\n32,32,128,2,1024,1,50\n32,32,128,1,16384,1,3400\n32,8,128,1,1024,1,50\n"))
	require.NoError(t, err)
	require.Len(t, table.omissions, 1)
	require.Equal(t, []task{prefill{Heads: 32, Batch: 2, Tokens: 1024, Dim: 128}, prefill{Heads: 32, Batch: 1, Tokens: 16384, Dim: 128}},
		[]task{table.comparisons[0].task, table.comparisons[1].task})
	require.Equal(t, []bucket{prefills, prefillsLong}, []bucket{table.comparisons[0].bucket, table.comparisons[1].bucket})
}
