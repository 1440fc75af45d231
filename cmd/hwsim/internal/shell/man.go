package shell

import (
	"fmt"
	"io"
	"strings"
)

// Man writes the program's page of section 1 of the manual, in roff with the man
// macros. Texts of help stand in it as they are.
func Man(w io.Writer, p Program) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s\n", roff(strings.ToUpper(p.Name)), argument(p.Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(p.Name), roff(p.Summary))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.RI [ COMMAND ]\n.RI [ ARGUMENT ...]\n", roff(p.Name))
	b.WriteString(".SH DESCRIPTION\n")
	verbatim(&b, p.Usage)
	b.WriteString(".SH COMMANDS\n")
	for _, c := range p.Commands {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(c.Name), roff(c.Summary))
	}
	for _, c := range p.Commands {
		if c.Usage != "" {
			fmt.Fprintf(&b, ".SH %s\n", argument(strings.ToUpper(p.Name+" "+c.Name)))
			verbatim(&b, c.Usage)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verbatim writes lines as they are.
func verbatim(b *strings.Builder, text string) {
	b.WriteString(".nf\n")
	for line := range strings.Lines(strings.TrimSpace(text)) {
		b.WriteString(roff(strings.TrimRight(line, "\n")) + "\n")
	}
	b.WriteString(".fi\n")
}

var special = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// roff writes a line of text so that none of it is a command of roff.
func roff(line string) string {
	if strings.HasPrefix(line, ".") {
		line = special.Replace(line)
		return `\&` + line
	}
	return special.Replace(line)
}

// argument writes a text as one argument of a macro.
func argument(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"` }
