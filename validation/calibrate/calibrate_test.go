package calibrate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
	"hwsim/validation"
)

// Rows that tell all parameters, as cheap as such rows can be, with %g for
// what is measured: ns of chases, µs of launches, GB/s of transfers.
const (
	chases = "test,cache_op,range_bytes,nodes,ns_per_access\n" +
		"chase_random,ca,4096,32,%g\nchase_random,cg,1048576,8192,%g\nchase_random,cg,44040192,344064,%g\nchase_random,cg,46137344,360448,%g\n" +
		"chase_random,cg,134217728,1048576,%g\nchase_random,cg,268435456,1048576,%g\nchase_random,cg,402653184,1048576,%g\n" +
		"chase_host,cg,1048576,8192,%g\nchase_peer,cg,1048576,8192,%g\n"
	launches  = "test,param,us\ngraph_node,1 blocks,%g\nlaunch_back_to_back,nop,%g\nlaunch_sync,nop,%g\ngraph_launch_to_end,1 small kernels,%g\n"
	transfers = "test,param,range_bytes,blocks,threads,bytes_moved,GBps\n" +
		"memcpy_h2d,67108864,67108864,1,0,67108864,%g\npeer_read,16B_lane,4294967296,132,512,4294967296,%g\n" +
		"memcpy_h2d,4096,262144,64,0,262144,%g\nmemcpy_d2h,4096,262144,64,0,262144,%g\nmemcpy_h2d_sync,64,64,1,0,64,%g\nmemcpy_h2d_sync,65536,65536,1,0,65536,%g\nmemcpy_peer,4096,262144,64,0,262144,%g\n" +
		"gather_random,32,17179869184,528,512,3979345920,%g\n"
)

// tables fills the rows with one figure each.
func tables(figure func(file string, line int) float64) fstest.MapFS {
	data := fstest.MapFS{}
	for file, text := range map[string]string{"chases.csv": chases, "launches.csv": launches, "transfers.csv": transfers} {
		for line := 2; strings.Contains(text, "%g"); line++ {
			text = strings.Replace(text, "%g", fmt.Sprintf("%.9g", figure(file, line)), 1)
		}
		data[file] = &fstest.MapFile{Data: []byte(text)}
	}
	return data
}

// measure is what the tables would say of a machine that is simulated.
func measure(t *testing.T, base string, sets ...string) fstest.MapFS {
	t.Helper()
	r, err := validation.Run(context.Background(), validation.Options{Config: base, Sets: sets, Data: tables(func(string, int) float64 { return 1 })})
	require.NoError(t, err)
	require.Empty(t, r.NotSimulated)
	found := map[string]float64{}
	for _, row := range r.Rows {
		found[place(row.File, row.Line)] = row.Ours
		switch {
		case row.Bytes > 0:
			found[place(row.File, row.Line)] = row.Bytes / row.Ours
		case row.File == "launches.csv":
			found[place(row.File, row.Line)] = row.Ours / 1e3
		}
	}
	return tables(func(file string, line int) float64 { return found[place(file, line)] })
}

