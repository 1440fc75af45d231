package command

import (
	"bufio"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"

	"hwsim/cmd/hwsim/internal/explain"
)

//go:embed explain.txt
var explainUsage string

// explainOptions are the flags of explain.
type explainOptions struct {
	keys bool
}

func (o *explainOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("explain", flag.ContinueOnError)
	f.BoolVar(&o.keys, "keys", false, "")
	return f
}

// explainKeys says what keys of configurations mean, or which there are.
func (a *App) explainKeys(args []string) error {
	o := &explainOptions{}
	names, err := parse(o.flags(), args)
	switch {
	case err != nil:
		return a.explain(err, explainUsage)
	case o.keys && len(names) > 0:
		return userErrorf("explain %q: -keys lists all: want either; see hwsim explain -h", names[0])
	}
	w := bufio.NewWriter(a.Out)
	return errors.Join(writeExplanations(w, o.keys, names), w.Flush())
}

// writeExplanations writes what is asked for: all names of keys, explanations of some,
// or the tables on top.
func writeExplanations(w io.Writer, all bool, names []string) error {
	switch {
	case all:
		return explain.WriteNames(w)
	case len(names) == 0:
		return explain.WriteEntries(w, explain.Tables())
	}
	for i, name := range names {
		e, err := explain.Key(name)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := e.Write(w); err != nil {
			return err
		}
	}
	return nil
}
