package validation

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/workloads/kernels"
	"hwsim/workloads/operators"
)

// libraryAttention is a serving library's decode attention of a batch, some
// sequences of which may be longer than the others.
type libraryAttention struct {
	gpu     string // whose table it is, as its file or row names it; "": the machine's
	library string
	again   bool // over the same cache
	paged   bool // whose pages lie anywhere
	qHeads  int
	kvHeads int
	dim     int
	batch   int
	tokens  int
	longer  int // sequences
	long    int // their tokens
}

// systems are the GPUs that tables name; servers' L40S have ECC.
var systems = map[string]string{"a100": "a100_80gb_sxm", "a800": "a100_80gb_sxm", "h100": "h100_sxm", "h200": "h200_sxm", "l40s": "l40s_ecc", "rtxpro6000": "rtx_pro_6000"}

// vllm is its attention by system.
var vllm = map[string]string{"a100_80gb_sxm": "flash_attention_2", "l40s": "flash_attention_2_ada", "l40s_ecc": "flash_attention_2_ada", "rtx_pro_6000": "flash_attention_2_rtx",
	"h100_sxm": "flash_attention_3", "h200_sxm": "flash_attention_3"}

// sglang is its attention by system.
var sglang = map[string]string{"a100_80gb_sxm": "flash_attention_3_ampere"}

// gpu returns the GPU that a table's file is named after, "" if none.
func (t *table) gpu() string {
	name, _, _ := strings.Cut(path.Base(t.file), "_")
	if _, ok := systems[name]; !ok {
		return ""
	}
	return name
}

// compileLibraryAttention compares the decode attentions of one library on
// one GPU, called again and again: µs. SGLang's cache is in order.
func compileLibraryAttention(t *table) {
	library := "vllm"
	if strings.Contains(path.Base(t.file), "sglang") {
		library = "sglang"
	}
	for _, r := range t.rows {
		o := libraryAttention{gpu: t.gpu(), library: library, again: true, paged: library == "vllm",
			qHeads: int(r.whole("q_heads", 1, 1<<10)), kvHeads: int(r.whole("kv_heads", 1, 1<<10)), dim: int(r.whole("head_dim", 1, 1<<10)), batch: int(r.whole("batch", 1, 1<<16)), tokens: int(r.whole("kv_len", 1, 1<<24))}
		t.libraryTime(r, o.regime(), o, r.positive("latency_us"))
	}
}

// compileRankAttention compares a rank's decode attentions in a vLLM engine,
// over caches that lie in memory: µs. The new token is beyond kv_len.
func compileRankAttention(t *table) {
	for _, r := range t.rows {
		o := r.ranks()
		o.tokens = 1 + int(r.whole("kv_len", 1, 1<<24))
		b := libraryEqual
		if o.tokens <= shortContext {
			b = libraryShort
		}
		t.rank(r, b, o, "latency_us", 1)
	}
}

// skewedCalls are summed in the table of sequences of two lengths: its
// t_uniform_max_us is 2.9 to 3.0 times the other table's time.
const skewedCalls = 3

// compileSkewedAttention compares the same of sequences of two lengths: µs.
func compileSkewedAttention(t *table) {
	for _, r := range t.rows {
		o := r.ranks()
		o.tokens, o.long = 1+int(r.whole("kv_small", 1, 1<<24)), 1+int(r.whole("kv_big", 1, 1<<24))
		o.longer = int(r.whole("n_big", 0, 1<<16))
		t.rank(r, librarySkewed, o, "t_skewed_us", skewedCalls)
	}
}

// ranks reads the columns that both tables of ranks have.
func (r row) ranks() libraryAttention {
	return libraryAttention{gpu: strings.ToLower(r.text("gpu")), library: "vllm", qHeads: int(r.whole("q_heads_per_gpu", 1, 1<<10)),
		kvHeads: int(r.whole("kv_heads_per_gpu", 1, 1<<10)), dim: int(r.whole("head_dim", 1, 1<<10)), batch: int(r.whole("batch", 1, 1<<16))}
}

// rank compares a rank's row if its GPU is known.
func (t *table) rank(r row, b bucket, o libraryAttention, column string, calls float64) {
	if _, ok := systems[o.gpu]; !ok {
		t.omit(r, b, "a GPU that no system describes: "+r.text("gpu"))
		return
	}
	t.libraryTime(r, b, o, r.positive(column)/calls)
}

// latentAttention is a serving library's decode attention over a compressed
// cache, of equal sequences of DeepSeek-V3.
type latentAttention struct {
	gpu    string
	qHeads int
	batch  int
	tokens int
}

// latentCalls are submitted by the host at a time, and their mean told
// (ai-dynamo/aiconfigurator, collector/vllm/collect_mla.py).
const latentCalls = 6

