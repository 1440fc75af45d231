package published

import (
	"math"
	"strings"

	"hwsim/workloads/kv"
	"hwsim/workloads/kvalloc"
)

// shadowKV is V2: what ShadowKV's formulas say of bytes.
func shadowKV(b *book) {
	const source = "arXiv 2410.21465"
	m, p := b.model("llama3-8b"), b.policy("31_shadowkv")
	c := kv.Context{Prompt: 128 << 10}
	const hbm, pcie = 2e12, 31.5e9 // the paper's A100
	l, dense := p.Layer(m.Shape, c, &kv.Engine{}, 0), (&kv.Policy{}).Layer(m.Shape, c, &kv.Engine{}, 0)
	near, _ := l.Sum(func(f *kv.Flow) bool { // the paper's formula has no scores
		return f.Stage == kv.Score && f.Object != "scores" || f.Stage == kv.AttendS
	})
	far, _ := l.Sum(func(f *kv.Flow) bool { return f.Tier == kv.DDR })
	read, _ := dense.Sum(func(*kv.Flow) bool { return true })
	b.add(Row{ID: "V2", What: "ShadowKV: equal bandwidth of dense attention, 128 K, TB/s", Published: 7.2, Ours: read / (near/hbm + far/pcie) / 1e12, Tolerance: 0.01,
		Source: source + ", section 4.2"})

	inHBM := func(h *kv.Held) bool { return h.Tier == kv.HBM }
	kept := m.held(p, c, inHBM)
	full := m.held(&kv.Policy{}, c, all)
	b.add(Row{ID: "V2", What: "ShadowKV: less HBM a sequence, 128 K, times", Published: 6.26, Ours: full / kept, Tolerance: 0.01,
		Source: source + ", formula in one unit, derived (T3)"})
	b.add(Row{ID: "V2", What: "ShadowKV: batch, times", Published: 6, Ours: full / kept, Tolerance: 0.05, Source: source + ", abstract"})
	chosen := m.held(p, c, func(h *kv.Held) bool {
		return inHBM(h) && (strings.HasPrefix(h.Object, "chosen") || strings.HasPrefix(h.Object, "plain"))
	})
	width := float64(m.Shape.KVHeads * m.Shape.KeyDim)
	b.add(Row{ID: "V2", What: "ShadowKV: the same as printed, times", Published: 7.08, Ours: full / (kept - chosen + chosen/width), Tolerance: 0.01,
		Source: source + ", which counts one element of chosen and outlying tokens (T3)"})

	const batch, took = 24, 1.66e-3 // table 13: 24 sequences of 128 K
	b.add(Row{ID: "V2", What: "ShadowKV: values fetched in the printed 1.66 ms, GB/s", Published: 24.3, Ours: batch * far / took / 1e9, Tolerance: 0.01,
		Source: source + ", table 13, derived"})
}

// h2o is V3: the tokens that the released runs keep of each sequence.
func h2o(b *book) {
	const source = "arXiv 2306.14048, the repository's logs"
	m := b.model("opt-6.7b")
	ofPrompt := []string{"select.recent.share=0.11", `select.recent.of="prompt"`, "select.best.share=0.11", `select.best.of="prompt"`}
	for _, s := range []struct {
		what              string
		prompt, generated int
		sets              []string
		tokens            float64
	}{{"2048 + 2048", 2048, 2048, nil, 818}, {"5000 + 5000", 5000, 5000, nil, 2000}, {"7000 + 1024, 11 % of the prompt twice", 7000, 1024, ofPrompt, 1540}} {
		l := b.policy("29_h2o", s.sets...).Layer(m.Shape, kv.Context{Prompt: s.prompt, Generated: 1, Limit: s.prompt + s.generated}, &kv.Engine{}, 0)
		b.add(Row{ID: "V3", What: "H2O: " + s.what + ", tokens of a head", Published: s.tokens, Ours: l.Kept, Tolerance: 1e-9, Source: source})
	}
}

