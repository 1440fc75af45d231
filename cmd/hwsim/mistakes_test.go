package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// runFile is a configuration to spoil; its lines are counted below.
const runFile = `[system]
use = "h200_sxm"
[model]
use = "llama3-8b"
[kernels]
use = "hopper_triton"
[workload]
batch = 8
context = 1024
`

// requireOneLine runs a configuration with one mistake and checks that it is
// told in one line, on stderr, with the user's exit code.
func requireOneLine(t *testing.T, file string, args []string, want ...string) {
	t.Helper()
	code, out, errOut := hwsim(t, map[string]string{"run.toml": file}, append([]string{"run.toml"}, args...)...)
	require.Equal(t, 2, code, errOut)
	require.Empty(t, out)
	require.Equal(t, 1, strings.Count(errOut, "\n"), errOut)
	require.True(t, strings.HasPrefix(errOut, "hwsim: "), errOut)
	for _, w := range want {
		require.Contains(t, errOut, w)
	}
}

func TestUnknownKeysNameTheNearest(t *testing.T) {
	for key, near := range map[string]string{
		"system.gpu.sm": "sms", "system.hbm.dram.standart": "standard", "system.l2.byte": "bytes", "system.host.link.raw_gbp": "raw_gbps",
		"model.layer": "layers", "workload.bach": "batch", "kv.split.hmb": "hbm", "kv.acess": "access", "weights.dtyp": "dtype",
		"kernels.gemm.tile_row": "tile_rows", "sampling.tolerence": "tolerance", "samplin": "sampling",
	} {
		t.Run(key, func(t *testing.T) {
			hint := fmt.Sprintf("%s: unknown key (did you mean %q?)", key, near)
			requireOneLine(t, runFile, []string{"-set", key + "=1"}, "-set "+key+"=1: ", hint)
			table, last, nested := cutLast(key)
			if !nested {
				return
			}
			// a table of its own at the end, and the line it is written on
			file := runFile
			if !strings.Contains(runFile, "["+table+"]\n") {
				file += "[" + table + "]\n" + last + " = 1\n"
			} else {
				file = strings.Replace(runFile, "["+table+"]\n", "["+table+"]\n"+last+" = 1\n", 1)
			}
			line := 1 + strings.Count(file[:strings.Index(file, last+" = 1")], "\n")
			requireOneLine(t, file, nil, fmt.Sprintf("run.toml:%d: ", line), hint)
		})
	}
}

// cutLast cuts a dotted key before its last part.
func cutLast(key string) (table, last string, ok bool) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}

func TestWrongValuesNameTheirKeyAndOrigin(t *testing.T) {
	for _, test := range []struct{ set, key, want string }{
		{"system.gpu.sms=-4", "system.gpu.sms", "positive"},
		{"system.l2.bytes=-5", "system.l2.bytes", "-5 is negative"},
		{"system.hbm.capacity_gib=-1", "system.hbm.capacity_gib", "-1 is out of range"},
		{"system.hbm.channels=93", "system.hbm.channels", "must be even"},
		{"kv.page_tokens=-16", "kv.page_tokens", "must be 0 to"},
		{"kv.copy_bytes=-1", "kv.copy_bytes", "-1 is negative"},
		{"model.hidden=-1", "model.hidden", "must be 1 to"},
		{"model.hidden=big", "model.hidden", `"big" is not an integer`},
		{"workload.batch=0", "workload.batch", "must be 1 to"},
		{"workload.tp=3", "workload.tp", "3"},
		{"kv.access=lazy", "kv.access", "prefetch, ondemand or zerocopy"},
		{"kv.layout=dhn", "kv.layout", "nhd or hnd"},
		{"kv.unit=token", "kv.unit", "page, layer or fraction"},
		{"kv.dtype=fp4", "kv.dtype", "bf16, fp16, fp8, int8 or int4"},
		{"sampling.tolerance=3", "sampling.tolerance", "0 to 0.2"},
		{"sampling.layers=2", "sampling.layers", "must be 3 to"},
		{"kernels.gemm.tile_k=0", "kernels.gemm.tile_k", "must be"},
		{"kv.split.hbm=0.5", "kv.split", "add up to 0.5"},
	} {
		t.Run(test.set, func(t *testing.T) {
			requireOneLine(t, runFile, []string{"-set", test.set}, "hwsim: -set "+test.set+": ", test.key+": ", test.want)
		})
	}
}

