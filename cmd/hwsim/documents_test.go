package main

import (
	"bufio"
	"bytes"
	little "encoding/binary"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

var update = flag.Bool("update", false, "write what commands print into the documents")

// documents are the texts whose every command a test runs, by their path from here.
var documents = []string{"../../README.md", "TUTORIAL.md"}

// An example is a command that documents show.
type example struct {
	command string
	prepare func(t *testing.T, s *site)                 // makes the files that it wants; nil: it wants none
	run     func(t *testing.T, s *site, command string) // nil: it ends with exit code 0
}

// quickExamples are run by every go test, slowExamples with -tags slow as .ci/run has
// it. There is no third kind.
var quickExamples = []example{
	{command: "go run ./cmd/hwsim replay -device hbm3_6400 -gen rand -load 20"},
	{command: "go run ./cmd/hwsim replay -drive p4800x_375gb -gen rand -qd 16"},
	{command: "go run ./cmd/hwsim maps -device hbm3e_h200 -channels 96 -gen stride"},
	{command: "go run ./cmd/hwsim victima_native"},
	{command: "go run ./cmd/hwsim replay -config victima_native -warm 1000000 program.champsimtrace.xz", prepare: makeTrace},
	{command: "go run ./cmd/hwsim flexgen_t4"},
	{command: "go run ./cmd/hwsim flexgen_a6000_ssd -set offload.system=flexgen-sparq"},
	{command: "go run ./cmd/hwsim instinfer_a6000_20csd"},
	{command: "go run ./cmd/hwsim explain kv.copy_bytes policy.select"},
	{command: ". <(hwsim completion bash)                 # or zsh; fish: hwsim completion fish | source", run: completes},
	{command: "./hwsim sweep sweep_cxl -manifest kubernetes -image registry/hwsim:1 -claim results -out kubernetes", prepare: linkProgram},
	{command: "go tool pprof -http=: out/profile.pb.gz", prepare: profiles("out"), run: serves},
	{command: "go tool pprof -top -diff_base=a100/profile.pb.gz h200/profile.pb.gz", prepare: profiles("a100", "h200")},
	{command: "go run ./cmd/hwsim a100_cxl -fidelity analytic -set workload.batch=8 -set kv.split.hbm=1 -set kv.split.ddr=0 -set kv.split.cxl=0"},
	{command: "go run ./cmd/hwsim a100_cxl -fidelity analytic -set workload.batch=8 -set kv.split.hbm=0.9 -set kv.split.ddr=0 -set kv.split.cxl=0.1 -set system.host.cxl.expanders=1"},
	{command: "go run ./cmd/hwsim explain kv.split system.host.cxl.expanders"},
	{command: "go run ./cmd/hwsim sweep cxl_share -fidelity analytic -out share"},
}

var slowExamples = []example{
	{command: "go run ./cmd/hwsim -config a100_cxl.toml"},
	{command: "go test ./..."},
	{command: "go run ./cmd/hwsim validate -quick"},
	{command: "go run ./cmd/hwsim validate -published     # figures of papers, of methods of the KV cache"},
	{command: "go run ./cmd/hwsim a100_shadowkv"},
	{command: "go run ./cmd/hwsim h200 -set policy.use=48_snapkv -set engine.use=hf_eager"},
	{command: "go run ./cmd/hwsim compare a100_cxl.toml -policies base,29_h2o,43_kivi,48_snapkv,44_razorattention,60_gear,09_cake,14_lazyeviction,31_shadowkv,new_quest"},
	{command: "go run ./cmd/hwsim instinfer_a6000_1csd -set offload.csd=cxl_near_memory"},
	{command: "go run ./cmd/hwsim h200 -o out -requests hbm.0@100us..200us"},
	{command: "go run ./cmd/hwsim replay -device hbm3e_h200 -map gpu out/requests.csv"},
	{command: "go run ./cmd/hwsim sweep sweep_cxl -fidelity analytic -out out"},
	{command: "go run ./cmd/hwsim sweep sweep_cxl -set 'sweep.design=\"lhs\"' -set sweep.points=250 -out lhs"},
	{command: "hwsim man | man -l -"},
	{command: "go build ./cmd/hwsim"},
	{command: "./hwsim sweep sweep_cxl -fidelity analytic -submit slurm -tasks 8 -slurm time=60 -out slurm", prepare: onSlurm},
	{command: "go run ./cmd/hwsim a100_cxl -set workload.batch=8 -set kv.split.hbm=0.9 -set kv.split.ddr=0 -set kv.split.cxl=0.1 -set system.host.cxl.expanders=1"},
}

// shown is what a document shows: a command, and its output where that is there too.
type shown struct {
	place, command, output string
}

var outputOf = regexp.MustCompile(`^<!-- output of (.*) -->$`)

// show returns all commands of the documents: lines of blocks that are indented or
// fenced as sh, and those that outputs are of.
func show(t *testing.T) (all []shown) {
	t.Helper()
	for _, path := range documents {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		fence, output := "", (*shown)(nil)
		for n, line := range strings.Split(string(text), "\n") {
			place := fmt.Sprintf("%s:%d", filepath.Base(path), n+1)
			switch m := outputOf.FindStringSubmatch(line); {
			case m != nil:
				all = append(all, shown{place: place, command: m[1]})
				output = &all[len(all)-1]
			case line == "<!-- end of output -->":
				output = nil
			case strings.HasPrefix(line, "```") && fence == "":
				fence = line
			case line == "```":
				fence = ""
			case output != nil && fence == "```":
				output.output += line + "\n"
			case fence == "```sh" && line != "":
				all = append(all, shown{place: place, command: line})
			case fence == "" && strings.HasPrefix(line, "    "):
				all = append(all, shown{place: place, command: line[4:]})
			}
		}
		require.Empty(t, fence, path)
	}
	return all
}

// Every command that a document shows is one of the examples, and every example is
// shown.
func TestEveryCommandOfDocumentsIsRunByATest(t *testing.T) {
	class := map[string]string{}
	for name, examples := range map[string][]example{"quick": quickExamples, "slow": slowExamples} {
		for _, e := range examples {
			require.NotContains(t, class, e.command, "is in two classes")
			class[e.command] = name
		}
	}
	seen := map[string]bool{}
	for _, s := range show(t) {
		require.Contains(t, class, s.command, "%s: no test runs it", s.place)
		seen[s.command] = true
	}
	for command := range class {
		require.Contains(t, seen, command, "no document shows it")
	}
}

func TestQuickCommandsOfDocuments(t *testing.T) { runExamples(t, quickExamples) }

// runExamples runs commands in a folder of their own, in their order, and compares
// what they print with what documents say.
func runExamples(t *testing.T, examples []example) {
	s := newSite(t)
	outputs := map[string]shown{}
	for _, one := range show(t) {
		if one.output != "" {
			outputs[one.command] = one
		}
	}
	for _, e := range examples {
		t.Run(e.command, func(t *testing.T) {
			if e.prepare != nil {
				e.prepare(t, s)
			}
			if e.run != nil {
				e.run(t, s, e.command)
				return
			}
			begun := time.Now()
			out := s.shell(t, e.command)
			t.Logf("%v", time.Since(begun).Round(time.Millisecond))
			if want, ok := outputs[e.command]; ok && *update {
				renew(t, want, out)
			} else if ok {
				require.Equal(t, want.output, out, "%s shows another output", want.place)
			}
		})
	}
}

// renew writes another output into the documents that show it.
func renew(t *testing.T, was shown, output string) {
	t.Helper()
	head := fmt.Sprintf("<!-- output of %s -->\n```\n", was.command)
	for _, path := range documents {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		text = bytes.Replace(text, []byte(head+was.output), []byte(head+output), 1)
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
}

// site is a folder in which commands run as in a clone, but that hwsim and go run
// ./cmd/hwsim are the program under test, and that nothing is written into the clone.
type site struct {
	dir string
	env []string
}

// goShim is go, in a folder that is no clone.
const goShim = `#!/bin/bash
case "$*" in
  "run ./cmd/hwsim"*) shift 2; exec hwsim "$@" ;;
  "build ./cmd/hwsim") out=$PWD; cd "$CLONE" && exec "$GO" build -buildvcs=false -o "$out/hwsim" ./cmd/hwsim ;;
  "test ./...") cd "$CLONE" && PATH=$OUTER exec "$GO" test ./... ;;
esac
exec "$GO" "$@"
`

func newSite(t *testing.T) *site {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.Symlink(binary, filepath.Join(bin, "hwsim")))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte(goShim), 0o777))
	tool, err := exec.LookPath("go")
	require.NoError(t, err)
	clone, err := filepath.Abs("../..")
	require.NoError(t, err)
	path := os.Getenv("PATH")
	return &site{t.TempDir(), append(os.Environ(), "GO="+tool, "CLONE="+clone, "OUTER="+path, "PATH="+bin+":"+path, "MANPAGER=cat")}
}