// vAttention is V4: what page groups alone say.
func vAttention(b *book) {
	const source = "arXiv 2405.04437 (ASPLOS 2025)"
	for _, s := range []struct {
		model        string
		ranks        int
		waste        float64 // MB a request between groups of 2 MiB and 64 KiB
		small, large float64 // batches of figure 15
	}{{"yi-6b", 1, 65, 240, 187}, {"llama3-8b", 2, 65, 258, 203}, {"yi-34b", 2, 122, 68, 56}} {
		rank, err := b.model(s.model).Shard(s.ranks)
		b.fail(err)
		shape := kvalloc.ShapeOf(&rank, element)
		unused := func(group float64) float64 { return float64(shape.Buffers) * group / 2 }
		b.add(Row{ID: "V4", What: "vAttention: " + s.model + ", unused of 2 MiB groups beside 64 KiB, MB a request", Published: s.waste,
			Ours: (unused(kvalloc.LargeGroup) - unused(64<<10)) / 1e6, Tolerance: 0.05, Source: source + ", derived"})
		// Package kvalloc's README tells how both constants were fitted to these six.
		const meanTokens, profiled = 3500, 131072
		memory := kvalloc.Memory{Bytes: 81251 << 20, Utilisation: 0.9, Profiled: profiled} // of the A100, as configs/systems/a100_80gb_sxm.toml has it
		left, err := memory.For(&rank)
		b.fail(err)
		for _, g := range []struct {
			name  string
			group float64
			batch float64
		}{{"64 KiB", 64 << 10, s.small}, {"2 MiB", kvalloc.LargeGroup, s.large}} {
			b.add(Row{ID: "V4", What: "vAttention: " + s.model + ", requests at once, " + g.name, Published: g.batch,
				Ours: float64(left) / (float64(shape.Bytes(meanTokens)) + unused(g.group)), Tolerance: 0.05, Source: source + ", figure 15; two constants fitted to the six"})
		}
	}
	rank, err := b.model("yi-34b").Shard(2)
	b.fail(err)
	large := kvalloc.Virtual{}.WithDefaults()
	b.add(Row{ID: "V4", What: "vAttention: yi-34b, mapping a group in every buffer, ms", Published: 5, Ours: float64(kvalloc.ShapeOf(&rank, element).Buffers) * large.MapUs / 1e3, Tolerance: 0.05,
		Source: source + ", section 6.1"})
}

// instInfer is V5: what the drive holds and reads, OPT-13B, a batch of 64.
func instInfer(b *book) {
	const source = "arXiv 2409.04992 (HPCA 2025)"
	const batch = 64
	m, p := b.model("opt-13b"), b.policy("42_instinfer")
	cache := func(tokens int) float64 { return batch * m.held(&kv.Policy{}, kv.Context{Prompt: tokens}, all) }
	b.add(Row{ID: "V5", What: "InstInfer: a layer's cache after a prefill of 1024, GB", Published: 1.34, Ours: cache(1024) / float64(m.Shape.Layers) / 1e9, Tolerance: 0.01,
		Source: source + ", table III, which is of a layer (T5)"})
	b.add(Row{ID: "V5", What: "InstInfer: cache read in a step after 1536, GB", Published: 80.5, Ours: cache(1536) / 1e9, Tolerance: 0.01, Source: source + ", derived"})
	c := kv.Context{Prompt: 1536}
	b.add(Row{ID: "V5", What: "InstInfer: cache in the drive, times a dense one", Published: 1.5, Ours: 1 / m.less(p, c), Tolerance: 0.01, Source: source + ", keys twice"})
	share := func(p *kv.Policy) float64 {
		l, dense := p.Layer(m.Shape, c, &kv.Engine{}, 0), (&kv.Policy{}).Layer(m.Shape, c, &kv.Engine{}, 0)
		of := func(f *kv.Flow) bool { return f.Object != "partial results" }
		read, _ := l.Sum(of)
		full, _ := dense.Sum(of)
		return read / full
	}
	b.add(Row{ID: "V5", What: "SparF: read of a dense cache, if not by page", Published: 0.19, Ours: share(b.policy("42_instinfer", "select.attend.pages=0")), Tolerance: 0.02, Source: source + ", derived"})
	b.add(Row{ID: "V5", What: "SparF: bytes less than dense, times", Published: 2.08, Ours: 1 / share(p), Tolerance: 0.15, Source: source + ", its rate at batch 256; bytes in the drive alone here"})
}

