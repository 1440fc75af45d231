package shell

import (
	"embed"
	"fmt"
	"io"
	"strings"
	"text/template"
)

//go:embed completion.bash completion.fish
var scripts embed.FS

var completions = template.Must(template.New("").Funcs(template.FuncMap{
	"quote": quote,
	"join":  strings.Join,
}).ParseFS(scripts, "*"))

// zshNeeds makes zsh understand what bash does.
const zshNeeds = "(( $+functions[compdef] )) || { autoload -U +X compinit && compinit; }\nautoload -U +X bashcompinit && bashcompinit"

// Shells are those that Complete knows.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Complete writes a script that completes the program's command line in a shell.
func Complete(w io.Writer, shell string, p Program) error {
	switch shell {
	case "bash", "fish":
		return completions.ExecuteTemplate(w, "completion."+shell, p)
	case "zsh":
		if _, err := fmt.Fprintln(w, zshNeeds); err != nil {
			return err
		}
		return completions.ExecuteTemplate(w, "completion.bash", p)
	}
	return fmt.Errorf("shell %q: want bash, zsh or fish", shell)
}

// quote makes one word of a text, for any of the shells.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'" }

// Names are the names of the commands.
func (p Program) Names() (names []string) {
	for _, c := range p.Commands {
		names = append(names, c.Name)
	}
	return names
}

// Dashed are the flags with their dashes.
func (c Command) Dashed() (flags []string) {
	for _, f := range c.Flags {
		flags = append(flags, "-"+f.Name)
	}
	return flags
}
