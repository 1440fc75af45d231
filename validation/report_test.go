package validation

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
)

func TestStatisticsOfKnownNumbers(t *testing.T) {
	values := []float64{4, -1, 3, 2}
	require.Equal(t, 2.0, mean(values))
	require.Equal(t, []float64{4, 1, 3, 2}, absolute(values))
	require.Equal(t, 2.5, quantile(absolute(values), 0.5))
	require.InDelta(t, 3.7, quantile(absolute(values), 0.9), 1e-12)
	require.Equal(t, 7.0, quantile([]float64{7}, 0.9))
	require.Equal(t, 0.5, MAPE([]float64{5, 30}, []float64{10, 20}))
	require.InDelta(t, 15.0/30, weighted([]float64{5, 30}, []float64{10, 20}), 1e-12)
}

func TestFitFindsTheLineThatMadeTheData(t *testing.T) {
	line := Affine{Ns: 500, PerNs: 4}
	var bytes, ns []float64
	for b := 1e3; b < 1e6; b *= 2 {
		bytes, ns = append(bytes, b), append(ns, line.At(b))
	}
	fit := FitAffine(bytes, ns)
	require.InEpsilon(t, line.Ns, fit.Ns, 1e-6)
	require.InEpsilon(t, line.PerNs, fit.PerNs, 1e-6)
}

func TestScoresOfKnownRows(t *testing.T) {
	s := newScore([]*comparison{
		{measured: 100, ours: 110, repeat: 101, moved: 1000},
		{measured: 200, ours: 180, moved: 2000},
		{measured: 300, ours: 300, repeat: 309, moved: 3000},
	})
	require.Equal(t, 3, s.N)
	require.InDelta(t, 20.0/3, s.MAPE, 1e-9)
	require.InDelta(t, 10.0, s.Median, 1e-9)
	require.InDelta(t, 10.0, s.P90, 1e-9)
	require.InDelta(t, 0.0, s.Bias, 1e-9)
	require.InDelta(t, 5.0, s.TimeWeighted, 1e-9)
	require.InDelta(t, 0.0, *s.BaselineMAPE, 1e-6)
	require.InDelta(t, 2.0, *s.RepeatMAPE, 1e-9)
}

func TestBaselineOnlyWhereTwoFiguresSaySomething(t *testing.T) {
	row := func(bytes float64) *comparison { return &comparison{measured: 100, ours: 1, moved: bytes} }
	require.Nil(t, baseline([]*comparison{row(1), row(2)}))
	require.Nil(t, baseline([]*comparison{row(1), row(1), row(1)}))
	require.Nil(t, baseline([]*comparison{row(1), row(2), row(-1)}))
	require.NotNil(t, baseline([]*comparison{row(0), row(2), row(2)}))
	require.Nil(t, newScore([]*comparison{row(1)}).RepeatMAPE)
}

func TestRowsAboveThePhysicalPeakAreLeftOut(t *testing.T) {
	m, err := newMachine("h200")
	require.NoError(t, err)
	tab := read(t, transferColumns+
		"mix,w0of4,8589934592,528,512,8000,1,5100,\n"+ // above HBM3e's pins
		"mix,w0of4,8589934592,528,512,8000,1,4700,\n"+
		"hbm_span,128,16777216,528,512,8000,1,8900,\n"+ // from the L2
		"hbm_span,128,67108864,528,512,8000,1,7468,\n"+ // mostly from the L2
		"hbm_span,128,1073741824,528,512,8000,1,7468,\n"+
		"memcpy_h2d,1048576,1,1,0,8000,1,64,\n"+ // above 16 lanes of PCIe 5
		"memcpy_both,1048576,1,1,0,8000,1,101,\n"+
		"memcpy_both,1048576,1,1,0,8000,1,127,\n"+
		"peer_gather,128,16777216,528,512,8000,1,451,\n")
	r := &Report{}
	require.Len(t, m.plausible(tab, r), 4)
	var lines []int
	for _, x := range r.AbovePeak {
		lines = append(lines, x.Line)
		require.Less(t, x.Most, x.GBps)
	}
	require.Equal(t, []int{2, 6, 7, 9, 10}, lines)
	require.Equal(t, "mix w0of4 8589934592 528 512", r.AbovePeak[0].Row)
	require.Equal(t, "HBM", r.AbovePeak[0].Bound)

	m.peak[hierarchy.PeerHBM] = 0 // a machine without a peer has nothing to say
	require.Len(t, m.plausible(tab, &Report{}), 5)
}