// longContext is V8: the four metrics of one user with 50 K tokens.
func longContext(b *book) {
	const source = "arXiv 2405.08944, by a summary"
	const params, flops, hbm, link = 34e9, 312e12, 2e12, 20e9 // the paper's round figures; its link is not known, 20 GB/s assumed
	const short, answer = 4096, 250
	long := b.workload("51_long_context").Context
	m, p := b.model("yi-34b"), b.policy("00_full")
	prefill := func(tokens float64) float64 { return 2 * params * tokens / flops }
	b.add(Row{ID: "V8", What: "Yi-34B: prefill of 4 K, s", Published: 0.893, Ours: prefill(short), Tolerance: 0.02, Source: source})
	// The mean query of a causal prefill sees half of the prompt.
	attention := p.Layer(m.Shape, kv.Context{Prompt: long / 2}, &kv.Engine{}, 0).FLOPs[kv.AttendS] * float64(long) * float64(m.Shape.Layers)
	b.add(Row{ID: "V8", What: "Yi-34B: prefill of 50 K, a product and sum counted once, s", Published: 14.1, Ours: prefill(float64(long)) + attention/2/flops, Tolerance: 0.02, Source: source})
	b.add(Row{ID: "V8", What: "Yi-34B: prefill of 50 K, both counted, s", Published: 14.1, Ours: prefill(float64(long)) + attention/flops, Source: source,
		Missing: "the paper's form of attention's FLOP was not found; its time is that of L² D a layer"})
	cache := func(tokens int) float64 { return m.held(p, kv.Context{Prompt: tokens}, all) }
	weights := float64(element * params)
	b.add(Row{ID: "V8", What: "Yi-34B: 250 tokens after 4 K, s", Published: 8.5, Ours: answer * weights / hbm, Tolerance: 0.02, Source: source + ", weights alone"})
	b.add(Row{ID: "V8", What: "Yi-34B: 250 tokens after 50 K, 11 GB of cache, s", Published: 9.88, Ours: answer * (weights + cache(long)) / hbm, Tolerance: 0.02, Source: source + ", derived"})
	b.add(Row{ID: "V8", What: "Yi-34B: 250 tokens after 50 K, s", Published: 9.8, Ours: answer * (weights + cache(long)) / hbm, Tolerance: 0.02, Source: source,
		Missing: "nothing: the cache of 50 K is 12.3 GB, and 9.8 takes the 11 of 11.4 GiB for GB"})
	for _, s := range []struct {
		what   string
		tokens int
		gib    float64
	}{{"50 K", long, 11.4}, {"4 K", short, 0.92}, {"100 K", 2 * long, 22.9}} {
		b.add(Row{ID: "V8", What: "Yi-34B: cache of " + s.what + ", GiB", Published: s.gib, Ours: cache(s.tokens) / (1 << 30), Tolerance: 0.02, Source: source})
	}
	b.add(Row{ID: "V8", What: "Yi-34B: switch of 50 K one way at 20 GB/s, s", Published: 0.61, Ours: cache(long) / link, Tolerance: 0.02, Source: source + ", derived"})
	b.add(Row{ID: "V8", What: "Yi-34B: users at once of 4 K in 80 GB", Published: 20, Ours: math.Floor((80e9 - weights) / cache(short)), Source: source,
		Missing: "20 does not follow from weights of 16 bits on one GPU"})
}