func (s *site) command(text string) *exec.Cmd {
	c := exec.Command("bash", "-o", "pipefail", "-c", text)
	c.Dir, c.Env = s.dir, s.env
	return c
}

// shell runs a command to its end and returns what it prints.
func (s *site) shell(t *testing.T, text string) string {
	t.Helper()
	c := s.command(text)
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	require.NoError(t, c.Run(), "%s%s", out.String(), complaint.String())
	return out.String()
}

// profiles makes folders with a step's profile, of the configurations that they are
// named after.
func profiles(names ...string) func(*testing.T, *site) {
	return func(t *testing.T, s *site) {
		for _, name := range names {
			config := name
			if name == "out" {
				config = "a100_cxl"
			}
			s.shell(t, "hwsim "+config+" -fidelity analytic -o "+name)
		}
	}
}

// makeTrace writes a trace of ChampSim with more than the million accesses that are for
// warming up: each record reads four words and writes two.
func makeTrace(t *testing.T, s *site) {
	const records = 200_000
	f, err := os.Create(filepath.Join(s.dir, "program.champsimtrace.xz"))
	require.NoError(t, err)
	defer f.Close()
	w, err := xz.NewWriter(f)
	require.NoError(t, err)
	b := bufio.NewWriter(w)
	record := make([]byte, 64)
	for i := range uint64(records) {
		little.LittleEndian.PutUint64(record, 0x400000+4*(i%64))
		for k := range uint64(6) {
			little.LittleEndian.PutUint64(record[16+8*k:], 0x10000000+(k<<24)+64*i)
		}
		_, err := b.Write(record)
		require.NoError(t, err)
	}
	require.NoError(t, b.Flush())
	require.NoError(t, w.Close())
}

