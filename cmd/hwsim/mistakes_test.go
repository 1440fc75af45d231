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

// coreFile is one with a core.
const coreFile = `[core]
use = "victima_paper"
[core.mmu]
walkers = 8
[stream]
kind = "uniform"
[run]
warm_accesses = 1000
accesses = 1000
`

// requireOneLine runs a configuration with one mistake and checks that it is
// told in one line, on stderr, with the user's exit code.
func requireOneLine(t *testing.T, file string, args []string, want ...string) {
	t.Helper()
	requireOneLineOf(t, map[string]string{"run.toml": file}, append([]string{"run.toml"}, args...), want...)
}

// requireOneLineOf is the same of any command.
func requireOneLineOf(t *testing.T, files map[string]string, args []string, want ...string) {
	t.Helper()
	code, out, errOut := hwsim(t, files, args...)
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
	requireOneLine(t, strings.Split(runFile, "[workload]")[0], nil, "workload: missing; want [workload] with use = one of 37_kinetics, 51_long_context, or its own keys")
}

func TestMistakesInACoreAreNamed(t *testing.T) {
	for _, test := range []struct {
		old, new string // a spoilt line
		args     string
		want     []string
	}{
		{"walkers = 8", "walker = 8", "", []string{"run.toml:4: core.mmu.walker: unknown key (did you mean \"walkers\"?)"}},
		{"walkers = 8", "walkers = 0", "", []string{"run.toml:4: core.mmu.walkers: must be 1 to 256"}},
		{"walkers = 8", "walkers = 'all'", "", []string{"run.toml:4: core.mmu.walkers: \"all\" is not an integer"}},
		{"walkers = 8", "levels = 6", "", []string{"run.toml:4: core.mmu.levels: must be 4 or 5"}},
		{"victima_paper", "victima_papr", "", []string{"run.toml:2: core.use: config \"victima_papr\": no such file", "did you mean \"victima_paper\"?"}},
		{"uniform", "unifrom", "", []string{"run.toml:6: stream.kind: \"unifrom\" is none of stream, ", "did you mean \"uniform\"?"}},
		{"[stream]\nkind = \"uniform\"\n", "", "", []string{"stream: missing; want [stream] with use = one of artifact_bfs"}},
		{"[run]", "[runs]", "", []string{"run.toml:7: runs: unknown key (did you mean \"run\"?)"}},
		{"", "", "-set core.mmu.l1.0.cycle=1", []string{"core.mmu.l1.0.cycle: unknown key (did you mean \"cycles\"?)"}},
		{"", "", "-set core.mmu.l2.ways=0", []string{"core.mmu.l2.ways: "}},
		{"", "", "-set core.mmu.victima.insert=always", []string{"core.mmu.victima.insert: must be retag or fetch"}},
		{"", "", "-set core.host.memory_bytes=68719476736", []string{"core.host: and mmu.nested must be given together"}},
		{"", "", "-set core.caches.memory.dram.standard=ddr6", []string{"core.caches.memory.dram.standard: no standard \"ddr6\""}},
		{"", "", "-set core.pages.huge_share=2", []string{"core.pages.huge_share: must be 0 to 1"}},
		{"", "", "-set run.accesses=-1", []string{"run.accesses: must be 0 to "}},
		{"", "", "-fidelity sampled", []string{"-fidelity sampled: ", "want exact"}},
		{"", "", "-set core.pages.memory_bytes=2097152", []string{"stream: pagetable: 2097152 bytes of memory are full"}},
		{"", "", "-set core.mmu.walk_level=5", []string{"core: mmu.walk_level: 5: want 0 to 2"}},
	} {
		t.Run(test.new+test.args, func(t *testing.T) {
			file := strings.Replace(coreFile, test.old, test.new, 1)
			requireOneLine(t, file, strings.Fields(test.args), test.want...)
		})
	}
}

func TestMistakesInOffloadAreNamed(t *testing.T) {
	file := "[offload]\nsystem = 'flexgen'\nmachine = 't4'\nmodel = 'opt-30b'\nprompt = 64\noutput = 4\npolicy = '1x1;0/100/0/100/0/100'\n"
	for _, test := range []struct{ old, new, args, want string }{
		{"t4", "t5", "", `run.toml:3: offload.machine: config "flexgen/t5": no such file`},
		{"prompt", "promt", "", `offload.promt: unknown key (did you mean "prompt"?)`},
		{"output = 4", "output = 'all'", "", `run.toml:6: offload.output: "all" is not an integer`},
		{"[offload]", "[offlod]", "", "offlod: unknown key"},
		{"", "", "-set offload.policy=1x1;100/0/0/100/0/100", "offload: policy 1x1;100/0/0/100/0/100 does not fit: GPU memory: needs "},
		{"", "", "-fidelity sampled", "-fidelity sampled: a configuration with [offload] is scheduled step by step: want exact"},
	} {
		t.Run(test.new+test.args, func(t *testing.T) {
			spoilt := strings.Replace(file, test.old, test.new, 1)
			code, _, errOut := hwsim(t, map[string]string{"run.toml": spoilt}, append([]string{"run.toml"}, strings.Fields(test.args)...)...)
			require.Equal(t, 2, code, errOut)
			require.Contains(t, errOut, test.want)
		})
	}
}

