package command

import (
	_ "embed"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

//go:embed usage.txt
var usage string

// help prints how to use hwsim.
func (a *App) help([]string) error {
	var list strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&list, "  %-10s%s\n", c.name, c.summary)
	}
	_, err := fmt.Fprint(a.Out, strings.Replace(usage, "{commands}\n", list.String(), 1))
	return err
}

// version prints what this program was built from.
func (a *App) version(args []string) error {
	if rest, err := parse(flag.NewFlagSet("version", flag.ContinueOnError), args); err != nil {
		return err
	} else if len(rest) > 0 {
		return userErrorf("version %q: wants no arguments; see hwsim -h", rest[0])
	}
	version, revision := "(unknown)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(a.Out, "hwsim %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
