package models

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"
)

const presetDir = "../configs/models"

// preset reads one preset strictly: unknown keys and invalid values fail.
func preset(t *testing.T, name string) Model {
	t.Helper()
	var m Model
	meta, err := toml.DecodeFile(filepath.Join(presetDir, name+".toml"), &m)
	require.NoError(t, err)
	require.Empty(t, meta.Undecoded())
	m.Validate(func(key, message string) { t.Errorf("%s: %s %s", name, key, message) })
	return m
}

// presets reads all of them by name.
func presets(t *testing.T) map[string]Model {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(presetDir, "*.toml"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := map[string]Model{}
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".toml")
		all[name] = preset(t, name)
	}
	return all
}

func TestPresetIsNamedAfterItsFile(t *testing.T) {
	for name, m := range presets(t) {
		require.Equal(t, name, m.Name)
	}
}

func TestPresetOpensWithSummaryAndSource(t *testing.T) {
	for name := range presets(t) {
		text, err := os.ReadFile(filepath.Join(presetDir, name+".toml"))
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		require.True(t, strings.HasPrefix(lines[0], "# "), name)
		require.Contains(t, lines[1], "# Shape: ", name)
	}
}

func TestParamsMatchPublishedCount(t *testing.T) {
	for name, m := range presets(t) {
		t.Run(name, func(t *testing.T) {
			require.Positive(t, m.ParamsPublished)
			require.InEpsilon(t, m.ParamsPublished, m.Params(), 0.002)
		})
	}
}

// The checkpoints of these models hold exactly so many parameters.
func TestParamsMatchCheckpointExactly(t *testing.T) {
	for name, want := range map[string]int64{
		"llama2-7b":    6_738_415_616,
		"llama2-13b":   13_015_864_320,
		"llama2-70b":   68_976_648_192,
		"llama3-8b":    8_030_261_248,
		"llama3-70b":   70_553_706_496,
		"mistral-7b":   7_241_732_096,
		"mixtral-8x7b": 46_702_792_704,
		"qwen3-8b":     8_190_735_360,
		"opt-13b":      12_853_473_280,
	} {
		require.Equal(t, want, preset(t, name).Params(), name)
	}
}

func TestWeightBytesScaleWithElement(t *testing.T) {
	m := preset(t, "llama3-8b")
	require.Equal(t, 2*m.Params(), m.WeightBytes(2))
	require.Equal(t, (m.Params()+1)/2, m.WeightBytes(0.5))
}

func TestKVBytesPerTokenAndLayer(t *testing.T) {
	for name, want := range map[string]int64{
		"llama2-7b":    2 * 32 * 128 * 2,
		"llama3-8b":    2 * 8 * 128 * 2,
		"yi-6b":        2 * 4 * 128 * 2,
		"opt-13b":      2 * 40 * 128 * 2,
		"deepseek-v3":  (512 + 64) * 2,
		"mixtral-8x7b": 2 * 8 * 128 * 2,
	} {
		require.Equal(t, want, preset(t, name).KVBytesPerToken(2), name)
	}
}

// The shapes are those that cuBLAS was measured with on an H200
// (linear.csv of the reference data).
func TestLinearsOfDenseLayerInDecodeOrder(t *testing.T) {
	type product struct {
		name    string
		out, in int
	}
	for name, want := range map[string][]product{
		"llama3-8b":  {{"qkv", 6144, 4096}, {"o", 4096, 4096}, {"up", 28672, 4096}, {"down", 4096, 14336}},
		"llama2-13b": {{"qkv", 15360, 5120}, {"o", 5120, 5120}, {"up", 27648, 5120}, {"down", 5120, 13824}},
		"opt-13b":    {{"qkv", 15360, 5120}, {"o", 5120, 5120}, {"up", 20480, 5120}, {"down", 5120, 20480}},
		"qwen3-32b":  {{"qkv", 10240, 5120}, {"o", 5120, 8192}, {"up", 51200, 5120}, {"down", 5120, 25600}},
	} {
		var got []product
		for _, l := range preset(t, name).Linears(0) {
			require.Equal(t, []int{1, 1, 1}, []int{l.Heads, l.Experts, l.ActivePerToken})
			got = append(got, product{l.Name, l.Out, l.In})
		}
		require.Equal(t, want, got, name)
	}
	require.Equal(t, plain("lm_head", 128256, 4096, false), preset(t, "llama3-8b").Head())
}

func TestLinearsOfLatentAttentionAndExperts(t *testing.T) {
	m := preset(t, "deepseek-v3")
	require.Equal(t, []Linear{
		plain("q_a", 1536, 7168, false),
		plain("q_b", 128*192, 1536, false),
		plain("kv_a", 576, 7168, false),
		{Name: "k_up", Out: 512, In: 128, Heads: 128, Experts: 1, ActivePerToken: 1},
		{Name: "v_up", Out: 128, In: 512, Heads: 128, Experts: 1, ActivePerToken: 1},
		plain("o", 7168, 128*128, false),
		plain("router", 256, 7168, false),
		{Name: "expert_up", Out: 4096, In: 7168, Heads: 1, Experts: 256, ActivePerToken: 8},
		{Name: "expert_down", Out: 7168, In: 2048, Heads: 1, Experts: 256, ActivePerToken: 8},
		plain("shared_up", 4096, 7168, false),
		plain("shared_down", 7168, 2048, false),
	}, m.Linears(3))
	require.False(t, m.IsMoE(2))
	require.Equal(t, plain("up", 36864, 7168, false), m.Linears(2)[6])
	require.Equal(t, Attention{QHeads: 128, KVHeads: 1, QKDim: 576, VDim: 512}, m.Attention())
}

