package validation

import (
	"context"
	"fmt"

	"hwsim/workloads/operators"
)

// collective is a collective of GPUs of one node, by the library's ring or by
// the one-shot all-reduce of serving frameworks.
type collective struct {
	operators.CollectiveOptions
	oneShot bool
}

// Bytes up to which a ring passes flags with its data, and beyond which the
// links decide.
const (
	smallMessage = 1 << 20
	largeMessage = 32 << 20
)

func messageRegime(bytes uint64) bucket {
	switch {
	case bytes <= smallMessage:
		return messagesSmall
	case bytes < largeMessage:
		return messagesMiddle
	}
	return messagesLarge
}

// compileCollectives compares our own collectives.
func compileCollectives(t *table) {
	for _, r := range t.rows {
		o := operators.CollectiveOptions{GPUs: int(r.whole("gpus", 2, 64)), Bytes: r.whole("bytes", 1, 1<<34)}
		switch op := r.word("op", "all_reduce", "all_gather", "reduce_scatter"); op {
		case "reduce_scatter":
			t.omit(r, messageRegime(o.Bytes), "reduce-scatter is not simulated")
			continue
		default:
			o.Gather = op == "all_gather"
		}
		t.message(r, o, false, "us_median")
	}
}

// compileCollectivesByGPU compares the collectives of others with those of the
// configuration's GPU, at most four of one node: from eight on the library
// takes other ways than a ring. The bytes of an all-gather are its result's.
func compileCollectivesByGPU(t *table) {
	for _, r := range t.rows {
		o := operators.CollectiveOptions{GPUs: int(r.whole("num_gpus", 2, 1024)), Bytes: r.whole("message_bytes", 1, 1<<34)}
		op := r.text("op")
		if op != "all_reduce" && op != "all_gather" || o.GPUs > fewGPUs {
			t.omit(r, messageRegime(o.Bytes), fmt.Sprintf("only all_reduce and all_gather of up to %d GPUs are simulated", fewGPUs))
			continue
		}
		if o.Gather = op == "all_gather"; o.Gather {
			o.Bytes = max(1, o.Bytes/uint64(o.GPUs))
		}
		t.message(r, o, false, "latency_us")
	}
}

const fewGPUs = 4

// compileCustomAllReduce compares the one-shot all-reduce within a graph, where
// it is taken: of two GPUs up to 8 MiB, of more up to 256 KiB.
func compileCustomAllReduce(t *table) {
	for _, r := range t.rows {
		o := operators.CollectiveOptions{GPUs: int(r.whole("num_gpus", 2, 64)), Bytes: r.whole("message_bytes", 1, 1<<34)}
		most := uint64(8 << 20)
		if o.GPUs > 2 {
			most = 256 << 10
		}
		if r.text("backend") != "vllm_graph" || o.Bytes > most {
			t.omit(r, messageRegime(o.Bytes), "not a one-shot all-reduce in a graph")
			continue
		}
		t.message(r, o, true, "latency_us")
	}
}

// message adds the comparison of a collective.
func (t *table) message(r row, o operators.CollectiveOptions, oneShot bool, column string) {
	t.time(r, messageRegime(o.Bytes), collective{o, oneShot}, only, r.positive(column)*1e3, r.repeated(column+"_repeat")*1e3)
}

func (o collective) simulate(ctx context.Context, m *machine) (outcome, error) {
	c, _, err := m.load()
	if err != nil {
		return nil, err
	}
	run := operators.Collective
	if o.oneShot {
		run = operators.OneShot
	}
	t, err := run(ctx, &c.System, &c.Kernels, o.CollectiveOptions)
	return single(t.Ns, err)
}
