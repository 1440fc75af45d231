package validation

import (
	"context"
	"fmt"

	"hwsim/hierarchy"
)

// offload is a decode step of some layers without the head, of which every
// layer's KV cache lies in host memory in part and is copied in.
type offload struct {
	step
	layers   int
	fraction float64 // of KV in host memory
	mode     string  // prefetch or ondemand
}

// compileOffload compares the time of one layer.
func compileOffload(t *table) {
	for _, r := range t.rows {
		o := offload{r.step(), int(r.whole("layers_run", 1, 1<<10)), r.share("host_fraction"), r.word("mode", "prefetch", "ondemand")}
		b := map[string]bucket{"prefetch": offloadPrefetch, "ondemand": offloadOnDemand}[o.mode]
		if o.fraction == 0 {
			b = offloadNone
		}
		bytes := r.whole("host_bytes_per_layer", 0, maxRange)
		t.time(r, b, o, only, r.positive("us_per_layer_median")*1e3, r.repeated("us_per_layer_median_repeat")*1e3).
			moving(float64(bytes)).over(hierarchy.DDR, bytes)
	}
}

// simulate takes what follows the last layer off the step: the final norm and
// the head, here of next to no vocabulary, each with its gap.
func (o offload) simulate(ctx context.Context, m *machine) (outcome, error) {
	r, err := m.decode(ctx, "sampled", o.sets()...)
	if err != nil {
		return nil, err
	}
	ns := r.StepNs
	for _, k := range r.Kernels {
		switch k.Class {
		case "lm_head":
			ns -= k.Ns + m.system.GPU.GapNs
		case "norm":
			ns -= k.Ns/float64(k.Calls) + m.system.GPU.GapNs
		}
	}
	return outcome{only: ns / float64(o.layers)}, nil
}

func (o offload) sets() []string {
	sets := append(o.step.sets(), fmt.Sprint("model.layers=", o.layers), "model.vocab=128")
	if o.fraction > 0 {
		sets = append(sets, "kv.unit=fraction", "kv.wait_layer=true", "kv.access="+o.mode,
			fmt.Sprintf("kv.split={hbm = %.6f, ddr = %.6f}", 1-o.fraction, o.fraction))
	}
	return sets
}
