package command

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// parse parses the flags in args, before and after what is not a flag, and
// returns the latter.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	f.SetOutput(io.Discard)
	for {
		if err := f.Parse(args); err != nil {
			return nil, userError{fmt.Errorf("%w; see hwsim -h", err)}
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// given returns the flags that were on the command line.
func given(f *flag.FlagSet) map[string]bool {
	names := map[string]bool{}
	f.Visit(func(f *flag.Flag) { names[f.Name] = true })
	return names
}

// choice is a flag that has one of a few values, at first the default.
type choice struct {
	value  string
	values []string
}

// String implements flag.Value.
func (c *choice) String() string { return c.value }

// Set implements flag.Value.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.values, s) {
		last := len(c.values) - 1
		if last == 0 {
			return fmt.Errorf("want %s", c.values[0])
		}
		return fmt.Errorf("want %s or %s", strings.Join(c.values[:last], ", "), c.values[last])
	}
	c.value = s
	return nil
}

// repeated is a flag that may be given many times.
type repeated []string

// String implements flag.Value.
func (r *repeated) String() string { return strings.Join(*r, " ") }

// Set implements flag.Value.
func (r *repeated) Set(s string) error {
	*r = append(*r, s)
	return nil
}
