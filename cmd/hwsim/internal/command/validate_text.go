package command

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"hwsim/validation"
)

// writeValidation writes a report: errors by table and regime first, then
// what is not in them, and at its end a note.
func writeValidation(w io.Writer, r *validation.Report, note string) error {
	p := &bytes.Buffer{}
	fmt.Fprintf(p, "%spredictions for %s, errors of times in %%%s\n", mark(r), r.Config, sampleNote(r))
	for rest := r.Tables; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(s validation.Score) bool { return s.File != rest[0].File })
		if n < 0 {
			n = len(rest)
		}
		writeTable(p, rest[:n])
		rest = rest[n:]
	}
	writeOmissions(p, r.NotSimulated)
	writeRefusals(p, r.AbovePeak)
	writeUnknown(p, r.Unrecognised)
	p.WriteString(note)
	_, err := w.Write(p.Bytes())
	return err
}

func mark(r *validation.Report) string {
	if r.Complete {
		return ""
	}
	return "INTERRUPTED  "
}

func sampleNote(r *validation.Report) string {
	if r.Quick {
		return "; a sample of the rows"
	}
	return ""
}

// writeTable writes the scores of one table.
func writeTable(p *bytes.Buffer, scores []validation.Score) {
	fmt.Fprintf(p, "\n%s: %s\n", scores[0].File, scores[0].Layout)
	t := tabwriter.NewWriter(p, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-*s\tn\tof\tMAPE\tmedian\tp90\tbias\tby time\tfit\trepeat\tbound\t\n", bucketColumns, "")
	for i := range scores {
		s := &scores[i]
		above := ""
		if s.Exceeds() {
			above = "  above"
		}
		fmt.Fprintf(t, "%-*s\t%d\t%d\t%.2f\t%.2f\t%.2f\t%+.2f\t%.2f\t%s\t%s\t%s\t%s\n", bucketColumns, s.Bucket, s.N, s.Of, s.MAPE, s.Median, s.P90, s.Bias,
			s.TimeWeighted, optional("%.2f", s.BaselineMAPE), optional("%.2f", s.RepeatMAPE), optional("%g", s.Bound), above)
	}
	t.Flush()
}

const bucketColumns = 22

// optional writes a figure that there may not be.
func optional(format string, v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v)
}

func writeOmissions(p *bytes.Buffer, all []validation.Omission) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(p, "\nwithout a prediction:\n")
	t := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	for _, o := range all {
		what := o.Layout
		if o.Bucket != "" {
			what += ", " + o.Bucket
		}
		fmt.Fprintf(t, "  %s\t%d rows\t%s\t%s\n", o.File, o.Rows, what, oneLine(o.Reason))
	}
	t.Flush()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func writeRefusals(p *bytes.Buffer, all []validation.Refusal) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(p, "\nfaster than the machine can be, left out:\n")
	for _, f := range all {
		fmt.Fprintf(p, "  %s:%d  %s: %.1f GB/s, above the %.1f of its %s\n", f.File, f.Line, f.Row, f.GBps, f.Most, f.Bound)
	}
}

func writeUnknown(p *bytes.Buffer, all []validation.Unknown) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(p, "\nnot recognised:\n")
	for _, u := range all {
		fmt.Fprintf(p, "  %s: columns %s", u.File, strings.Join(u.Columns, ", "))
		if u.Nearest != "" {
			fmt.Fprintf(p, "; nearest is %s, which has %s", u.Nearest, strings.Join(u.Missing, ", "))
		}
		fmt.Fprintln(p)
	}
}