// linkProgram puts the program where go build ./cmd/hwsim does.
func linkProgram(t *testing.T, s *site) {
	if _, err := os.Lstat(filepath.Join(s.dir, "hwsim")); err != nil {
		require.NoError(t, os.Symlink(binary, filepath.Join(s.dir, "hwsim")))
	}
}

// onSlurm wants a Slurm, which .ci/slurm starts.
func onSlurm(t *testing.T, s *site) {
	require.NoError(t, exec.Command("sinfo", "--noheader").Run(), "no Slurm answers; .ci/slurm starts one")
	linkProgram(t, s)
}

// completes runs a command that makes bash complete hwsim.
func completes(t *testing.T, s *site, command string) {
	require.Contains(t, s.shell(t, command+"\ncomplete -p hwsim"), "-F _hwsim hwsim")
}

var serving = regexp.MustCompile(`Serving web UI on (http://\S+)`)

// serves runs a command that serves pages, without a browser, until it has served one.
func serves(t *testing.T, s *site, command string) {
	c := s.command("exec " + strings.Replace(command, "-http=:", "-http=: -no_browser", 1))
	told, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer c.Wait()         //nolint:errcheck // it is killed
	defer c.Process.Kill() //nolint:errcheck
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			require.EventuallyWithT(t, func(t *assert.CollectT) { // it listens a little later
				r, err := http.Get(m[1] + "/ui/top")
				require.NoError(t, err)
				defer r.Body.Close()
				require.Equal(t, http.StatusOK, r.StatusCode)
			}, 10*time.Second, 50*time.Millisecond)
			return
		}
	}
	require.Fail(t, "it serves nothing")
}