func TestMissingPresetsAreNamed(t *testing.T) {
	for set, want := range map[string]string{
		"model.use=llama3-9b": `"llama3-9b": no such file, and no preset of that name (did you mean "llama3-8b"?)`,
		"system.use=h210_sxm": `"h210_sxm": no such file, and no preset of that name (did you mean "h200_sxm"?)`,
		"kernels.use=triton9": `"triton9": no such file, and no preset of that name`,
	} {
		key, _, _ := strings.Cut(set, "=")
		requireOneLine(t, runFile, []string{"-set", set}, "-set "+set+": "+key+": config "+want)
		requireOneLine(t, strings.Replace(runFile, "[model]\nuse = \"llama3-8b\"", "[model]\nuse = \"llama3-9b\"", 1), nil, `run.toml:4: model.use: config "llama3-9b"`)
	}
}

func TestWhatDoesNotFitNamesTierAndSize(t *testing.T) {
	for _, test := range []struct {
		sets []string
		want []string
	}{
		{[]string{"workload.batch=512", "workload.context=32768"}, []string{"kv: 2048.00 GiB do not fit into hbm: ", "GiB too few"}},
		{[]string{"kv.split.hbm=0", "kv.split.ddr=1", "kv.access=zerocopy", "workload.batch=512", "workload.context=32768"},
			[]string{"kv: 2048.00 GiB do not fit into ddr: 1024.00 of its 1024.00 GiB are free, 1024.00 GiB too few"}},
		{[]string{"kv.split.hbm=0", "kv.split.cxl=1", "kv.access=zerocopy"}, []string{"kv: this system has no cxl memory"}},
		{[]string{"model.use=llama2-70b", "system.hbm.capacity_gib=40"}, []string{"weights: ", "GiB do not fit into hbm: 39.40 of its 39.40 GiB are free"}},
	} {
		var args []string
		for _, s := range test.sets {
			args = append(args, "-set", s)
		}
		requireOneLine(t, runFile, append(args, "-fidelity", "analytic"), test.want...)
	}
}

func TestWrongFlagsAreNamed(t *testing.T) {
	requireOneLine(t, runFile, []string{"-fidelity", "fast"}, `"fast"`, "-fidelity", "exact, sampled or analytic")
	requireOneLine(t, runFile, []string{"-set", "workload.batch"}, "want key.path=value")
}

// A report says the same to a person, a program and a table.
func TestEveryFormatTellsTheStep(t *testing.T) {
	for _, format := range []string{"text", "json", "csv"} {
		code, out, errOut := hwsim(t, map[string]string{"run.toml": runFile}, "run.toml", "-fidelity", "analytic", "-format", format)
		require.Zero(t, code, errOut)
		require.Empty(t, errOut)
		require.Contains(t, out, "h200_sxm", format)
	}
}

func TestAMissingTableIsOneLine(t *testing.T) {
	for table, use := range map[string]string{"system": "h200_sxm", "model": "llama3-8b", "kernels": "hopper_triton"} {
		file := strings.Replace(runFile, "["+table+"]\nuse = \""+use+"\"\n", "", 1)
		require.NotEqual(t, runFile, file)
		requireOneLine(t, file, nil, table+": missing; want ["+table+"] with use = one of ", use)
	}
	requireOneLine(t, strings.Split(runFile, "[workload]")[0], nil, "workload: missing; want [workload] with its keys")
}
