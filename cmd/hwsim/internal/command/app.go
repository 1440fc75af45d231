// Package command is hwsim's command line: the table of commands, their flags,
// what they print and how they exit.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"hwsim/configs"
	"hwsim/workloads"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

// Simulate predicts what a configuration describes. When ctx is cancelled it
// returns what is known so far, marked incomplete, or an error.
type Simulate func(ctx context.Context, d *configs.Document, o workloads.Options) (*workloads.Result, error)

// Program is Simulate for a configuration with a core: a program on it.
type Program func(ctx context.Context, d *configs.Document, o program.Options) (*program.Result, error)

// Offload is Simulate for a configuration of offloaded generation, which takes no
// time worth interrupting.
type Offload func(d *configs.Document, o offload.Options) (*offload.Result, error)

// App is one process's command line.
type App struct {
	Out, Err io.Writer
	Simulate Simulate
	Program  Program
	Compare  Compare
	Offload  Offload
}

// command is one word after hwsim, and what it does with the rest.
type command struct {
	name, summary string
	run           func(a *App, args []string) error
}

// commands is the table of all commands. The first may go without its name.
func commands() []command {
	return []command{
		{"run", "simulate a configuration and print the report (may be left out)", (*App).run},
		{"compare", "run a configuration under several KV policies; see hwsim compare -h", (*App).comparePolicies},
		{"sweep", "run a configuration over many values of its keys; see hwsim sweep -h", (*App).sweep},
		{"replay", "drive DRAM channels, or a core, with a request stream; see hwsim replay -h", (*App).replay},
		{"maps", "try address maps of DRAM on a request stream; see hwsim maps -h", (*App).maps},
		{"validate", "compare predictions with measurements; see hwsim validate -h", (*App).validate},
		{"calibrate", "read a system off measurements; see hwsim calibrate -h", (*App).calibrate},
		{"list", "list the presets that configurations can use", (*App).list},
		{"explain", "say what keys of a configuration mean; see hwsim explain -h", (*App).explainKeys},
		{"completion", "print a script that completes in bash, zsh or fish", (*App).completion},
		{"man", "print the manual page, for man -l -", (*App).man},
		{"version", "print the version", (*App).version},
		{"help", "print this text", (*App).help},
	}
}

// Main runs the command that args, without the program's name, ask for, and
// returns the exit code.
func (a *App) Main(args []string) (code int) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(a.Err, "hwsim: internal error: %v\n%s", v, debug.Stack())
			code = exitInternal
		}
	}()
	c, args := find(args)
	err := c.run(a, args)
	if errors.Is(err, flag.ErrHelp) {
		err = a.help(nil)
	}
	a.complain(err)
	return exitCode(err)
}

// complain prints an error, a line for each problem.
func (a *App) complain(err error) {
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(a.Err, "hwsim: %s\n", strings.TrimRight(line, "\n"))
	}
}

// find returns the command that args name and its arguments.
func find(args []string) (command, []string) {
	all := commands()
	for _, c := range all {
		if len(args) > 0 && args[0] == c.name {
			return c, args[1:]
		}
	}
	return all[0], args
}
