package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/cmd/hwsim/internal/sweep/slurm"
	"hwsim/cmd/hwsim/internal/sweep/store"
)

// What a sweep that runs elsewhere has in its folder beside its store.
const (
	scriptFile   = "array.sbatch"
	manifestFile = "job.yaml"
	shardsFolder = "shards"
)

// elsewhere are the flags of sweeps that do not run here, by what they belong to.
var elsewhere = []struct{ name, of string }{{"slurm", "submit"}, {"image", "manifest"}, {"claim", "manifest"}}

// checkCluster reports flags that do not go with where the sweep runs.
func (o *sweepOptions) checkCluster() error {
	for _, f := range elsewhere {
		if o.given[f.name] && !o.given[f.of] {
			return userErrorf("-%s: belongs to -%s; see hwsim sweep -h", f.name, f.of)
		}
	}
	remote := o.given["submit"] || o.given["manifest"]
	for _, name := range []string{"tasks", "force"} {
		if o.given[name] && !remote {
			return userErrorf("-%s: belongs to -submit and -manifest; see hwsim sweep -h", name)
		}
	}
	for _, name := range []string{"shard", "cpuprofile"} {
		if o.given[name] && remote {
			return userErrorf("-%s: does not go with -submit and -manifest, which run no points here", name)
		}
	}
	switch {
	case o.given["submit"] && o.given["manifest"]:
		return userErrorf("-submit and -manifest: want one of them")
	case o.given["manifest"] && o.image == "":
		return userErrorf("-manifest: wants -image, a container image with hwsim in it")
	case o.given["manifest"] && o.given["memo"]:
		return userErrorf("-memo: does not go with -manifest, whose tasks have no folder but the claim's")
	}
	for _, one := range o.slurm {
		if err := slurm.CheckOption(one); err != nil {
			return userErrorf("-slurm %w", err)
		}
	}
	return nil
}

// checkTasks reports a number of shards that the sweep cannot have.
func (s *sweeping) checkTasks() error {
	if n := len(s.design.Points); s.options.tasks < 1 || s.options.tasks > n {
		return userErrorf("-tasks %d: want 1 to the sweep's %d points", s.options.tasks, n)
	}
	return nil
}

// id names what a cluster has of a sweep in a folder as nothing else is named.
func (s *sweeping) id(folder string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", s.header.Sweep, s.options.tasks, folder))
	return fmt.Sprintf("hwsim-%x", sum[:6])
}

// arguments are the command line of a shard, but for what only its task knows.
func (s *sweeping) arguments(config string) []string {
	o := s.options
	return []string{"sweep", config, "-fidelity", o.fidelity.value, "-seed", strconv.FormatUint(o.seed, 10)}
}

// submit runs the sweep as a job array, waits for it, and prints what all points tell.
func (s *sweeping) submit() (err error) {
	if err := slurm.Check(); err != nil {
		return err
	}
	a, err := s.array()
	if err != nil {
		return err
	}
	kept, err := store.Open(s.options.dir, s.header)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if err := s.prepare(a); err != nil {
		return err
	}
	ctx, stop := untilInterrupt()
	defer stop()
	followErr := s.follow(ctx, a, kept)
	records, err := s.join(a, kept)
	if err != nil {
		return errors.Join(followErr, err)
	}
	_, some := errors.AsType[*slurm.GivenUp](followErr)
	switch {
	case followErr == nil || some:
		return errors.Join(s.app.tellSweep(s.design, s.header, records, s.options), followErr)
	case ctx.Err() != nil:
		return interrupted{fmt.Errorf("left alone: %d of %d points are done, tasks go on; the same command follows them, scancel --name=%s ends them",
			len(records), len(s.design.Points), a.Name)}
	}
	return followErr
}

// prepare writes what tasks and merging need.
func (s *sweeping) prepare(a *slurm.Array) error {
	if err := saveTable(s.options.dir, s.table); err != nil {
		return err
	}
	if err := os.MkdirAll(a.Shards, 0o777); err != nil {
		return UserError(err)
	}
	return saveSame(s.script(), s.options.force, a.Script())
}

func (s *sweeping) script() string { return filepath.Join(s.options.dir, scriptFile) }

// array is the job array, whose tasks need nothing of this process.
func (s *sweeping) array() (*slurm.Array, error) {
	if err := s.checkTasks(); err != nil {
		return nil, err
	}
	program, err := ownPath()
	if err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the folder: %w", err)
	}
	shards, err := filepath.Abs(filepath.Join(s.options.dir, shardsFolder))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", s.options.dir, err)
	}
	if err := slurm.CheckFolder(shards); err != nil {
		return nil, userErrorf("-out %w", err)
	}
	a := &slurm.Array{
		Name: s.id(shards), Tasks: s.options.tasks, Options: s.options.slurm, Folder: here, Shards: shards,
		Command: append([]string{program}, s.arguments(s.options.config)...),
	}
	for _, set := range s.options.sets {
		a.Command = append(a.Command, "-set", set)
	}
	switch {
	case s.options.memo != "":
		a.Command = append(a.Command, "-memo", s.options.memo)
	case s.windowed(): // which tasks can share
		a.Command = append(a.Command, "-memo", filepath.Join(filepath.Dir(shards), memoFolder))
	}
	if s.options.given["j"] {
		a.Jobs = s.options.jobs
	}
	return a, nil
}

// ownPath is this program's path, which must stay when it ends.
func ownPath() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	if strings.Contains(path, "go-build") && filepath.Base(filepath.Dir(path)) == "exe" {
		return "", userErrorf("-submit: go run deletes its program, which tasks need: want one that go build has built, where nodes have it too")
	}
	return path, nil
}

// follow submits the array and waits until its shards are whole, unless the store has
// all points already.
func (s *sweeping) follow(ctx context.Context, a *slurm.Array, kept *store.Store) error {
	all := sweep.Shard{Index: 0, Of: 1}
	if s.design.Wanted(kept.Records(), s.version, all) == 0 {
		newProgress(s.app.Err, 0).end(sweep.Stats{}, nil)
		return nil
	}
	tell := newProgress(s.app.Err, len(s.design.Points))
	begun := false
	f := &slurm.Follower{
		Array: *a, Script: s.script(),
		Left: func(task int) (int, error) {
			records, err := store.Begun(a.Store(task), s.header)
			return s.design.Wanted(records, s.version, sweep.Shard{Index: task, Of: a.Tasks}), err
		},
		Told: func(now slurm.Status) {
			if !begun { // what was done before tells nothing of the rate
				begun, tell.total = true, now.Left
			}
			tell.at(tell.total-now.Left, "; "+now.String())
		},
		Note: func(lines string) { tell.note("%s", lines) },
	}
	return f.Run(ctx)
}

// join adds what shards have to the sweep's store and returns all records.
func (s *sweeping) join(a *slurm.Array, kept *store.Store) ([]store.Record, error) {
	all := slices.Clone(kept.Records())
	for task := range a.Tasks {
		records, err := store.Begun(a.Store(task), s.header)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	finished, err := store.OfVersion(all, s.version)
	if err != nil {
		return nil, err
	}
	return finished, appendMissing(kept, finished)
}

// saveSame is saveFile for a file that may be there already if it is the same.
func saveSame(path string, force bool, content []byte) error {
	if have, err := os.ReadFile(path); err == nil && !force {
		if bytes.Equal(have, content) {
			return nil
		}
		return userErrorf("%s is another than this command writes; -force overwrites it", path)
	}
	return saveFile(path, force, content)
}
