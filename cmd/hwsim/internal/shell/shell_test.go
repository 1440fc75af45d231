package shell

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var small = Program{
	Name: "tool", Summary: "does things", Version: "tool 1", Usage: "tool does things.\n\n  tool -x 'a\\b'\n.so /etc/passwd\n",
	Commands: []Command{
		{Name: "run", Summary: "run it, isn't it", Flags: []Flag{{Name: "format", Values: []string{"text", "json"}}, {Name: "force", Alone: true}, {Name: "o"}}, Words: []string{"one", "two.5"}},
		{Name: "list", Summary: "list", Usage: "tool list lists\n", Words: []string{"systems"}, Ask: "echo asked"},
	},
}

func script(t *testing.T, shell string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Complete(&b, shell, small))
	return b.String()
}

// need skips a test where a program is not there.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(err)
	}
}

func TestScriptsAreOfTheirShell(t *testing.T) {
	for _, shell := range Shells() {
		t.Run(shell, func(t *testing.T) {
			need(t, shell)
			c := exec.Command(shell, "-n")
			c.Stdin = strings.NewReader(script(t, shell))
			out, err := c.CombinedOutput()
			require.NoError(t, err, string(out))
			require.Empty(t, string(out))
		})
	}
	require.EqualError(t, Complete(&bytes.Buffer{}, "csh", small), `shell "csh": want bash, zsh or fish`)
}

// completed are the words that a command line can go on with, by its last one.
var completed = []struct{ line, want string }{
	{"r", "run"},
	{"li", "list"},
	{"-f", "-format -force"},
	{"tw", "two.5"},
	{"run -format ", "text json"},
	{"run -format j", "json"},
	{"run -o ", ""},
	{"run -force t", "two.5"},
	{"-format t", "text"},
	{"list s", "systems"},
	{"list a", "asked"},
	{"list -f", ""},
}

func TestBashCompletes(t *testing.T) {
	need(t, "bash")
	for _, test := range completed {
		words := strings.Split("tool "+test.line, " ")
		call := fmt.Sprintf("%s\nCOMP_WORDS=(", script(t, "bash"))
		for _, w := range words {
			call += quote(w) + " "
		}
		call += fmt.Sprintf(")\nCOMP_CWORD=%d\n_tool\necho \"${COMPREPLY[*]}\"\n", len(words)-1)
		out, err := exec.Command("bash", "-c", call).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, test.want, strings.TrimSpace(string(out)), test.line)
	}
}

func TestFishCompletes(t *testing.T) {
	need(t, "fish")
	for _, test := range completed {
		call := script(t, "fish") + "\ncomplete -C " + quote("tool "+test.line) + "\n"
		c := exec.Command("fish", "--no-config", "-c", call)
		c.Dir = t.TempDir() // without files to name
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		var words []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			words = append(words, word)
		}
		require.ElementsMatch(t, strings.Fields(test.want), words, test.line)
	}
}

func TestThePageIsOfTheManual(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Man(&b, small))
	page := b.String()
	for _, want := range []string{".TH TOOL 1 ", ".SH NAME\ntool \\- does things\n", ".SH COMMANDS\n", ".B list\n", ".SH \"TOOL LIST\"\n", "\n\\&.so /etc/passwd\n", `a\eb`} {
		require.Contains(t, page, want)
	}
	need(t, "groff")
	c := exec.Command("groff", "-man", "-Tascii", "-ww", "-P-cbou")
	c.Stdin = &b
	var out, complaints bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaints
	require.NoError(t, c.Run(), complaints.String())
	require.Empty(t, complaints.String())
	for _, want := range []string{"tool - does things", "tool -x 'a\\b'", ".so /etc/passwd", "run it, isn't it", "TOOL LIST"} {
		require.Contains(t, out.String(), want)
	}
}
