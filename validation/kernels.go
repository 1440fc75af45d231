package validation

import (
	"slices"
	"strings"
)

// Kernel is the measured time of one class of kernels in one decode step.
type Kernel struct {
	Model          string
	Batch, Context int
	Class          string // as the simulator names it
	Ns, RepeatNs   float64
}

// Kernels returns the measured kernel times, by class.
func Kernels() ([]Kernel, error) {
	rows, err := table("h200/decode_kernels.csv")
	if err != nil {
		return nil, err
	}
	var out []Kernel
	for first := 0; first < len(rows); {
		end := first + 1
		for end < len(rows) && sameStep(rows[first], rows[end]) {
			end++
		}
		classes := classify(rows[first:end])
		for i, r := range rows[first:end] {
			if classes[i] != "" {
				out = append(out, Kernel{Model: r["model"], Batch: int(number(r, "batch")), Context: int(number(r, "context")), Class: classes[i],
					Ns: number(r, "us_total") * 1e3, RepeatNs: number(r, "us_total_repeat") * 1e3})
			}
		}
		first = end
	}
	return out, nil
}

func sameStep(a, b map[string]string) bool {
	return a["model"] == b["model"] && a["batch"] == b["batch"] && a["context"] == b["context"]
}

// named gives the class of kernels that their names identify.
var named = []struct{ part, class string }{
	{"_fdr", "attention_reduce"}, {"_fd", "attention"}, {"_rms", "norm"}, {"_rope_append", "rope"}, {"_silu", "activation"},
	{"vectorized_elementwise", "activation"}, {"splitKreduce", "splitk_reduce"}, {"Memcpy DtoD", "copy"},
}

// classify names one step's kernels. cuBLAS products are told apart by what
// they must be: the one called once is the head; of those with split K the
// longest is down and another o; of the rest the longest is up, then qkv, o.
func classify(rows []map[string]string) []string {
	out := make([]string, len(rows))
	var split, whole []int
	for i, r := range rows {
		switch name := r["kernel"]; {
		case strings.HasPrefix(name, "nvjet") && r["calls"] == "1":
			out[i] = "lm_head"
		case strings.HasPrefix(name, "nvjet") && strings.Contains(name, "splitK"):
			split = append(split, i)
		case strings.HasPrefix(name, "nvjet"):
			whole = append(whole, i)
		default:
			if n := slices.IndexFunc(named, func(c struct{ part, class string }) bool { return strings.Contains(name, c.part) }); n >= 0 {
				out[i] = named[n].class
			}
		}
	}
	// rows come in order of falling time
	for n, i := range split {
		out[i] = []string{"down", "o"}[n]
	}
	for n, i := range whole {
		out[i] = []string{"up", "qkv", "o"}[n]
	}
	return out
}
