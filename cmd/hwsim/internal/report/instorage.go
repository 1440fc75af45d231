package report

import (
	"fmt"
	"math"

	"hwsim/workloads/offload"
)

// attention says what attends, and how.
func attention(a *offload.InStorageRow) string {
	how := "dense attention"
	if a.Sparse > 0 {
		how = fmt.Sprintf("SparF %g", a.Sparse)
	}
	text := fmt.Sprintf("%s on %d x %s", how, a.Drives, a.Device)
	if a.GPUs > 1 {
		text += fmt.Sprintf("; layers on %d GPUs", a.GPUs)
	}
	return text
}

// inStorage says what devices that attend read, write and wear.
func inStorage(p *page, r *offload.Result, a *offload.InStorageRow) {
	p.line("decode reads %s of KV at %s GB/s, %s without the exposed engine", size(uint64(r.CacheBytes)), rate(r.CacheGBps), rate(a.AccessGBps))
	p.line("  that is %s of its time, and %s bytes for each that is wanted", percent(r.CacheShare), number(a.Amplification))
	if a.EnduranceTokens == 0 {
		p.line("a layer: prefill writes %s, decode reads %s", gigabytes(a.PrefillWriteBytes), gigabytes(a.DecodeReadBytes))
		p.line("")
		return
	}
	p.line("a layer: prefill writes %s, decode reads %s and writes %s", gigabytes(a.PrefillWriteBytes), gigabytes(a.DecodeReadBytes), gigabytes(a.DecodeWriteBytes))
	p.line("%s bytes are programmed for each of keys and values", number(a.WriteAmplification))
	p.line("a drive's DRAM gathers %s, at most %s; the real one has %s", size(uint64(a.GatheredBytes)), size(uint64(a.GatheredMostBytes)), size(uint64(a.DRAMBytes)))
	endurance := fmt.Sprintf("endurance %s tokens, with second copies %s", count(uint64(a.EnduranceTokens)), count(uint64(a.EnduranceCopiedTokens)))
	if a.EnduranceYears > 0 {
		endurance += fmt.Sprintf(", by whole blocks %s: %s years of this", count(uint64(a.EnduranceErasedTokens)), number(a.EnduranceYears))
	}
	p.line("%s", endurance)
	p.line("")
}

// gigabytes writes bytes as papers do, by thousands.
func gigabytes(bytes float64) string { return number(bytes/1e9) + " GB" }

// howFar says what was simulated.
func howFar(a *offload.InStorageRow) string {
	if a == nil {
		return "exact: all steps scheduled"
	}
	return fmt.Sprintf("sampled: ± %s by steps, ± %s by heads", percent(math.Abs(a.StepsError)), percent(a.SampledError))
}
