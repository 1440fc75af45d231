package flexgen

import (
	"fmt"
	"math"
	"strings"

	"hwsim/devices/csd"
)

// Published is a published figure beside ours.
type Published struct {
	ID        string // short and lasting
	What      string
	Published float64
	Ours      float64
	Tolerance float64 // how far ours may be off, in the figure's own unit
	Unit      string  // "" of ratios
	Source    string
}

// Holds reports whether ours is within the tolerance.
func (p *Published) Holds() bool { return math.Abs(p.Ours-p.Published) <= p.Tolerance }

// Off returns ours against the published figure: points of a percentage, percent
// of another.
func (p *Published) Off() string {
	if p.Unit == "%" {
		return fmt.Sprintf("%+.1f points", p.Ours-p.Published)
	}
	return fmt.Sprintf("%+.1f %%", 100*(p.Ours/p.Published-1))
}

// PublishedTable writes rows as a table of Markdown.
func PublishedTable(rows []Published) string {
	var b strings.Builder
	b.WriteString("| | published | here | |\n| --- | --- | --- | --- |\n")
	for _, p := range rows {
		verdict := p.Off()
		if !p.Holds() {
			verdict += ", short"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.What, p.figure("%g", p.Published), p.figure("%.4g", p.Ours), verdict)
	}
	return b.String()
}

func (p *Published) figure(format string, v float64) string {
	return strings.TrimSpace(fmt.Sprintf(format+" %s", v, p.Unit))
}

const (
	hpca     = "InstInfer, HPCA 2025, text"
	tableIII = "InstInfer, HPCA 2025, table III"
)

// Tolerances of ratios and of bytes, parts; of shares, points.
const (
	ofRatio = 0.15
	ofBytes = 0.02
	ofShare = 5
)

// InstInfersFigures returns what InstInfer's paper says of OPT-13B with 1024 + 1024
// tokens beside what comes out here. Its decode read is what csd/instinfer's mean
// run is fitted to.
func InstInfersFigures() ([]Published, error) {
	t, err := newInstInfers("opt-13b", Job{Prompt: 1024, Output: 1024})
	if err != nil {
		return nil, err
	}
	insta := func(sequences, drives int) float64 { return t.attend(sequences, drives, false).TokensPerSecond }
	sparF := func(sequences, drives int) float64 { return t.attend(sequences, drives, true).TokensPerSecond }
	flex := func(sequences int, sparse float64) float64 { return t.flexGen(sequences, sparse).TokensPerSecond }

	t.ratio("insta-flexgen-64", "InstA / FlexGen, batch 64", 6.85, insta(64, 1)/flex(64, 0))
	t.ratio("sparf-flexgen", "SparF / FlexGen, best of each", 11.1, sparF(256, 1)/max(flex(32, 0), flex(64, 0)))
	t.ratio("insta-flexgen-2", "InstA (256, 2 drives) / FlexGen (32)", 10.5, insta(256, 2)/flex(32, 0))
	t.ratio("sparf-sparq-2", "SparF (256, 2 drives) / FlexGen-SparQ (32)", 3.11, sparF(256, 2)/flex(32, eighth))
	t.ratio("sparf-insta-256", "SparF / InstA, batch 256", 2.08, sparF(256, 1)/insta(256, 1))
	t.ratio("insta-20", "20 drives / 1, batch 256, dense", 8.99, insta(256, 20)/insta(256, 1))
	t.ratio("sparf-20", "20 drives / 1, batch 256, sparse", 7.29, sparF(256, 20)/sparF(256, 1))
	t.ratio("insta-recompute", "InstA / recompute, batch 256", 1.713, insta(256, 1)/t.recompute(256))
	t.ratio("insta-deepspeed", "InstA's best / DeepSpeed's (16)", 1.046, insta(256, 1)/t.zero(16))
	t.ratio("deepspeed-swap", "DeepSpeed, batch 16 / 32", 32.6, t.zero(16)/t.zero(32))

	t.share("share-flexgen", "FlexGen, dense", 98.9, t.flexGen(64, 0).cacheShare())
	t.share("share-sparq", "FlexGen, sparse", 92.4, t.flexGen(64, eighth).cacheShare())
	for _, drives := range []struct {
		n             int
		dense, sparse float64
	}{{1, 80.7, 82.3}, {2, 76.4, 74.0}} {
		name := [...]string{1: "1 drive", 2: "2 drives"}[drives.n]
		t.share(fmt.Sprintf("share-insta-%d", drives.n), name+", dense", drives.dense, t.access(drives.n, false))
		t.share(fmt.Sprintf("share-sparf-%d", drives.n), name+", sparse", drives.sparse, t.access(drives.n, true))
	}

	layer := t.attend(64, 1, true)
	t.bytes("prefill-write", "prefill write", 1.34, layer.Prefill.Bytes)
	t.bytes("decode-read", "decode read, sparse (fitted)", 1085.65, layer.Decode.Layer.Bytes())
	t.bytes("decode-write", "decode write, with the second copy", 1.93, layer.Written+layer.Copied)

	four := t.attend(64, 4, true)
	t.add(Published{"endurance-4", "tokens of 4 drives, each byte written once", 32.263877, four.Stored.Lifetime.Once / 1e9, 0.02 * 32.263877, "G", hpca})
	return t.rows, t.err
}

