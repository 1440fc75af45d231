package synthetic

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"hwsim/devices/cpu"
	"hwsim/devices/tlb"
)

// tlbs are the data TLBs of Victima's evaluation, both filled on a miss.
type tlbs struct {
	first, second                              *tlb.Array[struct{}]
	accesses, instructions, misses, missesLast float64
}

func newTLBs() *tlbs {
	return &tlbs{first: tlb.NewArray[struct{}](tlb.Config{Entries: 64, Ways: 4}), second: tlb.NewArray[struct{}](tlb.Config{Entries: 1536, Ways: 12})}
}

func (t *tlbs) access(a *cpu.Access) {
	t.accesses++
	t.instructions += 1 + float64(a.Gap)
	key := tlb.Key(0, a.Addr, 12)
	if t.first.Lookup(key) {
		return
	}
	t.misses++
	t.first.Insert(key, struct{}{})
	if t.second.Lookup(key) {
		return
	}
	t.missesLast++
	t.second.Insert(key, struct{}{})
}

// run returns the share of accesses that miss the first TLB, in percent, and the
// misses of the second per 1000 instructions, of n accesses after as many.
func (t *tlbs) run(tb testing.TB, c *Config, n int) (first, second float64) {
	s := open(tb, c, 1)
	batch := make([]cpu.Access, 1000)
	for done := 0; done < 2*n; done += len(batch) {
		if done == n {
			*t = tlbs{first: t.first, second: t.second}
		}
		s.Fill(batch)
		for i := range batch {
			t.access(&batch[i])
		}
	}
	return 100 * t.misses / t.accesses, 1000 * t.missesLast / t.instructions
}

// What the defaults come to on the TLBs of Victima's evaluation, against
// champsim_tlb_synthetic.csv (C), the prototype's fit (M), the artifact's re-runs
// (R) and the closed form (F), as facts/translation.md names them. The graphs'
// and XSBench's local accesses and the gap of visits are fitted to these rows.
func TestMissesAreThePublished(t *testing.T) {
	for _, c := range []struct {
		kind          string
		first, second float64 // 0: not known
		part          float64 // band of the second
		accesses      int
		source        string
	}{
		{"stream", 100.0 / 512, 0.49, 0.01, 1000000, "C, F"},
		{"stride", 100, 250, 0.001, 200000, "C, F"},
		{"uniform", 100, 249.84, 0.001, 500000, "C"},
		{"chase", 100, 249.77, 0.002, 500000, "C"},
		{"zipf", 84, 150.76, 0.03, 1000000, "C"},
		{"gups", 50, 166.57, 0.002, 500000, "C"},
		{"visits", 15.4, 73.0, 0.02, 2000000, "M"},
		{"bfs", 15.3, 71.6, 0.03, 3000000, "R"},
		{"xsbench", 5.3, 14.7, 0.05, 2000000, "R"},
		{"pagedkv", 0, 6.2, 0.02, 1000000, "M"},
	} {
		first, second := newTLBs().run(t, &Config{Kind: c.kind}, c.accesses)
		assert.InEpsilon(t, c.second, second, c.part, c.kind)
		if c.first > 0 {
			assert.InEpsilon(t, c.first, first, 0.06, c.kind)
		}
		t.Logf("%-8s %5.1f %% %6.2f (published %5.1f, %6.2f: %s)", c.kind, first, second, c.first, c.second, c.source)
	}
}

// Pieces of 4 KiB are as rare a miss as whole blocks; heads of 256 bytes in
// tokens of 2 KiB are a page for every two pieces (M has 76.5: a page for a piece
// and a half).
func TestPagedKVMissesByPiece(t *testing.T) {
	for _, c := range []struct {
		piece  int
		layout string
		want   float64
	}{{0, "hnd", 6.2}, {4096, "hnd", 6.2}, {256, "nhd", 49.6}} {
		_, second := newTLBs().run(t, &Config{Kind: "pagedkv", PagedKV: PagedKV{PieceBytes: c.piece, Layout: c.layout}}, 500000)
		assert.InEpsilon(t, c.want, second, 0.03, "%d bytes, %s", c.piece, c.layout)
	}
}
