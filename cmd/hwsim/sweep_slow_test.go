//go:build slow && linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// manyFile is a sweep of 10,000 points, all of which run.
const manyFile = `base = ["a100_cxl"]
[sweep]
objectives = ["max tokens_per_s", "max batch * context"]
[[sweep.axes]]
key = "workload.batch"
name = "batch"
range = [1, 32]
steps = 10
[[sweep.axes]]
key = "workload.context"
name = "context"
log = [2048, 32768]
steps = 10
[[sweep.axes]]
key = "kv.split.ddr"
name = "ddr"
range = [0.3, 0.45]
steps = 5
[[sweep.axes]]
key = "kv.split.cxl"
name = "cxl"
range = [0.3, 0.5]
steps = 5
[[sweep.axes]]
key = "system.host.cxl.expanders"
values = [2, 4]
[[sweep.axes]]
key = "system.host.ddr.channels"
values = [4, 8]
[[sweep.derive]]
key = "kv.split.hbm"
value = "1 - ddr - cxl"
`

// 10,000 analytic points take at most a minute of two processors and 1 GiB.
func TestTenThousandPoints(t *testing.T) {
	begun := time.Now()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run.toml"), []byte(manyFile), 0o666))
	c := exec.Command(binary, "sweep", "run.toml", "-fidelity", "analytic", "-out", "out", "-j", "2")
	c.Dir = dir
	out, err := c.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "grid: 10000 points of 10000 configurations, 10000 of them run; ")
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("%v, %v of processors, %d MiB", time.Since(begun), c.ProcessState.UserTime()+c.ProcessState.SystemTime(), used.Maxrss>>10)
	require.LessOrEqual(t, c.ProcessState.UserTime()+c.ProcessState.SystemTime(), 2*time.Minute, "of two processors, a minute each")
	require.LessOrEqual(t, used.Maxrss, int64(1<<20), "KiB")
}
