package command

import (
	"flag"
	"runtime/debug"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/shell"
	"hwsim/configs"
	"hwsim/devices/dram"
)

// completion prints a script that completes hwsim's command line in a shell.
func (a *App) completion(args []string) error {
	rest, err := parse(flag.NewFlagSet("completion", flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || !slices.Contains(shell.Shells(), rest[0]) {
		return userErrorf("completion %q: want one of %s", strings.Join(rest, " "), strings.Join(shell.Shells(), ", "))
	}
	return shell.Complete(a.Out, rest[0], commandLine())
}

// man prints the manual's page.
func (a *App) man(args []string) error {
	if err := noArguments("man", args); err != nil {
		return err
	}
	return shell.Man(a.Out, commandLine())
}

// noArguments reports arguments of a command that has none.
func noArguments(name string, args []string) error {
	rest, err := parse(flag.NewFlagSet(name, flag.ContinueOnError), args)
	if err == nil && len(rest) > 0 {
		err = userErrorf("%s %q: wants no arguments; see hwsim -h", name, rest[0])
	}
	return err
}

// commandLine is hwsim's command line.
func commandLine() shell.Program {
	p := shell.Program{
		Name: "hwsim", Summary: "simulate memory hierarchies under language models and programs",
		Version: versionText(), Usage: fullUsage(usage),
	}
	for _, c := range commands() {
		s := syntaxOf(c.name)
		one := shell.Command{Name: c.name, Summary: c.summary, Usage: fullUsage(s.usage), Words: s.words, Ask: s.ask}
		for _, set := range s.flags {
			set.VisitAll(func(f *flag.Flag) { one.Flags = append(one.Flags, shellFlag(f)) })
		}
		one.Flags = slices.CompactFunc(sorted(one.Flags), func(a, b shell.Flag) bool { return a.Name == b.Name })
		p.Commands = append(p.Commands, one)
	}
	return p
}

// sorted puts flags in order, and of equal ones that with values first.
func sorted(flags []shell.Flag) []shell.Flag {
	slices.SortStableFunc(flags, func(a, b shell.Flag) int {
		if a.Name == b.Name {
			return len(b.Values) - len(a.Values)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return flags
}

// shellFlag tells what a flag can be, by its type or, where it names presets, its name.
func shellFlag(f *flag.Flag) shell.Flag {
	s := shell.Flag{Name: f.Name}
	if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok {
		s.Alone = b.IsBoolFlag()
	}
	if c, ok := f.Value.(*choice); ok {
		s.Values = c.values
	}
	switch f.Name {
	case "config":
		s.Values = configs.Presets("")
	case "policies":
		s.Values = append([]string{base}, configs.Presets("policies")...)
	case "device":
		s.Values = dram.Standards()
	case "drive":
		s.Values = configs.Presets("drives")
	}
	return s
}

// syntax is what may follow a command.
type syntax struct {
	usage string // the text of its -h, "" if that is hwsim's
	flags []*flag.FlagSet
	words []string // beside flags
	ask   string   // a command that prints more such words
}

func syntaxOf(command string) syntax {
	presets := configs.Presets("")
	switch command {
	case "run":
		return syntax{flags: []*flag.FlagSet{newOptions().flags()}, words: presets}
	case "compare":
		return syntax{compareUsage, []*flag.FlagSet{(&compareOptions{options: *newOptions()}).flags()}, presets, ""}
	case "sweep":
		return syntax{sweepUsage, []*flag.FlagSet{newSweepOptions().flags()}, presets, ""}
	case "replay":
		return syntax{replayUsage, []*flag.FlagSet{newReplayOptions().flags(), newProgramOptions().flags(), (&driveOptions{}).flags()}, nil, ""}
	case "maps":
		return syntax{mapsUsage, []*flag.FlagSet{(&streamOptions{command: "maps"}).flags()}, nil, ""}
	case "validate":
		return syntax{validateUsage, []*flag.FlagSet{(&validateOptions{}).flags()}, nil, ""}
	case "calibrate":
		return syntax{calibrateUsage, []*flag.FlagSet{(&calibrateOptions{}).flags()}, nil, ""}
	case "explain":
		return syntax{explainUsage, []*flag.FlagSet{(&explainOptions{}).flags()}, nil, "hwsim explain -keys"}
	case "list":
		return syntax{words: folderNames()}
	case "completion":
		return syntax{words: shell.Shells()}
	}
	return syntax{}
}

// build is what this program was built from, as far as the compiler has noted it.
type build struct {
	version, revision string // "(unknown)" and ""
	modified          bool   // there was more than the revision
}

func builtFrom() build {
	b := build{version: "(unknown)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.modified":
			b.modified = s.Value == "true"
		}
	}
	return b
}
