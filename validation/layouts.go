package validation

import "slices"

// layout is a kind of table, recognised by the columns that it must have. The
// order of columns does not matter, and others may be among them.
type layout struct {
	name    string
	keys    []string       // columns that say what was measured
	figures []string       // columns that say how much it was
	compile func(t *table) // turns rows into comparisons; nil: not simulated yet
}

// layouts are all kinds of tables. Where one has all the columns of another,
// it comes first.
var layouts = []layout{
	{"pointer chases", []string{"test", "cache_op", "range_bytes", "nodes"}, []string{"ns_per_access"}, compileChases},
	{"transfers", []string{"test", "param", "range_bytes", "blocks", "threads"}, []string{"bytes_moved", "GBps"}, compileTransfers},
	{"loaded latency", []string{"test", "writes", "streaming_sms", "threads", "pause_cycles"}, []string{"latency_ns", "stream_GBps"}, compileLoaded},
	{"interference", []string{"test", "pair"}, []string{"a_alone_GBps", "b_alone_GBps", "a_together_GBps", "b_together_GBps"}, compileInterference},
	{"launch costs", []string{"test", "param"}, []string{"us"}, compileLaunches},
	{"decode steps", []string{"model", "batch", "context"}, []string{"weights_bytes", "kv_bytes", "us_median"}, compileSteps},
	{"kernels of decode steps", []string{"model", "batch", "context", "kernel"}, []string{"calls", "us_total"}, compileKernels},
	{"decode with offloaded KV", []string{"model", "layers_run", "batch", "context", "host_fraction", "mode"}, []string{"host_bytes_per_layer", "us_per_layer_median"}, compileOffload},
	{"batched page copies", []string{"page_kib", "n_descriptors"}, []string{"throughput_gb_s"}, compilePageCliff},
	{"bandwidth-latency curves", []string{"read_pct"}, []string{"bw_gbps", "lat_ns"}, compileMess},

	// Our own tables that wait for a model.
	{"linear layers", []string{"model", "op", "m", "n", "k", "dtype"}, []string{"us_median"}, compileLinear},
	{"decode attention", []string{"q_heads", "kv_heads", "head_dim", "batch", "context", "page_tokens", "layout", "kv_dtype", "splits"}, []string{"us_median"}, compileAttention},
	{"decode attention over remote KV", []string{"place", "q_heads", "kv_heads", "head_dim", "batch", "context", "page_tokens", "layout"}, []string{"us_median"}, compileRemoteAttention},
	{"decode attention on the host", []string{"threads", "q_heads", "kv_heads", "head_dim", "batch", "context", "dtype"}, []string{"us_median"}, compileHostAttention},
	{"prefill attention", []string{"q_heads", "kv_heads", "head_dim", "batch", "context", "causal"}, []string{"us_median"}, compilePrefill},
	{"landmark retrieval", []string{"q_heads", "kv_heads", "head_dim", "batch", "context", "chunk_tokens", "top_chunks", "v_place", "k_place"}, []string{"score_us", "topk_us", "fetch_us", "attend_us", "layer_us_graph"}, compileRetrieval},
	{"collectives", []string{"op", "gpus", "bytes"}, []string{"us_median"}, compileCollectives},
	{"launch shapes of kernels", []string{"table", "model", "op", "m", "kernel", "grid", "block"}, nil, nil},
	{"host memory", []string{"test", "threads"}, []string{"GBps_or_ns"}, nil},
	{"device properties", []string{"name", "NVIDIA H200"}, nil, nil},
	{"device properties", []string{"property", "value"}, nil, nil},

	// Tables of others, as reference/llm_kernels has them.
	{"decode attention by GPU", []string{"gpu", "q_heads", "kv_heads", "head_dim", "dtype", "batch", "kv_len"}, []string{"latency_us"}, nil},
	{"decode attention of a rank", []string{"gpu", "model", "tp", "q_heads_per_gpu", "kv_heads_per_gpu", "head_dim", "batch", "kv_len"}, []string{"latency_us"}, compileRankAttention},
	{"decode attention of unequal sequences", []string{"gpu", "model", "tp", "q_heads_per_gpu", "kv_heads_per_gpu", "head_dim", "batch", "n_big", "kv_small", "kv_big"}, []string{"t_skewed_us"}, compileSkewedAttention},
	{"decode attention of one layer", []string{"batch", "q_heads", "kv_heads", "head_dim", "kv_len"}, []string{"latency_us"}, compileLibraryAttention},
	{"decode attention of one model", []string{"batch", "kv_len"}, []string{"latency_us_median"}, compileModelAttention},
	{"latent decode attention", []string{"kernel", "kv_dtype", "q_heads", "batch", "kv_len"}, []string{"latency_us"}, compileLatentAttention},
	{"prefill attention of one layer", []string{"batch", "q_heads", "kv_heads", "seq_len"}, []string{"latency_us"}, nil},
	{"matrix products", []string{"m", "n", "k"}, []string{"latency_us"}, compileProducts},
	{"collectives by GPU", []string{"gpu", "op", "num_gpus", "message_bytes"}, []string{"latency_us"}, compileCollectivesByGPU},
	{"custom all-reduce", []string{"gpu", "backend", "num_gpus", "message_bytes"}, []string{"latency_us"}, compileCustomAllReduce},
	{"collectives by node", []string{"node_type", "op", "num_workers", "devices_per_node", "size_bytes"}, []string{"latency_us_median"}, nil},
	{"operators of a layer", []string{"gpu", "model", "tp", "num_tokens"}, []string{"attn_pre_proj_us", "mlp_up_proj_us", "mlp_down_proj_us"}, nil},
	{"operators by shape", []string{"gpu", "op", "dim_m", "dim_n", "dim_k"}, []string{"latency_us", "rate"}, nil},
	{"operators by phase", []string{"phase", "op"}, []string{"latency_us"}, nil},
	{"serving runs", []string{"system", "backend", "model", "isl", "osl", "batch_size", "tp"}, []string{"ttft_ms", "tpot_ms"}, nil},
	{"whole-model times", []string{"model", "hardware", "tp", "prompt_tokens", "batch", "output_tokens"}, []string{"prompt_time_ms", "token_time_ms"}, nil},
	{"served requests", []string{"gpu", "model", "input_tokens", "output_tokens"}, []string{"ttft_ms", "e2e_ms"}, nil},
	{"throughput with offloading", []string{"model", "hw", "prompt_tokens", "gen_tokens", "gpu_batch", "w_gpu_pct", "kv_gpu_pct"}, []string{"throughput_tok_s"}, nil},
	{"throughput of baselines", []string{"system", "OPT-6.7B_tok_s", "OPT-30B_tok_s"}, nil, nil},
	{"constants of a cost model", []string{"parameter", "value", "unit"}, nil, nil},
	{"multi-turn serving", []string{"quantity", "config", "value", "unit"}, nil, nil},
	{"question answering with offloading", []string{"num_documents"}, []string{"vllm_no_prefix_cache", "vllm_prefix_cache"}, nil},
	{"swapped pages of unrecorded size", []string{"direction", "pages", "impl"}, []string{"throughput_gb_s"}, nil},
	{"copy engine against kernel", []string{"gpu", "copy_kib", "n_descriptors"}, []string{"dma_time_over_triton_time"}, nil},
}

// recognise returns the layout of a table with these columns, or nil.
func recognise(header []string) *layout {
	for i := range layouts {
		if len(layouts[i].missing(header)) == 0 {
			return &layouts[i]
		}
	}
	return nil
}

// missing returns the layout's columns that a header lacks.
func (l *layout) missing(header []string) (columns []string) {
	for _, c := range slices.Concat(l.keys, l.figures) {
		if !slices.Contains(header, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// nearest returns the layout that an unrecognised header comes closest to and
// the columns it lacks, if it has more than it lacks.
func nearest(header []string) (near *layout, missing []string) {
	for i := range layouts {
		l := &layouts[i]
		m := l.missing(header)
		if 2*len(m) < len(l.keys)+len(l.figures) && (near == nil || len(m) < len(missing)) {
			near, missing = l, m
		}
	}
	return near, missing
}
