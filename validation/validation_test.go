package validation

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shipped returns the tables that ship with the package.
func shipped(t *testing.T) []*table {
	t.Helper()
	data, err := fs.Sub(embedded, "h200")
	require.NoError(t, err)
	tables, err := readAll(data)
	require.NoError(t, err)
	return tables
}

func read(t *testing.T, text string) *table {
	t.Helper()
	tab, err := readTable("t.csv", strings.NewReader(text))
	require.NoError(t, err)
	return tab
}

func TestShippedTablesAreRecognised(t *testing.T) {
	comparisons := map[string]int{"attn_decode.csv": 137, "attn_remote.csv": 50, "retrieve.csv": 24 * 5, "bandwidth.csv": 85, "decode_kernels.csv": 72, "decode_offload.csv": 33, "decode_step.csv": 21, "gather.csv": 41,
		"interfere.csv": 4 * 8, "latency.csv": 104, "launch.csv": 9, "linear.csv": 144, "links.csv": 108, "pages.csv": 45, "span.csv": 134}
	files := 0
	for _, tab := range shipped(t) {
		files++
		require.NotNil(t, tab.layout, tab.file)
		if want, ok := comparisons[tab.file]; ok {
			require.Len(t, tab.comparisons, want, tab.file)
		}
		require.Equal(t, tab.layout.compile != nil, len(tab.comparisons) > 0, tab.file)
	}
	require.Equal(t, 22, files)
}

func TestReferenceTablesAreRecognised(t *testing.T) {
	for _, folder := range []string{"h200", "llm_kernels"} {
		data := os.DirFS("../../shared/reference/" + folder)
		if _, err := fs.Stat(data, "."); err != nil {
			t.Skip(err)
		}
		tables, err := readAll(data)
		require.NoError(t, err)
		for _, tab := range tables {
			require.NotNil(t, tab.layout, tab.file)
			require.NotEmpty(t, tab.rows, tab.file)
		}
	}
}

func TestLayoutsDoNotHideEachOther(t *testing.T) {
	for i := range layouts {
		header := append(append([]string{"more"}, layouts[i].figures...), layouts[i].keys...)
		require.Equal(t, layouts[i].name, recognise(header).name)
	}
}

func TestEveryRegimeIsListedOnce(t *testing.T) {
	listed := map[bucket]bool{}
	for _, b := range bounds {
		require.False(t, listed[b.bucket], b.bucket)
		listed[b.bucket] = true
	}
	for _, tab := range shipped(t) {
		for _, c := range tab.comparisons {
			require.True(t, listed[c.bucket], "%s:%d %s", c.t.file, c.line, c.bucket)
		}
	}
}

func TestRowsBecomeTasks(t *testing.T) {
	for _, test := range []struct {
		text string
		want comparison
	}{
		{"test,cache_op,range_bytes,nodes,ns_per_access\nchase_random,ca,4096,32,20\n",
			comparison{bucket: chaseL1, task: chase{Range: 4096, Nodes: 32, L1: true}, measured: 20, moved: -1}},
		{"nodes,ns_per_access,test,cache_op,range_bytes\n8,150,chase_pages_64KiB,cg,524288\n",
			comparison{bucket: chasePages, task: chase{Range: 524288, Nodes: 8, Stride: 65536}, measured: 150, moved: -1}},
		{"test,cache_op,range_bytes,nodes,ns_per_access\nchase_peer,cg,1048576,8192,860\n",
			comparison{bucket: chasePeer, task: chase{Tier: 3, Range: 1 << 20, Nodes: 8192}, measured: 860, moved: -1}},
		{transferColumns + "mix,w2of4,8589934592,528,512,8000,1,4000,5000\n",
			comparison{bucket: mixes, task: stream{Range: 8 << 30, Blocks: 528, Threads: 512, WritesOf4: 2}, unit: 8000, measured: 2, repeat: 1.6, moved: 8000}},
		{transferColumns + "strided_512B,4096,34359738368,528,512,8000,1,4000,\n",
			comparison{bucket: strided, task: gather{Chunk: 512, Range: 32 << 30, Blocks: 528, Threads: 512, Strided: 4096}, unit: 8000, measured: 2, moved: 8000}},
		{transferColumns + "host_span,128,1073741824,528,512,800,1,8,\n",
			comparison{bucket: hostAt, task: gather{Tier: 1, Chunk: 128, Range: 1 << 30, Blocks: 528, Threads: 512}, unit: 800, measured: 100, moved: 800}},
		{transferColumns + "memcpy_h2d_sync,4096,4096,1,0,4096,1,4.096,\n",
			comparison{bucket: copySync, task: copies{Kind: "h2d", Bytes: 4096, Count: 1, Sync: true}, unit: 4096, measured: 1000, moved: 4096}},
		{transferColumns + "pages_sm_kernel,2048,8589934592,8,512,16777216,1,16.777216,\n",
			comparison{bucket: kernelSmall, task: pages{Method: "sm_kernel", Bytes: 2048, Range: 8 << 30, Count: 8192, Blocks: 8, Threads: 512}, unit: 16777216,
				measured: 1e6, moved: 16777216}},
		{"test,param,us\ngraph_node,132 blocks,1.5\n",
			comparison{bucket: graphNodes, task: launch{"graph_node", "132 blocks"}, measured: 1500, moved: -1}},
		{"model,layers_run,batch,context,host_fraction,mode,host_bytes_per_layer,us_per_layer_median\nm,8,2,64,0.5,ondemand,100,3\n",
			comparison{bucket: offloadOnDemand, task: offload{step{"m", 2, 64}, 8, 0.5, "ondemand"}, measured: 3000, moved: 100}},
	} {
		tab := read(t, test.text)
		require.Len(t, tab.comparisons, 1, test.text)
		got := *tab.comparisons[0]
		got.row, got.route, got.figure = row{}, nil, ""
		require.InEpsilon(t, test.want.measured, got.measured, 1e-12)
		got.measured = test.want.measured
		require.Equal(t, test.want, got, test.text)
	}
}

