//go:build slow

package workloads

import "testing"

var slowCases = []leapingCase{
	{"paged", with(oneWave, paged, "workload.context=32768"), ""},
	{"three tiers", with(oneWave, thirds, paged, prefetch, "workload.context=32768"), ""},
	{"six sequences", with(oneWave, "workload.batch=6", "workload.context=16384"), ""},
	{"weights from ddr", with(oneWave, "workload.context=32768", "model.hidden=1024", "model.ffn=4096", "weights.split.hbm=0.5", "weights.split.ddr=0.5", "weights.access=prefetch"), ""},
	{"crowded tail", with("workload.batch=4", "workload.context=16384"), "which SM takes a last CTA is decided by the last nanosecond; exact itself jumps by 3.6 % when a launch takes 1 ns more"},
}

func TestSampledIsWithinItsBoundOfExactInMoreCases(t *testing.T) { requireWithinBound(t, slowCases) }
