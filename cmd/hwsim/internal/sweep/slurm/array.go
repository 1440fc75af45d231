package slurm

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Array is a job array that runs a sweep, a shard a task.
type Array struct {
	Name    string   // of its jobs, which no others have
	Tasks   int      // shards
	Options []string // of sbatch, without dashes: partition=long
	Folder  string   // where the command runs; absolute
	Shards  string   // where stores and logs of tasks are; absolute
	Command []string // hwsim sweep with all but -shard, -out and Jobs
	Jobs    int      // points at a time of a task; 0: as many as it has processors
}

// ours are the options of sbatch that the script sets for its own ends.
var ours = []string{"job-name", "array", "output", "error", "open-mode", "requeue", "no-requeue", "chdir", "parsable", "wrap"}

var option = regexp.MustCompile(`^([a-z][a-z0-9-]*)(=.*)?$`)

// CheckOption reports why a text is no option of sbatch that an array can have.
func CheckOption(text string) error {
	m := option.FindStringSubmatch(text)
	switch {
	case m == nil || strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%q: want an option of sbatch without its dashes, as partition=long", text)
	case slices.Contains(ours, m[1]):
		return fmt.Errorf("%q: hwsim sets %s itself", text, m[1])
	}
	return nil
}

// CheckFolder reports why Slurm cannot write into a folder by its name.
func CheckFolder(path string) error {
	if strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
		return fmt.Errorf("%q: Slurm takes no backslash in a path", path)
	}
	return nil
}

// Store is the folder of a task's shard. It has the array's size in its name, for an
// array of another size has other shards.
func (a *Array) Store(task int) string { return filepath.Join(a.Shards, a.store(fmt.Sprint(task))) }

// Log is the file of what a task has to say.
func (a *Array) Log(task int) string { return a.Store(task) + ".log" }

func (a *Array) store(task string) string { return fmt.Sprintf("%s_of_%d", task, a.Tasks) }

// Script is the batch script. To the shell every word from outside is quoted.
func (a *Array) Script() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("#!/bin/bash")
	line("# Runs a sweep, a shard a task. Written by hwsim sweep -submit slurm, which submits it,")
	line("# submits lost tasks again and joins what all have done.")
	line("#SBATCH --job-name=%s", a.Name)
	line("#SBATCH --array=0-%d", a.Tasks-1)
	line("#SBATCH --output=%s", directive(strings.ReplaceAll(a.Shards, "%", "%%")+"/"+a.store("%a")+".log"))
	line("#SBATCH --open-mode=append")
	line("#SBATCH --requeue")
	for _, o := range a.Options {
		name, value, has := strings.Cut(o, "=")
		if has {
			name += "=" + directive(value)
		}
		line("#SBATCH --%s", name)
	}
	line("cd -- %s || exit", quote(a.Folder))
	jobs := `"${SLURM_CPUS_ON_NODE:-1}"`
	if a.Jobs > 0 {
		jobs = fmt.Sprint(a.Jobs)
	}
	var words []string
	for _, w := range a.Command {
		words = append(words, quote(w))
	}
	line("exec %s -j %s \\", strings.Join(words, " "), jobs)
	line(`  -shard "$SLURM_ARRAY_TASK_ID"/%d -out %s/"$SLURM_ARRAY_TASK_ID"_of_%[1]d >/dev/null`, a.Tasks, quote(a.Shards))
	return []byte(b.String())
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=,+@%-]+$`)

// quote makes one word of a text, for the shell.
func quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// directive makes one word of a text, for a line of #SBATCH.
func directive(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
