package validation

import (
	"slices"
	"strings"
)

// compileKernels compares the time of each class of kernels in a decode step.
// Rows of one step follow each other.
func compileKernels(t *table) {
	for first := 0; first < len(t.rows); {
		end := first + 1
		for end < len(t.rows) && t.rows[first].sameStep(t.rows[end]) {
			end++
		}
		rows := t.rows[first:end]
		for i, class := range classify(rows) {
			if class == "" {
				t.omit(rows[i], "", "a kernel of no known class: "+rows[i].text("kernel"))
				continue
			}
			r := rows[i]
			t.time(r, bucket(class), r.step(), class, r.positive("us_total")*1e3, r.repeated("us_total_repeat")*1e3)
		}
		first = end
	}
}

func (r row) sameStep(o row) bool {
	return !slices.ContainsFunc([]string{"model", "batch", "context"}, func(c string) bool { return r.text(c) != o.text(c) })
}

// named gives the class of kernels that their names identify.
var named = []struct{ part, class string }{
	{"_fdr", "attention_reduce"}, {"_fd", "attention"}, {"_rms", "norm"}, {"_rope_append", "rope"}, {"_silu", "activation"},
	{"vectorized_elementwise", "activation"}, {"splitKreduce", "splitk_reduce"}, {"Memcpy DtoD", "copy"},
}

// classify names one step's kernels, "" those it does not know. cuBLAS
// products are told apart by what they must be: the one called once is the
// head; of those with split K the longest is down and another o; of the rest
// the longest is up, then qkv, o.
func classify(rows []row) []string {
	out := make([]string, len(rows))
	split, whole := []string{"down", "o"}, []string{"up", "qkv", "o"} // rows come in order of falling time
	next := func(classes *[]string) (class string) {
		if len(*classes) > 0 {
			class, *classes = (*classes)[0], (*classes)[1:]
		}
		return class
	}
	for i, r := range rows {
		switch name := r.text("kernel"); {
		case strings.HasPrefix(name, "nvjet") && r.text("calls") == "1":
			out[i] = "lm_head"
		case strings.HasPrefix(name, "nvjet") && strings.Contains(name, "splitK"):
			out[i] = next(&split)
		case strings.HasPrefix(name, "nvjet"):
			out[i] = next(&whole)
		default:
			if n := slices.IndexFunc(named, func(c struct{ part, class string }) bool { return strings.Contains(name, c.part) }); n >= 0 {
				out[i] = named[n].class
			}
		}
	}
	return out
}