func TestSystemsServeAsMachines(t *testing.T) {
	m, err := newMachine("a100_80gb_sxm")
	require.NoError(t, err)
	require.InDelta(t, 2039, m.peak[hierarchy.HBM], 15)
	_, err = step{"llama3-8b", 1, 1024}.simulate(context.Background(), m)
	require.EqualError(t, err, "a100_80gb_sxm is a system without kernels, not a configuration")
	_, err = newMachine("h2000")
	require.ErrorContains(t, err, `did you mean "h200"?`)
}

const twoChases = "test,cache_op,range_bytes,nodes,ns_per_access\nchase_random,cg,262144,2048,146\nchase_host,cg,262144,2048,1157\n"

func TestRowsCanBeChosenAndTheSystemChanged(t *testing.T) {
	data := fstest.MapFS{"l.csv": {Data: []byte(twoChases)}}
	near := func(r Row) bool { return r.Bucket == string(chaseNear) }
	for _, config := range []string{"h200", "h200_sxm"} {
		right, err := Run(context.Background(), Options{Config: config, Data: data, Rows: near})
		require.NoError(t, err)
		late, err := Run(context.Background(), Options{Config: config, Sets: []string{"l2.hit_ns=126"}, Data: data, Rows: near})
		require.NoError(t, err)
		require.Len(t, right.Rows, 1)
		require.Len(t, late.Rows, 1)
		require.InDelta(t, 100, late.Rows[0].Ours-right.Rows[0].Ours, 1)
	}
	_, err := Run(context.Background(), Options{Config: "h200", Sets: []string{"l2.hit=1"}, Data: data})
	require.ErrorContains(t, err, `did you mean`)
}

func TestMeasurementsAreRowsWithoutPredictions(t *testing.T) {
	rows, err := Measurements(fstest.MapFS{"l.csv": {Data: []byte(twoChases)}})
	require.NoError(t, err)
	require.Equal(t, Row{File: "l.csv", Line: 2, Row: "chase_random cg 262144 2048", Bucket: "L2 near", Measured: 146,
		Keys: map[string]string{"test": "chase_random", "cache_op": "cg", "range_bytes": "262144", "nodes": "2048"}}, rows[0])
	require.Len(t, rows, 2)
}

func TestLatenciesUnderLoadTellTheLoad(t *testing.T) {
	tab := read(t, "test,writes,streaming_sms,threads,pause_cycles,latency_ns,stream_GBps\nloaded_latency,w0of4,131,1024,900,400,900\n")
	c := tab.comparisons[0]
	c.predict(outcome{"latency": 410, "stream": 880}, nil)
	r := c.report()
	require.Equal(t, []float64{400, 410, 900, 880}, []float64{r.Measured, r.Ours, r.Load, r.OurLoad})
}

func TestSystemsTellWhereTheirValuesAre(t *testing.T) {
	for config, want := range map[string]string{"h200": "system.", "h200_sxm": ""} {
		s, prefix, err := System(config)
		require.NoError(t, err)
		require.Equal(t, want, prefix)
		require.Equal(t, 132, s.GPU.SMs)
	}
	_, _, err := System("h2000")
	require.Error(t, err)
}

// fake is a task that predicts what it is told.
type fake struct {
	ns    float64
	err   string
	panic bool
}

func (f fake) simulate(context.Context, *machine) (outcome, error) {
	if f.panic {
		panic("lost a message")
	}
	if f.err != "" {
		return nil, errors.New(f.err)
	}
	return outcome{only: f.ns}, nil
}

func faked(tab *table, tasks ...task) (rows []*comparison) {
	for i, x := range tasks {
		rows = append(rows, tab.time(row{tab, i + 2, []string{"graph_node", "1 blocks", "1"}}, graphNodes, x, only, 100, 0))
	}
	return rows
}

func fakeTable(t *testing.T) *table {
	t.Helper()
	tab := read(t, "test,param,us\ngraph_node,1 blocks,1\n")
	tab.comparisons = nil
	return tab
}

