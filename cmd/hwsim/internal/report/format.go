package report

import (
	"fmt"
	"io"
	"strings"

	"hwsim/workloads"
)

// formats are the ways to write a result, the default first.
var formats = []struct {
	name  string
	write func(io.Writer, *workloads.Result) error
}{
	{"text", Text},
	{"json", JSON},
	{"csv", CSV},
}

// Formats returns the names that Write knows, the default first.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Write writes r in the format of that name.
func Write(w io.Writer, format string, r *workloads.Result) error {
	for _, f := range formats {
		if f.name == format {
			return f.write(w, r)
		}
	}
	return fmt.Errorf("format %q is none of %s", format, strings.Join(Formats(), ", "))
}