func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// The procedure must find the machine that the tables come from.
func TestCalibrationFindsTheMachine(t *testing.T) {
	want := map[string]float64{
		"gpu.l1_hit_ns": 30, "l2.hit_ns": 28.6, "l2.crossbar_ns": 66, "l2.bridge_ns": 75, "l2.memory_ns": 90, "host.fabric_ns": 120, "peer.fabric_ns": 90,
		"host.link.overhead": 0.09, "peer.link.overhead": 0.03, "host.dma.copy_ns": 1800, "host.dma.copy_out_ns": 1500, "host.submit_ns": 5000,
		"gpu.again_ns": 700, "host.launch_ns": 5000, "host.sync_ns": 6000, "host.graph_ns": 3000, "peer.dma.copy_ns": 4000, "hbm.dram.timings_ns.tFAW": 22,
	}
	var sets []string
	for key, v := range want {
		sets = append(sets, fmt.Sprintf("%s=%g", key, v))
	}
	r, err := Run(context.Background(), "h200_sxm", measure(t, "h200_sxm", sets...))
	require.NoError(t, err)
	require.Len(t, r.Parameters, len(readings))
	for _, p := range r.Parameters {
		t.Logf("%-28s was %8.4g, is %8.4g, want %8.4g %s", p.Key, p.Was, p.Value, want[p.Key], p.Problem)
		if v, ok := want[p.Key]; ok {
			require.InEpsilon(t, v, p.Value, 0.05, p.Key)
		}
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	data := fstest.MapFS{"l.csv": {Data: []byte("test,cache_op,range_bytes,nodes,ns_per_access\nchase_random,cg,1048576,8192,200\nchase_random,cg,44040192,8192,150\n")}}
	r, err := Run(context.Background(), "a100_80gb_sxm", data)
	require.NoError(t, err)
	got := map[string]Parameter{}
	for _, p := range r.Parameters {
		got[p.Key] = p
	}
	require.Equal(t, "no rows: the smallest chase over host memory, there and back", got["host.fabric_ns"].Problem)
	require.Empty(t, got["l2.hit_ns"].Problem)
	require.Equal(t, "chases that hit the near L2, its share of them: l.csv:2", got["l2.hit_ns"].From)
}

func TestImpossibleValuesAreNotTaken(t *testing.T) {
	data := fstest.MapFS{"l.csv": {Data: []byte("test,cache_op,range_bytes,nodes,ns_per_access\nchase_random,ca,4096,32,0.5\n")}}
	r, err := Run(context.Background(), "h200_sxm", data)
	require.NoError(t, err)
	for _, p := range r.Parameters {
		if p.Key == "gpu.l1_hit_ns" {
			require.Regexp(t, `: l\.csv:2: they give -0\.\d+$`, p.Problem)
		}
	}
}

func TestResultsAreConfigurations(t *testing.T) {
	r := &Result{Base: "h200_sxm", Parameters: []Parameter{
		{Key: "l2.hit_ns", Was: 26, Value: 27.5, From: "chases: l.csv:2,3"},
		{Key: "l2.bridge_ns", Problem: "no rows:\nchases"},
	}}
	var b strings.Builder
	require.NoError(t, r.Write(&b))
	require.Equal(t, "base = [\"h200_sxm\"]\nl2.hit_ns = 27.5 # was 26; chases: l.csv:2,3\n# l2.bridge_ns: no rows: chases\n", b.String())
	file := filepath.Join(t.TempDir(), "new.toml")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o666))
	s, prefix, err := validation.System(file)
	require.NoError(t, err)
	require.Empty(t, prefix)
	require.Equal(t, 27.5, s.L2.HitNs)
}

func TestReadingsPickTheirRows(t *testing.T) {
	rows := func(test, column string, cells ...string) (all []row) {
		for i, c := range cells {
			all = append(all, row{Line: i, Keys: map[string]string{"test": test, column: c, "cache_op": "cg"}})
		}
		return all
	}
	s := &hierarchy.Config{}
	s.L2.Bytes = 60 << 20
	copies := rows("memcpy_h2d", "param", "8192", "4096", "1073741824")
	require.Equal(t, copies[1:2], least("param", tests("memcpy_h2d"))(s, copies))
	require.Equal(t, copies[2:], most("param", tests("memcpy_h2d"))(s, copies))
	require.Empty(t, least("param", tests("memcpy_d2h"))(s, copies))
	chases := rows("chase_random", "range_bytes", "1048576", "27262976", "46137344", "62914560", "134217728")
	require.Equal(t, chases[:1], nearL2(s, chases))
	require.Equal(t, chases[2:3], onPlateau(s, chases))
	require.Equal(t, chases[4:], inHBM(s, chases))
	require.Equal(t, []row{chases[2], chases[4]}, beyondPlateau(s, chases))
	require.Empty(t, beyondPlateau(s, chases[:4]))
}

// Ten percent of the near hit is ten percent of error where only it counts.
func TestSensitivityTellsWhichRegimesAParameterMoves(t *testing.T) {
	data := fstest.MapFS{"l.csv": {Data: []byte("test,cache_op,range_bytes,nodes,ns_per_access\nchase_random,cg,1048576,8192,146\nchase_random,ca,4096,32,21.7\n")}}
	r := &Result{Base: "h200_sxm", Parameters: []Parameter{{Key: "l2.crossbar_ns", Value: 60}, {Key: "peer.fabric_ns", Value: 100}, {Key: "x", Problem: "no rows"}}}
	effects, err := Sensitivity(context.Background(), r, data)
	require.NoError(t, err)
	require.Len(t, effects, 1)
	e := effects[0]
	require.Equal(t, []string{"l2.crossbar_ns", "l.csv", "L2 near"}, []string{e.Key, e.File, e.Bucket})
	require.InDelta(t, 12.0/146*100, e.Off-e.MAPE, 1.5)
	var b strings.Builder
	require.NoError(t, WriteEffects(&b, effects))
	require.Regexp(t, `^# parameter \+ 10 % +table +regime +MAPE +becomes\n# l2\.crossbar_ns +l\.csv +L2 near +\d\.\d\d +\d+\.\d\d\n$`, b.String())
}
