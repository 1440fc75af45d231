package command

import (
	"flag"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/shell"
	"hwsim/configs"
)

func TestScriptsCompleteEveryCommandFlagAndPreset(t *testing.T) {
	for _, name := range shell.Shells() {
		got := finish(t, hwsim(t, "", "completion", name))
		require.Zero(t, got.code, got.err)
		require.Empty(t, got.err)
		for _, c := range commands() {
			require.Contains(t, got.out, c.name)
		}
		for _, p := range append(configs.Presets(""), configs.Presets("policies")...) {
			require.Contains(t, got.out, p)
		}
		newOptions().flags().VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, f.Name) })
		if _, err := exec.LookPath(name); err == nil {
			c := exec.Command(name, "-n")
			c.Stdin = strings.NewReader(got.out)
			out, err := c.CombinedOutput()
			require.NoError(t, err, string(out))
		}
	}
}

// What a command's usage text has, completion has, and the other way round.
func TestFlagsOfTheCommandLineAreThoseOfItsTexts(t *testing.T) {
	for _, c := range commandLine().Commands {
		text := c.Usage
		if c.Name == "run" {
			text = usage
		}
		for _, f := range c.Flags {
			require.Contains(t, text, "-"+f.Name, c.Name)
		}
		if c.Usage != "" {
			require.NotEmpty(t, c.Flags, c.Name)
			require.NotContains(t, c.Usage, "{devices}")
		}
		require.Equal(t, strings.Contains(c.Summary, "hwsim "+c.Name+" -h"), c.Usage != "", c.Name)
	}
}

func TestTheManualHasEveryUsageText(t *testing.T) {
	got := finish(t, hwsim(t, "", "man"))
	require.Zero(t, got.code, got.err)
	for _, c := range commandLine().Commands {
		require.Contains(t, got.out, ".B "+c.Name+"\n")
		require.Equal(t, c.Usage != "", strings.Contains(got.out, ".SH \"HWSIM "+strings.ToUpper(c.Name)+"\""), c.Name)
	}
	if _, err := exec.LookPath("groff"); err == nil {
		c := exec.Command("groff", "-man", "-Tutf8", "-ww", "-z")
		c.Stdin = strings.NewReader(got.out)
		out, err := c.CombinedOutput()
		require.NoError(t, err)
		require.Empty(t, string(out))
	}
}

func TestExplainSaysWhatKeysMean(t *testing.T) {
	got := finish(t, hwsim(t, "", "explain", "kv.copy_bytes", "kv.split"))
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "kv.copy_bytes  integer, bytes\n")
	require.Contains(t, got.out, "\n\nkv.split     table\n")
	top := finish(t, hwsim(t, "", "explain"))
	require.Contains(t, top.out, "  workload  table  Workload is what is replayed")
	all := finish(t, hwsim(t, "", "explain", "-keys"))
	require.Contains(t, all.out, "\nkv.split.hbm\n")
	(&explainOptions{}).flags().VisitAll(func(f *flag.Flag) { require.Contains(t, explainUsage, "  -"+f.Name+" ") })
	require.Equal(t, explainUsage, finish(t, hwsim(t, "", "explain", "-h")).out)
}

func TestMistakesInShellCommandsAreOneLine(t *testing.T) {
	for args, want := range map[string]string{
		"explain kv.spilt":   `"kv.spilt": unknown key (did you mean "kv.split"?)`,
		"explain -keys kv":   `explain "kv": -keys lists all: want either; see hwsim explain -h`,
		"completion":         `completion "": want one of bash, zsh, fish`,
		"completion csh":     `completion "csh": want one of bash, zsh, fish`,
		"completion bash it": `completion "bash it": want one of bash, zsh, fish`,
		"man 1":              `man "1": wants no arguments; see hwsim -h`,
	} {
		got := finish(t, hwsim(t, "", strings.Fields(args)...))
		require.Equal(t, outcome{2, "", "hwsim: " + want + "\n"}, got, args)
	}
}
