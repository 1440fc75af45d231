package command

import (
	_ "embed"
	"fmt"
	"runtime"
	"strings"

	"hwsim/devices/dram"
)

//go:embed usage.txt
var usage string

// help prints how to use hwsim.
func (a *App) help([]string) error {
	_, err := fmt.Fprint(a.Out, fullUsage(usage))
	return err
}

// fullUsage puts the lists that a usage text asks for into it.
func fullUsage(text string) string {
	var list strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&list, "  %-12s%s\n", c.name, c.summary)
	}
	text = strings.Replace(text, "{commands}\n", list.String(), 1)
	return strings.Replace(text, "{devices}", wrap(dram.Standards(), 72, "  "), 1)
}

// version prints what this program was built from.
func (a *App) version(args []string) error {
	if err := noArguments("version", args); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.Out, versionText())
	return err
}

// versionText is the program's version, which says +dirty if it is not only of the
// revision behind it, and the compiler's.
func versionText() string {
	b := builtFrom()
	text := "hwsim " + b.version
	if b.revision != "" {
		text += " " + b.revision
	}
	return fmt.Sprintf("%s %s %s/%s", text, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