// compileLatentAttention compares the same: µs. The table's length counts a
// token more than are attended to: 2, 4 and 8 tokens fill one, three and four
// of the four parts.
func compileLatentAttention(t *table) {
	for _, r := range t.rows {
		o := latentAttention{gpu: t.gpu(), qHeads: int(r.whole("q_heads", 1, 1<<10)), batch: int(r.whole("batch", 1, 1<<16)), tokens: int(r.whole("kv_len", 2, 1<<24)) - 1}
		us := r.positive("latency_us")
		switch kernel := r.text("kernel"); {
		case kernel != "triton_mla" || o.gpu != "a100":
			t.omit(r, "", "a kernel or GPU that no profile was validated for: "+kernel)
		case r.text("kv_dtype") != "bf16":
			t.omit(r, "", "a cache of other elements")
		default:
			options := o.options()
			t.time(r, o.regime(), o, only, us*1e3, 0).moving(float64(options.Bytes()))
		}
	}
}

// hostWork is the most tokens, of all sequences and of each 16 heads, in a
// context below longLatent, of which the GPU's time may be less than the
// host's.
const (
	hostWork   = 1 << 18
	longLatent = 1<<14 - 1
)

// regime tells rows apart by what bounds them.
func (o latentAttention) regime() bucket {
	if o.tokens < longLatent && (o.tokens+1)*o.batch*max(1, o.qHeads/16) < hostWork {
		return libraryLatentHost
	}
	return libraryLatent
}

// options describes the row to the simulation.
func (o latentAttention) options() operators.LatentAttentionOptions {
	return operators.LatentAttentionOptions{MLA: models.MLA{KVLoraRank: 512, QKNopeDim: 128, QKRopeDim: 64, VDim: 128}, QHeads: o.qHeads,
		Lengths: slices.Repeat([]int{o.tokens}, o.batch), Calls: latentCalls}
}

// simulate runs the row on the GPU that it names.
func (o latentAttention) simulate(ctx context.Context, m *machine) (outcome, error) {
	c, err := m.named(o.gpu)
	if err != nil {
		return nil, err
	}
	p, err := profiles("triton_mla")
	if err != nil {
		return nil, err
	}
	t, err := operators.LatentAttention(ctx, c, p, o.options())
	return single(t.Ns, err)
}

// compileModelAttention compares FlashInfer's decode attentions of
// Llama-2-7B: µs. The new token is beyond kv_len.
func compileModelAttention(t *table) {
	for _, r := range t.rows {
		o := libraryAttention{gpu: t.gpu(), library: "flashinfer", again: true, paged: true, qHeads: 32, kvHeads: 32, dim: 128, batch: int(r.whole("batch", 1, 1<<16)),
			tokens: 1 + int(r.whole("kv_len", 1, 1<<24))}
		t.libraryTime(r, libraryFlashInfer, o, r.positive("latency_us_median"))
	}
}

// libraryTime compares one row.
func (t *table) libraryTime(r row, b bucket, o libraryAttention, us float64) {
	batch := o.sequences()
	t.time(r, b, o, only, us*1e3, 0).moving(float64(batch.Bytes()))
}

// shortContext is the longest context of the rows that fixed times are told by.
const shortContext = 511

// regime tells rows apart by GPU and by what bounds them.
func (o libraryAttention) regime() bucket {
	switch {
	case o.tokens <= shortContext:
		return libraryShort
	case o.library == "sglang":
		return librarySGLang
	case o.gpu == "a100" && o.qHeads == o.kvHeads:
		return libraryAmpereWhole
	case o.gpu == "a100":
		return libraryAmpere
	case o.gpu == "l40s":
		return libraryAda
	}
	return libraryHopper
}

// sequences returns the batch; the longer sequences come last.
func (o libraryAttention) sequences() kernels.Batch {
	b := kernels.Batch{QHeads: o.qHeads, KVHeads: o.kvHeads, Dim: o.dim}
	for n := range o.batch {
		if n >= o.batch-o.longer {
			b.Lengths = append(b.Lengths, o.long)
		} else {
			b.Lengths = append(b.Lengths, o.tokens)
		}
	}
	return b
}

// simulate runs the row on the GPU that it names.
func (o libraryAttention) simulate(ctx context.Context, m *machine) (outcome, error) {
	c, err := m.named(o.gpu)
	if err != nil {
		return nil, err
	}
	name := o.library
	switch name {
	case "vllm":
		name = vllm[c.Name]
	case "sglang":
		name = sglang[c.Name]
	}
	p, err := profiles(name)
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", o.library, c.Name, err)
	}
	t, err := operators.LibraryAttention(ctx, c, p.Library, operators.LibraryAttentionOptions{Batch: o.sequences(), Again: o.again, Scattered: o.paged})
	return single(t.Ns, err)
}

// named returns the system that a table calls gpu: the machine's if it is that
// one, or none is named.
func (m *machine) named(gpu string) (*hierarchy.Config, error) {
	c := m.system
	if gpu == "" || systems[gpu] == c.Name {
		return &c, nil
	}
	d, err := configs.Load("systems/"+systems[gpu], nil)
	if err != nil {
		return nil, err
	}
	c = hierarchy.Config{}
	return &c, d.Decode(&c)
}

// profiles reads a preset of kernels.
func profiles(name string) (*kernels.Profiles, error) {
	d, err := configs.Load("kernels/"+name, nil)
	if err != nil {
		return nil, err
	}
	p := &kernels.Profiles{}
	return p, d.Decode(p)
}
