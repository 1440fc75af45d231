// Package shell tells shells and man about a command line: scripts that complete it,
// and a manual page. Both are made of the program's own table of commands, flags and
// usage texts; what grows with configurations, such as their keys, a script asks the
// program for.
package shell

// A Program is a command line.
type Program struct {
	Name, Summary, Version string
	Usage                  string    // its text of help
	Commands               []Command // the first is meant where none is named
}

// A Command is one word after the program's name, and what follows.
type Command struct {
	Name, Summary string
	Usage         string // its own text of help, "" if it has none
	Flags         []Flag
	Words         []string // that it takes beside flags; files too
	Ask           string   // a command that prints more such words
}

// A Flag is one of a command.
type Flag struct {
	Name   string   // without its dash
	Alone  bool     // it takes no value
	Values []string // that it can have; none: a file or anything
}
