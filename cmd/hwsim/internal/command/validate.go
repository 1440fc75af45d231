package command

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"hwsim/validation"
	"hwsim/validation/published"
)

//go:embed validate.txt
var validateUsage string

// validateOptions are the flags of validate.
type validateOptions struct {
	data, config string
	quick, all   bool
	published    bool
	format       choice
	dir          string
	force        bool
	against      string // path of an earlier report.json
	earlier      *validation.Report
}

// flags binds the options to their flags; validate.txt describes them.
func (o *validateOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("validate", flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "")
	f.StringVar(&o.config, "config", "h200", "")
	f.BoolVar(&o.quick, "quick", false, "")
	f.BoolVar(&o.all, "all", false, "")
	f.BoolVar(&o.published, "published", false, "")
	o.format = choice{"text", []string{"text", "json"}}
	f.Var(&o.format, "format", "")
	f.StringVar(&o.dir, "o", "", "")
	f.BoolVar(&o.force, "force", false, "")
	f.StringVar(&o.against, "against", "", "")
	return f
}

// parse reads the flags; there are no other arguments.
func (o *validateOptions) parse(args []string) error {
	f := o.flags()
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return userErrorf("validate %q: wants flags only; see hwsim validate -h", rest[0])
	}
	if o.quick && o.all {
		return userErrorf("validate: -quick and -all exclude each other")
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.published && (len(given) > 2 || len(given) == 2 && !given["all"]) {
		return userErrorf("validate: -published goes with -all alone")
	}
	if given["data"] {
		if err := checkData(o.data); err != nil {
			return err
		}
	}
	if given["against"] {
		if o.earlier, err = o.readEarlier(); err != nil {
			return err
		}
	}
	return checkValidationOutputs(o.dir, o.force)
}

// readEarlier reads the report of the earlier run, which must have been of the
// same kind.
func (o *validateOptions) readEarlier() (*validation.Report, error) {
	r, err := readReport(o.against)
	switch {
	case err != nil:
		return nil, err
	case !r.Complete:
		return nil, userErrorf("-against %q: that run was interrupted", o.against)
	case r.Config != o.config:
		return nil, userErrorf("-against %q: that run was of -config %s, this is of %s", o.against, r.Config, o.config)
	case r.Quick != o.quick:
		return nil, userErrorf("-against %q: of that run and this, one is -quick", o.against)
	}
	return r, nil
}

// readReport reads a report in JSON.
func readReport(path string) (*validation.Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, userErrorf("-against: %w", err)
	}
	r := &validation.Report{}
	if err := json.Unmarshal(text, r); err != nil || r.Schema != validation.Schema {
		return nil, userErrorf("-against %q: want a report of validate in JSON, schema %d", path, validation.Schema)
	}
	return r, nil
}

// validate compares tables of measurements with predictions.
func (a *App) validate(args []string) error {
	o := &validateOptions{}
	err := o.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err := fmt.Fprint(a.Out, validateUsage)
		return err
	}
	if err != nil {
		return err
	}
	if o.published {
		return a.comparePublished(o.all)
	}
	r, err := a.compare(o)
	if err != nil {
		return err
	}
	return errors.Join(a.writeComparison(o, r), verdict(r, o.earlier))
}

// comparePublished prints the figures of papers beside ours: those that follow
// from bytes, and those that need simulation if wanted.
func (a *App) comparePublished(all bool) error {
	rows, err := published.ClosedForms()
	if err != nil {
		return err
	}
	if all {
		ctx, stop := untilInterrupt()
		defer stop()
		simulated, err := published.Simulated(ctx)
		if err != nil && ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return err
		}
		rows = append(rows, simulated...)
	}
	return published.Table(a.Out, rows)
}

// writeComparison writes a report where it was asked for.
func (a *App) writeComparison(o *validateOptions, r *validation.Report) error {
	note, err := saveValidation(o.dir, o.force, r)
	if o.format.value == "json" {
		return errors.Join(err, writeValidationJSON(a.Out, r))
	}
	return errors.Join(err, writeValidation(a.Out, r, note))
}

// compare runs the validation until it ends or Ctrl-C.
func (a *App) compare(o *validateOptions) (*validation.Report, error) {
	ctx, stop := untilInterrupt()
	defer stop()
	options := validation.Options{Config: o.config, Quick: o.quick, All: o.all}
	if o.data != "" {
		options.Data = os.DirFS(o.data)
	}
	if isTerminal(a.Err) {
		options.Progress = a.progress
		defer fmt.Fprint(a.Err, "\r\x1b[K")
	}
	r, err := validation.Run(ctx, options)
	if errors.Is(err, validation.ErrNoTables) {
		return nil, userErrorf("-data %q: %w", o.data, err)
	}
	return r, err
}

// progress rewrites a line that tells how far the simulations are.
func (a *App) progress(done, total int) {
	fmt.Fprintf(a.Err, "\r\x1b[K%d of %d simulations", done, total)
}

// isTerminal tells whether someone may be reading along.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// worsePoints is by how much a row's error may grow on an earlier report's
// before that counts.
const worsePoints = 1

// verdict is the error that a report amounts to: that it is not whole, that a
// prediction is worse than stated or, if there is one, than in an earlier
// report.
func verdict(r, earlier *validation.Report) error {
	if !r.Complete {
		return errInterrupted
	}
	var lines []string
	for _, s := range r.Exceeded() {
		lines = append(lines, fmt.Sprintf("%s: %s: MAPE %.2f %% is above the bound of %g %%", s.File, s.Bucket, s.MAPE, *s.Bound))
	}
	if earlier != nil {
		for _, w := range validation.Regressions(earlier, r, worsePoints) {
			lines = append(lines, w.String())
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

func writeValidationJSON(w io.Writer, r *validation.Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