// snapKV is V9: LWM-7B, of Llama-2-7B's shape, after 16 K tokens, a batch of
// two, 512 tokens generated and half of them there in the mean.
func snapKV(b *book) {
	const source = "arXiv 2404.14469"
	m, full, cut := b.model("llama2-7b"), b.policy("00_full"), b.policy("48_snapkv", "select.best.tokens=2016")
	c := kv.Context{Prompt: 16 << 10, Generated: 256}
	plain, eager := b.engine("vllm"), b.engine("hf_eager")
	ratio := func(e *kv.Engine) float64 { return m.step(full, c, e, 2) / m.step(cut, c, e, 2) }
	b.add(Row{ID: "V9", What: "SnapKV: step after 16 K, bytes, times", Published: 1.96, Ours: ratio(plain), Tolerance: 0.02, Source: source + ", derived"})
	b.add(Row{ID: "V9", What: "SnapKV: the same under HuggingFace, times", Published: 3.26, Ours: ratio(eager), Tolerance: 0.02, Source: source + ", derived"})
	b.add(Row{ID: "V9", What: "SnapKV: rate at 16 K, times", Published: 3.6, Ours: ratio(eager), Tolerance: 0.2, Source: source + ", abstract; bytes alone here"})
}

// packs is V10: bytes of encodings, and of what is kept instead of keys and
// values.
func packs(b *book) {
	llama, mistral := b.model("llama2-7b"), b.model("mistral-7b")
	kivi := func(sets ...string) *kv.Policy { return b.policy("43_kivi", sets...) }
	c := kv.Context{Prompt: 161, Generated: 338}
	dense := llama.held(&kv.Policy{}, c, all)
	const source = "arXiv 2402.02750, section 4.2.4, derived"
	b.add(Row{ID: "V10", What: "KIVI: 16 bits, 499 tokens, MB", Published: 261.6, Ours: dense / 1e6, Tolerance: 0.03, Source: source})
	for _, s := range []struct {
		what      string
		policy    *kv.Policy
		mb, times float64
	}{
		{"R = 32", kivi(), 59.3, 4.4},
		{"R = 128", kivi("encode.window=128"), 89.9, 2.9},
		{"R = 128, all of the keys' waiting", kivi("encode.window=128", "encode.key_blocks=false"), 0, 2.6},
	} {
		held := llama.held(s.policy, c, all)
		if s.mb > 0 {
			b.add(Row{ID: "V10", What: "KIVI: " + s.what + ", MB", Published: s.mb, Ours: held / 1e6, Tolerance: 0.03, Source: source})
		}
		b.add(Row{ID: "V10", What: "KIVI: " + s.what + ", times less", Published: s.times, Ours: dense / held, Tolerance: 0.03, Source: source})
	}
	prompt := kv.Context{Prompt: 1000} // of GSM8k's order; the length is not given
	b.add(Row{ID: "V10", What: "ZipCache: cache of a prompt, times less", Published: 4.98, Ours: mistral.less(b.policy("33_zipcache"), prompt), Tolerance: 0.03, Source: "arXiv 2405.14256, abstract"})
	at := kv.Context{Prompt: 4096}
	x := b.policy("03_xquant")
	b.add(Row{ID: "V10", What: "XQuant: in 16 bits, times less", Published: 2, Ours: llama.less(b.policy("03_xquant", "encode.keys.bits=0", "encode.keys.group=0", "encode.keys.param_bytes=0"), at), Tolerance: 0.03, Source: "arXiv 2508.10395, abstract"})
	b.add(Row{ID: "V10", What: "XQuant: encoded, times less", Published: 7.7, Ours: llama.less(x, at), Tolerance: 0.03, Source: "arXiv 2508.10395, abstract; the preset's bits are deduced from it"})
	rebuilt := x.Layer(llama.Shape, at, &kv.Engine{}, 0).FLOPs[kv.Rebuild] * float64(llama.Shape.Layers)
	b.add(Row{ID: "T4", What: "XQuant: keys and values computed for a token after 4 K, TFLOP", Published: 8.8, Ours: rebuilt / 1e12, Tolerance: 0.01, Source: "arXiv 2508.10395, derived"})
	b.add(Row{ID: "V10", What: "Accurate Block Quantization, times less", Published: 2, Ours: llama.less(b.policy("19_block_quantization"), at), Tolerance: 0.03, Source: "abstract; the preset's bits are chosen for it"})
	saved := func(p *kv.Policy) float64 { return 100 * (1 - 1/llama.less(p, at)) }
	b.add(Row{ID: "V10", What: "CSKV: saved, %", Published: 80, Ours: saved(b.policy("47_cskv")), Tolerance: 0.03, Source: "CSKV, abstract"})
	b.add(Row{ID: "V10", What: "CSKV: saved with 4 bits, %", Published: 95, Ours: saved(b.policy("47_cskv", "encode.keys.bits=4", "encode.values.bits=4")), Tolerance: 0.03, Source: "CSKV, abstract"})
	b.add(Row{ID: "15", What: "Locret: weights of its heads beside Llama-3.1-8B's, %", Published: 2.5, Ours: locretWeights(b), Tolerance: 0.03, Source: "arXiv 2410.01805, by notes"})
	miniCache(b, llama, at)
}