// DeepSeek states 37 B parameters active a token, Mistral 12.9 B for Mixtral.
func TestMACsPerTokenMatchPublishedActiveParams(t *testing.T) {
	for name, want := range map[string]float64{"deepseek-v3": 37e9, "mixtral-8x7b": 12.9e9} {
		m := preset(t, name)
		macs := m.Head().MACs()
		for layer := range m.Layers {
			for _, l := range m.Linears(layer) {
				macs += l.MACs()
			}
		}
		require.InEpsilon(t, want, macs, 0.02, name)
	}
}

func TestShardsTogetherHoldEveryWeight(t *testing.T) {
	weights := func(m Model) (n int64) {
		for layer := range m.Layers {
			for _, l := range m.Linears(layer) {
				n += l.Weights()
			}
		}
		return n + m.Head().Weights()
	}
	for _, name := range []string{"llama3-70b", "llama2-13b", "opt-66b"} {
		m := preset(t, name)
		for _, tp := range []int{1, 2, 4, 8} {
			s, err := m.Shard(tp)
			require.NoError(t, err)
			require.Equal(t, weights(m), int64(tp)*weights(s), "%s over %d", name, tp)
		}
	}
}

func TestShardReplicatesScarceKVHeads(t *testing.T) {
	s, err := preset(t, "yi-6b").Shard(8)
	require.NoError(t, err)
	require.Equal(t, 1, s.KVHeads)
	require.Equal(t, 4, s.QHeads)
}

func TestShardReplicatesLatentCacheAndSlicesExperts(t *testing.T) {
	m := preset(t, "deepseek-v3")
	s, err := m.Shard(8)
	require.NoError(t, err)
	require.Equal(t, m.KVBytesPerToken(2), s.KVBytesPerToken(2))
	require.Equal(t, m.MoE.Experts, s.MoE.Experts)
	require.Equal(t, 256, s.MoE.ExpertFFN)
	require.Equal(t, 2048, m.MoE.ExpertFFN, "the whole model must not change")
}

func TestShardRefusesUnevenSplit(t *testing.T) {
	for _, tp := range []int{0, -1, 3, 5, 7} {
		_, err := preset(t, "llama3-8b").Shard(tp)
		require.Error(t, err, "%d ranks", tp)
	}
	_, err := preset(t, "llama2-13b").Shard(16) // 40 heads
	require.ErrorContains(t, err, "q_heads = 40 does not divide over 16 ranks")
}

func TestExpectedExpertsUnderUniformRouting(t *testing.T) {
	require.InDelta(t, 0, ExpectedExperts(8, 2, 0), 1e-12)
	require.InDelta(t, 2, ExpectedExperts(8, 2, 1), 1e-12)
	require.InDelta(t, 3.5, ExpectedExperts(8, 2, 2), 1e-12) // 2 + 2·6/8
	require.InDelta(t, 256, ExpectedExperts(256, 8, 4096), 1e-9)
	require.InDelta(t, 8, ExpectedExperts(8, 8, 1), 1e-12)
}

func TestValidateReportsEachBadKey(t *testing.T) {
	for key, spoil := range map[string]func(*Model){
		"name":              func(m *Model) { m.Name = "" },
		"layers":            func(m *Model) { m.Layers = 0 },
		"hidden":            func(m *Model) { m.Hidden = -1 },
		"vocab":             func(m *Model) { m.Vocab = 0 },
		"norm":              func(m *Model) { m.Norm = "batch" },
		"learned_positions": func(m *Model) { m.LearnedPositions = -1 },
		"params_published":  func(m *Model) { m.ParamsPublished = -1 },
		"ffn":               func(m *Model) { m.FFN = 0 },
		"mla.kv_lora_rank":  func(m *Model) { m.MLA.KVLoraRank = 0 },
		"moe.active":        func(m *Model) { m.MoE.Active = 257 },
		"moe.shared":        func(m *Model) { m.MoE.Shared = -1 },
		"moe.expert_ffn":    func(m *Model) { m.MoE.ExpertFFN = 0 },
		"moe.dense_layers":  func(m *Model) { m.MoE.DenseLayers = 62 },
		"kv_heads":          func(m *Model) { m.MLA, m.KVHeads, m.HeadDim = nil, 3, 128 },
	} {
		m := preset(t, "deepseek-v3")
		spoil(&m)
		var keys []string
		m.Validate(func(key, _ string) { keys = append(keys, key) })
		require.Contains(t, keys, key)
	}
}