func TestMistakesInAttentionOnDrivesAreNamed(t *testing.T) {
	file := "[offload]\nsystem = 'instinfer'\nmachine = 'a6000'\nmodel = 'opt-13b'\nprompt = 64\noutput = 4\nbatch = 4\ncsd = 'instinfer'\ndrives = 1\nsparse = 0.125\n"
	for _, test := range []struct{ old, new, args, want string }{
		{"csd = 'instinfer'", "csd = 'instinfr'", "", `run.toml:8: offload.csd: config "csd/instinfr": no such file, and no preset of that name (did you mean "instinfer"?)`},
		{"drives = 1", "drives = 0", "", "run.toml:9: offload.drives: must be 1 to 65536, is 0"},
		{"drives = 1", "drive = 1", "", `run.toml:9: offload.drive: unknown key (did you mean "drives"?)`},
		{"0.125", "0.75", "", "run.toml:10: offload.sparse: must be 0 to 0.5"},
		{"batch = 4\n", "", "", "offload.batch: must be 1 to 65536"},
		{"", "", "-set offload.model=opt-30b", "offload: 4 sequences on 1 x instinfer do not fit: GPU memory: needs "},
		{"", "", "-set offload.model=mixtral-8x7b", "offload.model: model mixtral-8x7b: has experts"},
	} {
		t.Run(test.new+test.args, func(t *testing.T) {
			code, _, errOut := hwsim(t, map[string]string{"run.toml": strings.Replace(file, test.old, test.new, 1)}, append([]string{"run.toml"}, strings.Fields(test.args)...)...)
			require.Equal(t, 2, code, errOut)
			require.Contains(t, errOut, test.want)
		})
	}
}

func TestMistakesInTracesAreNamed(t *testing.T) {
	files := map[string]string{
		"run.toml": coreFile, "good.csv": "gap,addr,op\n1,2,R\n", "empty.csv": "", "header.csv": "gap,addr,op\n", "comment.csv": "# nothing\n",
		"bad.csv": "gap,addr,op\n1,2,R\n1,2,X\n", "short.csv": "gap,addr,op\n1,2\n", "text.csv": "To be, or not to be\n",
		"bad.lackey": " L 40,8\n L 40,zero\n", "half.champsim": strings.Repeat("\x00", 65),
	}
	for args, want := range map[string]string{
		"none.csv":                     "open none.csv: no such file or directory",
		"empty.csv":                    "empty.csv: ",
		"header.csv":                   "header.csv: no accesses",
		"comment.csv":                  "comment.csv: nothing but comments",
		"bad.csv":                      `bad.csv:3: op "X": want R or W`,
		"short.csv":                    "short.csv:2: ",
		"text.csv":                     `text.csv: "To be, or not to be" begins no trace`,
		"bad.lackey":                   "bad.lackey:2: ",
		"half.champsim":                "half.champsim",
		"-trace-format vcd good.csv":   "-trace-format: want csv, champsim or lackey",
		"-trace-format csv bad.lackey": "bad.lackey:1: header ",
		"":                             "no trace given",
	} {
		t.Run(args, func(t *testing.T) {
			requireOneLineOf(t, files, append([]string{"replay", "-config", "run.toml"}, strings.Fields(args)...), want)
		})
	}
}

// Whatever a trace holds, it ends in a report or in a line.
func TestSpoiltTracesEndInALine(t *testing.T) {
	good := "gap,addr,op,space,after\n3,0x7f001040,R,0,0\n3,0x7f002040,W,1,1\n3,0x7f003040,R,0,2\n"
	for i := range good {
		for _, c := range []string{"", "\x00", ",", "9", "\n"} {
			spoilt := good[:i] + c + good[i+1:]
			code, out, errOut := hwsim(t, map[string]string{"t.csv": spoilt}, "replay", "-config", "radix", "t.csv")
			if code == 0 {
				require.Empty(t, errOut)
				require.Contains(t, out, "t.csv on ")
				continue
			}
			require.Equal(t, 2, code, errOut)
			require.Equal(t, 1, strings.Count(errOut, "\n"), errOut)
			require.Contains(t, errOut, "hwsim: t.csv")
		}
	}
}