// locretWeights returns the weights of its scoring heads as a percentage of the
// model's.
func locretWeights(b *book) float64 {
	m := b.model("llama3.1-8b")
	heads := m.held(b.policy("15_locret"), kv.Context{Prompt: 1}, func(h *kv.Held) bool { return h.Common })
	return 100 * heads / float64(m.WeightBytes(element))
}

// miniCache adds MiniCache's ratios.
func miniCache(b *book, m *subject, c kv.Context) {
	const source = "arXiv 2405.14366, abstract"
	b.add(Row{ID: "V10", What: "MiniCache: in 4 bits, times less", Published: 5.02, Ours: m.less(b.policy("32_minicache"), c), Tolerance: 0.03, Source: source,
		Missing: "5.02 is 16 / (0.75 x 4.25): half of the layers in pairs, without magnitudes and without tokens kept apart, which the preset has"})
	unpacked := b.policy("32_minicache", "encode.keys.bits=0", "encode.values.bits=0")
	b.add(Row{ID: "V10", What: "MiniCache: in 16 bits, times less", Published: 1.53, Ours: m.less(unpacked, c), Tolerance: 0.03, Source: source,
		Missing: "pairs from half of the depth on give 4/3 at most; 1.53 needs pairs from a third of it on"})
}

// cake is V11: one sequence of 128 K tokens, budget 1024, Llama-3.1-8B.
func cake(b *book) {
	const source = "arXiv 2503.12491"
	m, full, cut := b.model("llama3.1-8b"), b.policy("00_full"), b.policy("09_cake")
	c := kv.Context{Prompt: 128 << 10}
	ratio := func(e *kv.Engine) float64 { return m.step(full, c, e, 1) / m.step(cut, c, e, 1) }
	eager := b.engine("hf_eager")
	joined := *eager
	joined.RepeatsHeads = false
	b.add(Row{ID: "V11", What: "CAKE: step after 128 K, bytes, times", Published: 2.105, Ours: ratio(b.engine("vllm")), Tolerance: 0.055 / 2.105, Source: source + ", derived: 2.05 to 2.16"})
	b.add(Row{ID: "V11", What: "CAKE: the same, the cache joined anew, times", Published: 4.25, Ours: ratio(&joined), Tolerance: 0.15 / 4.25, Source: source + ", derived: 4.1 to 4.4"})
	b.add(Row{ID: "V11", What: "CAKE: the same under HuggingFace, times", Published: 12.2, Ours: ratio(eager), Tolerance: 0.5 / 12.2, Source: source + ", derived: 11.7 to 12.7"})
	b.add(Row{ID: "V11", What: "CAKE: latency at 128 K, times", Published: 10, Ours: ratio(eager), Tolerance: 0.25, AtLeast: true, Source: source + ", abstract; bytes alone here"})
}
