package report

import (
	"fmt"
	"io"
	"strings"

	"hwsim/workloads"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

// A format is a way to write a result.
type format[R any] struct {
	name  string
	write func(io.Writer, R) error
}

// The formats of a decode step, of a program on a core and of offloaded generation,
// the default first.
var (
	formats        = []format[*workloads.Result]{{"text", Text}, {"json", JSON}, {"csv", CSV}}
	programFormats = []format[*program.Result]{{"text", ProgramText}, {"json", ProgramJSON}, {"csv", ProgramCSV}}
	offloadFormats = []format[*offload.Result]{{"text", OffloadText}, {"json", OffloadJSON}, {"csv", OffloadCSV}}
)

// Formats returns the names that Write and its kin know, the default first.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Write writes r in the format of that name.
func Write(w io.Writer, format string, r *workloads.Result) error {
	return writeAs(w, formats, format, r)
}

// WriteProgram is Write for a program on a core.
func WriteProgram(w io.Writer, format string, r *program.Result) error {
	return writeAs(w, programFormats, format, r)
}

// WriteOffload is Write for offloaded generation.
func WriteOffload(w io.Writer, format string, r *offload.Result) error {
	return writeAs(w, offloadFormats, format, r)
}

func writeAs[R any](w io.Writer, formats []format[R], name string, r R) error {
	for _, f := range formats {
		if f.name == name {
			return f.write(w, r)
		}
	}
	return fmt.Errorf("format %q is none of %s", name, strings.Join(Formats(), ", "))
}