func TestEqualTasksAreSimulatedOnceAndFailuresAreReported(t *testing.T) {
	tab := fakeTable(t)
	rows := faked(tab, fake{ns: 105}, fake{err: "no tier ddr"}, fake{ns: 105}, fake{err: "no tier ddr"}, fake{ns: math.Inf(1)})
	calls := 0
	require.True(t, (&machine{}).simulate(context.Background(), rows, func(done, total int) {
		calls++
		require.Equal(t, 3, total)
	}))
	require.Equal(t, 3, calls)
	r := &Report{}
	r.fill([]*table{tab}, rows, rows)
	require.Len(t, r.Tables, 2)
	require.Equal(t, "all", r.Tables[0].Bucket)
	require.Equal(t, "graph nodes", r.Tables[1].Bucket)
	require.Equal(t, 2, r.Tables[1].N)
	require.Equal(t, 5, r.Tables[1].Of)
	require.InDelta(t, 5, r.Tables[1].MAPE, 1e-9)
	require.Equal(t, []Omission{
		{"t.csv", "launch costs", "graph nodes", 2, "no tier ddr"},
		{"t.csv", "launch costs", "graph nodes", 1, "the simulation gives +Inf"},
	}, r.NotSimulated)
	require.Empty(t, r.Exceeded())
	r.Tables[1].MAPE = 10.01
	require.Empty(t, r.Exceeded(), "two of five rows")
	r.Tables[1].N = 3
	require.Equal(t, []Score{r.Tables[1]}, r.Exceeded())
	r.Tables[1].N, r.Tables[1].Of = 1, 1
	require.Equal(t, []Score{r.Tables[1]}, r.Exceeded())
}

func TestPanicsReachTheCaller(t *testing.T) {
	rows := faked(fakeTable(t), fake{panic: true})
	require.Panics(t, func() { (&machine{}).simulate(context.Background(), rows, nil) })
}

func TestCancelledRunReportsWhatItHas(t *testing.T) {
	tab := fakeTable(t)
	rows := faked(tab, fake{ns: 1}, fake{ns: 2}, fake{ns: 3})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.False(t, (&machine{}).simulate(ctx, rows, nil))
	r := &Report{}
	r.fill([]*table{tab}, rows, rows)
	require.Empty(t, r.NotSimulated)
	require.Empty(t, r.Tables)
}

func TestSamplesAreSpreadAndTheSame(t *testing.T) {
	var rows []*comparison
	for _, tab := range shipped(t) {
		rows = append(rows, tab.comparisons...)
	}
	quick := sample(rows, true)
	require.Equal(t, quick, sample(rows, true))
	count, slow := map[stratum]map[task]bool{}, map[string]int{}
	for _, c := range quick {
		s := stratumOf(c)
		if count[s] == nil {
			count[s] = map[task]bool{}
		}
		if !count[s][c.task] {
			slow[s.kind]++
		}
		count[s][c.task] = true
	}
	for s, tasks := range count {
		if s.kind == "" {
			require.LessOrEqual(t, len(tasks), quotas[""].quick+1, s) // one more if another table has it too
		}
	}
	require.Equal(t, quotas["steps"].quick, slow["steps"])
	require.Equal(t, quotas["offload"].quick, slow["offload"])
	whole := func(of []*comparison) (n int) { // rows of kinds that have no quota
		for _, c := range of {
			if quota(kindOf(c.task), false) > len(rows) {
				n++
			}
		}
		return n
	}
	require.Equal(t, whole(rows), whole(sample(rows, false)))

	tasks := make([]task, 10)
	for i := range tasks {
		tasks[i] = fake{ns: float64(i)}
	}
	require.Equal(t, []task{tasks[2], tasks[7]}, spread(tasks, 2))
	require.Equal(t, tasks[:2], spread(tasks[:2], 3))
}

func TestEveryTableIsNamed(t *testing.T) {
	data := fstest.MapFS{
		"a/rivals.csv":  {Data: []byte("system,OPT-6.7B_tok_s,OPT-30B_tok_s\nX,1,2\n")},
		"a/empty.csv":   {Data: []byte("test,param,us\n")},
		"b/others.CSV":  {Data: []byte("x,y\n1,2\n")},
		"b/nothing.csv": {},
		"README.md":     {Data: []byte("text")},
	}
	r, err := Run(context.Background(), Options{Config: "h200", Data: data})
	require.NoError(t, err)
	require.True(t, r.Complete)
	require.Empty(t, r.Tables)
	require.Equal(t, []Omission{{"a/empty.csv", "launch costs", "", 0, "has no rows"}, {"a/rivals.csv", "throughput of baselines", "", 1, notYet}}, r.NotSimulated)
	require.Equal(t, []Unknown{{File: "b/nothing.csv", Columns: []string{}}, {File: "b/others.CSV", Columns: []string{"x", "y"}}}, r.Unrecognised)

	_, err = Run(context.Background(), Options{Config: "h200", Data: fstest.MapFS{}})
	require.ErrorIs(t, err, ErrNoTables)
}
