package command

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// calibrateProgram returns a command that runs hwsim calibrate beside a folder
// with one table.
func calibrateProgram(t *testing.T, table, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, "", append([]string{"calibrate"}, strings.Fields(args)...)...)
	require.NoError(t, os.Mkdir(filepath.Join(c.Dir, "tables"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "tables/l.csv"), []byte(table), 0o666))
	return c
}

func TestCalibrateErrorsAreOneLineAProblem(t *testing.T) {
	for _, test := range []struct{ args, err string }{
		{"", `-data "": want a folder of CSV files`},
		{"-data none", `-data "none": want a folder of CSV files`},
		{"tables", `calibrate "tables": wants flags only; see hwsim calibrate -h`},
		{"-data tables -config h210_sxm", `config "h210_sxm": no such file, and no preset of that name (did you mean "h200_sxm"?)`},
		{"-data tables", `l.csv:2: test: "chase" is none of chase_random, chase_host, chase_peer, chase_pages_<n>KiB (did you mean "chase_random"?)`},
	} {
		got := finish(t, calibrateProgram(t, chaseColumns+"chase,cg,1048576,8192,200\n", test.args))
		require.Equal(t, outcome{2, "", "hwsim: " + test.err + "\n"}, got)
	}
	c := calibrateProgram(t, "", "-data .")
	require.NoError(t, os.Remove(filepath.Join(c.Dir, "tables/l.csv")))
	require.Equal(t, outcome{2, "", "hwsim: -data \".\": no CSV files in it\n"}, finish(t, c))
}

func TestCalibratePrintsAConfiguration(t *testing.T) {
	table := chaseColumns + "chase_random,cg,1048576,8192,160\n"
	c := calibrateProgram(t, table, "-data tables -sensitivity")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	require.True(t, strings.HasPrefix(got.out, "base = [\"h200_sxm\"]\n"), got.out)
	require.Contains(t, got.out, "\nl2.hit_ns = ")
	require.Regexp(t, `\n# l2\.crossbar_ns +l\.csv +L2 near `, got.out)
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "mine.toml"), []byte(got.out), 0o666))

	check := validateProgram(t, nil, "-data tables -config mine.toml")
	check.Dir = c.Dir
	require.Zero(t, finish(t, check).code)
}

func TestCalibrateHelpNamesEveryFlag(t *testing.T) {
	got := finish(t, calibrateProgram(t, "", "-h"))
	require.Zero(t, got.code)
	require.LessOrEqual(t, strings.Count(got.out, "\n"), 40)
	(&calibrateOptions{}).flags().VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, "  -"+f.Name+" ") })
}