const transferColumns = "test,param,range_bytes,blocks,threads,bytes_moved,ms,GBps,GBps_repeat\n"

func TestLoadedCurveIsCutAtItsSaturation(t *testing.T) {
	tab := read(t, "test,writes,streaming_sms,threads,pause_cycles,latency_ns,stream_GBps\n"+
		"loaded_latency,w0of4,0,1024,0,350,0\n"+
		"loaded_latency,w0of4,131,1024,900,400,900\n"+
		"loaded_latency,w0of4,131,1024,100,600,950\n"+
		"loaded_latency,w0of4,131,1024,0,900,1000\n"+
		"loaded_latency,w1of4,131,1024,0,800,800\n"+
		"loaded_latency,w0of4,33,1024,0,450,500\n")
	var got []bucket
	for _, c := range tab.comparisons {
		got = append(got, c.bucket)
	}
	require.Equal(t, []bucket{loadedLatency, loadedLatency, loadedStream, loadedBeyond, loadedBeyond, loadedReads, loadedBeyond, loadedQuarter,
		loadedBeyond, loadedFewerSMs}, got)
}

func TestMistakesInTablesAreOneLineEach(t *testing.T) {
	for _, test := range []struct{ text, err string }{
		{"a,b,a\n", `t.csv:1: column 3: "a" a second time`},
		{"test,param,us\ngraph_nod,1,2\n",
			`t.csv:2: test: "graph_nod" is none of launch_back_to_back, launch_sync, graph_node, graph_launch_to_end (did you mean "graph_node"?)`},
		{"test,param,us\ngraph_node,1,2\n\ngraph_node,1,x\ngraph_node,1,-2\n", "t.csv:4: us: \"x\": want a number above 0\nt.csv:5: us: \"-2\": want a number above 0"},
		{"test,param,us\ngraph_node,1,NaN\n", `t.csv:2: us: "NaN": want a number above 0`},
		{"test,param,us\ngraph_node,1,1e300\n", `t.csv:2: us: "1e300": want a number above 0`},
		{"test,param,us\ngraph_node,1\n", "t.csv:2: wrong number of fields"},
		{"test,param,us\n\"graph_node,1,2\n", `t.csv:2: extraneous or missing " in quoted-field`},
		{"test,cache_op,range_bytes,nodes,ns_per_access\nchase_random,cg,1e6,8,9\n", `t.csv:2: range_bytes: "1e6": want a whole number from 128 to 17592186044416`},
		{"test,cache_op,range_bytes,nodes,ns_per_access\nchase_pages_xKiB,cg,1000,8,9\n",
			`t.csv:2: test: "chase_pages_xKiB" is none of chase_random, chase_host, chase_peer, chase_pages_<n>KiB (did you mean "chase_pages_<n>KiB"?)`},
		{"test,pair,a_alone_GBps,b_alone_GBps,a_together_GBps,b_together_GBps\ninterfere,x,1,1,1,1\n",
			`t.csv:2: pair: "x": want two users, as in hbm_read_120sm+h2d_dma`},
		{"model,layers_run,batch,context,host_fraction,mode,host_bytes_per_layer,us_per_layer_median\nm,8,2,64,1.5,ondemand,100,3\n",
			`t.csv:2: host_fraction: "1.5": want a number from 0 to 1`},
	} {
		_, err := readTable("t.csv", strings.NewReader(test.text))
		require.Error(t, err, test.text)
		require.Equal(t, test.err, err.Error())
	}
}

