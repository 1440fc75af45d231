package validation

import "hwsim/hierarchy"

// compilePageCliff compares one batched copy of many pages to the GPU. Such
// tables do not say where the pages lie; they are taken to fill their range.
func compilePageCliff(t *table) {
	for _, r := range t.rows {
		p := pages{Method: "dma_batch", Bytes: r.whole("page_kib", 1, 1<<24) * kib, Count: int(r.whole("n_descriptors", 1, 1<<24))}
		p.Range = p.Bytes * uint64(p.Count)
		bytes := float64(p.Range)
		t.rate(r, dmaBatchElse, p, only, bytes, r.positive("throughput_gb_s"), 0).moving(bytes).over(hierarchy.DDR, p.Range)
	}
}
