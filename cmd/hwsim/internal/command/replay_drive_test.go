package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

func TestReplayOnADriveErrorsAreOneLine(t *testing.T) {
	const exclusive = "-device drives DRAM channels, -config a core, -drive a drive: want one; see hwsim replay -h"
	for _, test := range []struct{ args, err string }{
		{"-drive p4800x_375g -gen rand", `config "p4800x_375g": no such file, and no preset of that name (did you mean "p4800x_375gb"?)`},
		{"-drive p5800x", "no requests: -drive wants -gen; see hwsim replay -h"},
		{"-drive p5800x -gen zip", "-gen zip must be rand or seq"},
		{"-drive p5800x -gen rand -bytes 0", "-bytes 0 must be a multiple of 512 up to 1073741824"},
		{"-drive p5800x -gen rand -bytes 700", "-bytes 700 must be a multiple of 512 up to 1073741824"},
		{"-drive p5800x -gen rand -qd 0", "-qd 0 must be 1 to 65535 with requests of 4096 bytes"},
		{"-drive p5800x -gen rand -qd 65536", "-qd 65536 must be 1 to 65535 with requests of 4096 bytes"},
		{"-drive p5800x -gen rand -n 0", "-n 0 must be at least 1"},
		{"-drive p5800x -gen rand -warm 101", "-warm 101 must be 0 to 100"},
		{"-drive p5800x -gen rand -write 101", "-write 101 must be 0 to 100"},
		{"-drive p5800x -gen rand -format csv", `invalid value "csv" for flag -format: want text or json; see hwsim -h`},
		{"-drive p5800x -gen rand -device hbm3_6400", exclusive},
		{"-device hbm3_6400 -gen rand --drive=p5800x", exclusive},
		{"-config radix -drive p5800x good.csv", exclusive},
		{"-drive p5800x -gen rand -load 10", "-load does not go with -drive; see hwsim replay -h"},
		{"-drive p5800x good.csv", `argument "good.csv": -drive takes no trace, but -gen; see hwsim replay -h`},
		{"-drive h200_sxm -gen rand", `-drive "h200_sxm": has no flash; want one of hwsim list drives or a file like them`},
		{"-drive p5800x -gen rand -set drive.flash.cell=plc", "-set drive.flash.cell=plc: drive.flash.cell: must be slc, mlc, tlc or qlc"},
		{"-drive p5800x -gen rand -set drive.flash.way=2", `-set drive.flash.way=2: drive.flash.way: unknown key (did you mean "ways"?)`},
		{"-drive p4800x_375gb -gen rand -bytes 1073741824 -set drive.flash.ways=1", "requests of 1073741824 bytes: the drive has 60395520"},
	} {
		t.Run(test.args, func(t *testing.T) {
			require.Equal(t, outcome{2, "", "hwsim: " + test.err + "\n"}, finish(t, replayProgram(t, test.args)))
		})
	}
}

func TestReplayOnADrivePrintsText(t *testing.T) {
	got := finish(t, replayProgram(t, "-drive p4800x_375gb -gen rand -n 1000 -qd 16 -write 30"))
	require.Empty(t, got.err)
	require.Equal(t, `p4800x_375gb, 1000 requests of rand, 4096 B, 30 % writes, 16 outstanding

rate           571917 IOPS          2.343 GB/s
read latency   mean 21.86 µs        p50 20.71        p99 41.42  max 55.21
write latency  mean 40.00 µs        p50 38.27        p99 74.45  max 98.80
pages          read 682             programmed 318   from buffer 0
collection     blocks erased 0      pages held up 0  WAF 1.00
flash reads    1.00 of bytes asked  1.00 in cells
wear           erases least 0       most 0           mean 0.00
busy           firmware 17.2 %      channels 97.4 %  dies 5.4 %
time           1748.5 µs            idle at 1748.5
`, got.out)
	got = finish(t, replayProgram(t, "-drive p5800x -gen seq -n 100"))
	require.Contains(t, got.out, "WAF none written")
	require.NotContains(t, got.out, "write latency")
	got = finish(t, replayProgram(t, "-drive samsung_pm9a3 -fill -warm 0.5 -gen rand -n 1000 -qd 256 -write 100 -set drive.flash.channels=1 -set drive.flash.ways=1"))
	require.Contains(t, got.out, "samsung_pm9a3 full after 0.5 drive writes, 1000 requests")
	require.Contains(t, got.out, "\nendurance      TBW ")
}

func TestReplayOnADriveIsDeterministic(t *testing.T) {
	run := func(args string) string {
		got := finish(t, replayProgram(t, "-drive samsung_pm963 -gen rand -n 1000 -qd 8 -write 50 -format json "+args))
		require.Empty(t, got.err)
		return got.out
	}
	first := run("")
	require.Equal(t, first, run("-seed 1"))
	require.NotEqual(t, first, run("-seed 2"))
	var r driveReport
	require.NoError(t, json.Unmarshal([]byte(first), &r))
	require.EqualValues(t, 1000, r.Read.N+r.Write.N)
	require.Greater(t, r.IdleUs, r.TimeUs, "the buffer is programmed after the last write")
	require.InEpsilon(t, r.IOPS*4096/1e9, r.GBps, 1e-9)
}

func TestReplayTakesADriveFromAFile(t *testing.T) {
	c := replayProgram(t, "-drive my.toml -gen rand -n 100 -format json")
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "my.toml"), []byte("base = ['drives/p5800x']\nsubmit_ns = 103000\n"), 0o666))
	var mine, preset driveReport
	require.NoError(t, json.Unmarshal([]byte(finish(t, c).out), &mine))
	require.NoError(t, json.Unmarshal([]byte(finish(t, replayProgram(t, "-drive p5800x -gen rand -n 100 -format json")).out), &preset))
	require.Equal(t, "my", mine.Drive)
	require.InDelta(t, 100, mine.Read.P50-preset.Read.P50, 2, "µs; the preset has 3 of them")
}

func TestListShowsDrives(t *testing.T) {
	got := finish(t, hwsim(t, "", "list", "drives"))
	require.Contains(t, got.out, "drives: hwsim replay -drive NAME\n")
	for _, name := range configs.Presets("drives") {
		require.Contains(t, got.out, "  "+name+" ")
	}
}