func TestUnrecognisedTablesAreNotRead(t *testing.T) {
	for _, text := range []string{"", "\n", "a,b\n1\n", "\ufefftest,cache_op,range_bytes,ns_per_access\nchase_random\n"} {
		require.Nil(t, read(t, text).layout)
	}
	near, missing := nearest([]string{"test", "cache_op", "range_bytes", "ns_per_access"})
	require.Equal(t, "pointer chases", near.name)
	require.Equal(t, []string{"nodes"}, missing)
	near, _ = nearest([]string{"a", "b"})
	require.Nil(t, near)
}

func FuzzReadTable(f *testing.F) {
	for _, text := range []string{"", "a,b\n", transferColumns + "mix,w2of4,8589934592,528,512,8000,1,4000,5000\n",
		"test,cache_op,range_bytes,nodes,ns_per_access\nchase_pages_64KiB,ca,4096,32,20\n",
		"test,writes,streaming_sms,threads,pause_cycles,latency_ns,stream_GBps\nloaded_latency,w0of4,131,1024,900,400,900\n",
		"model,batch,context,kernel,calls,us_total\nm,1,2,nvjet_splitK,2,5\n", "model,batch,context,weights_bytes,kv_bytes,us_median\nm,1,2,3,4,5\n",
		"page_kib,n_descriptors,throughput_gb_s\n4,100,5\n", "test,pair,a_alone_GBps,b_alone_GBps,a_together_GBps,b_together_GBps\ninterfere,a_1sm+b,1,1,1,1\n",
		"model,layers_run,batch,context,host_fraction,mode,host_bytes_per_layer,us_per_layer_median\nm,8,2,64,0.5,ondemand,0,3\n"} {
		f.Add(text)
	}
	m, err := newMachine("h200")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		tab, err := readTable("t.csv", strings.NewReader(text))
		if err != nil {
			require.NotContains(t, strings.TrimSpace(strings.ReplaceAll(err.Error(), "\nt.csv:", "")), "\n")
			return
		}
		r := &Report{}
		for _, c := range m.plausible(tab, r) {
			require.Positive(t, c.measured)
			require.GreaterOrEqual(t, c.repeat, 0.0)
			c.predict(outcome{c.figure: 1}, nil)
		}
		r.fill([]*table{tab}, tab.comparisons, tab.comparisons)
	})
}

func TestEveryMeasuredKernelOfAStepHasAClassOfItsOwn(t *testing.T) {
	type key struct {
		task  task
		class bucket
	}
	seen := map[key]bool{}
	count := map[bucket]int{}
	for _, tab := range shipped(t) {
		if tab.file != "decode_kernels.csv" {
			continue
		}
		for _, c := range tab.comparisons {
			k := key{c.task, c.bucket}
			require.False(t, seen[k], "%v twice", k)
			seen[k] = true
			count[c.bucket]++
		}
	}
	steps := count["lm_head"]
	require.Equal(t, 6, steps)
	for _, class := range []bucket{"up", "down", "qkv", "o", "attention", "attention_reduce", "norm", "rope", "activation", "copy", "splitk_reduce"} {
		require.Equal(t, steps, count[class], class)
	}
}

// The roofline must not promise a step slower than the measured one.
func TestNoStepBeatsTheRoofline(t *testing.T) {
	m, err := newMachine("h200")
	require.NoError(t, err)
	for _, tab := range shipped(t) {
		if tab.file != "decode_step.csv" {
			continue
		}
		for _, c := range tab.comparisons {
			r, err := c.task.(step).predict(context.Background(), m, "analytic")
			require.NoError(t, err)
			require.Less(t, r.StepNs, c.measured, c.name())
		}
	}
}

// Of a step with offloaded KV the roofline must be below the measured one as
// well, and not far from it: the link rules.
func TestOffloadedStepsAreTheLinksRoofline(t *testing.T) {
	m, err := newMachine("h200")
	require.NoError(t, err)
	for _, tab := range shipped(t) {
		if tab.file != "decode_offload.csv" {
			continue
		}
		for _, c := range tab.comparisons {
			o := c.task.(offload)
			r, err := m.decode(context.Background(), "analytic", o.sets()...)
			require.NoError(t, err)
			perLayer := r.StepNs / float64(o.layers)
			require.Less(t, perLayer, c.measured, c.name())
			if o.fraction >= 0.5 {
				require.Greater(t, perLayer, 0.9*c.measured, c.name())
			}
		}
	}
}