// eighth is the share of the cache that InstInfer's sparse runs read.
const eighth = 1.0 / 8

// cacheShare returns the share of the cache's loads in decode, percent.
func (r *Result) cacheShare() float64 {
	return 100 * r.Decode.Kinds[LoadCache].Seconds() / r.Decode.Time.Seconds()
}

// instInfers runs InstInfer's systems on its machine, each policy once, and
// collects rows. Its first error stays.
type instInfers struct {
	machine  *Machine
	drive    *csd.Config
	shape    Shape
	job      Job
	precise  float64 // each simulated step
	uncached bool    // FlexGen's files
	attended map[InStorage]InStorageResult
	rows     []Published
	err      error
}

func newInstInfers(model string, j Job) (*instInfers, error) {
	t := &instInfers{job: j, precise: 0.01, attended: map[InStorage]InStorageResult{}}
	var err error
	if t.machine, err = LoadMachine("a6000", nil); err != nil {
		return nil, err
	}
	if t.drive, err = LoadDrive("instinfer", nil); err != nil {
		return nil, err
	}
	t.shape, err = ShapeOf(model)
	return t, err
}

// attend runs InstA, or SparF.
func (t *instInfers) attend(sequences, drives int, sparse bool) InStorageResult {
	p := InStorage{Sequences: sequences, Drives: drives, Sparse: sparse, Precision: t.precise}
	if r, ok := t.attended[p]; ok {
		return r
	}
	r, err := RunInStorage(t.machine, t.drive, t.shape, t.job, &p)
	t.keep(err)
	t.attended[p] = r
	return r
}

// access returns the share of flash access in decode at batch 64, percent.
func (t *instInfers) access(drives int, sparse bool) float64 {
	r := t.attend(64, drives, sparse)
	return 100 * r.Decode.Access.Seconds() / r.Decode.Time.Seconds()
}

// flexGen runs FlexGen with its cache on the drive, or FlexGen-SparQ.
func (t *instInfers) flexGen(sequences int, sparse float64) *Result {
	p := Policy{Batch: sequences, Batches: 1, GPUAttention: true, Weights: Shares{GPU: 100}, Hidden: Shares{GPU: 100}, Sparse: sparse, Uncached: t.uncached}
	need := Needs(t.machine, t.shape, t.job, &p)
	t.keep(need.Fit())
	r := Run(t.machine, t.shape, t.job, &p)
	return &r
}

// zero returns the tokens a second of ZeRO-Inference with its cache in host memory.
func (t *instInfers) zero(sequences int) float64 {
	r, _, err := ZeROCacheOffload(t.machine, t.shape, t.job, sequences, false)
	t.keep(err)
	return r.TokensPerSecond
}

func (t *instInfers) recompute(sequences int) float64 {
	r, _, err := Recompute(t.machine, t.shape, t.job, sequences)
	t.keep(err)
	return r.TokensPerSecond
}

func (t *instInfers) keep(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *instInfers) add(p Published) { t.rows = append(t.rows, p) }

func (t *instInfers) ratio(id, what string, published, ours float64) {
	t.add(Published{id, what, published, ours, ofRatio * published, "", hpca})
}

func (t *instInfers) share(id, of string, published, ours float64) {
	t.add(Published{id, "share of cache access in decode, batch 64: " + of, published, ours, ofShare, "%", hpca})
}

func (t *instInfers) bytes(id, what string, published, ours float64) {
	t.add(Published{id, "a layer's bytes, batch 64: " + what, published, ours / 1e9, ofBytes * published, "GB", tableIII})
}
