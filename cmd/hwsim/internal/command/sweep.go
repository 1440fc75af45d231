package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/page"
	"hwsim/cmd/hwsim/internal/report"
	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/cmd/hwsim/internal/sweep/store"
	"hwsim/configs"
	"hwsim/workloads"
)

//go:embed sweep.txt
var sweepUsage string

// sweepTable is the table that makes a configuration a sweep; sweepFile has it beside
// the outcomes, for -merge, and frontFile is a picture of them.
const (
	sweepTable = "sweep"
	sweepFile  = "sweep.toml"
	frontFile  = "pareto.svg"
)

// sweepOptions are the flags of sweep.
type sweepOptions struct {
	options
	shard string
	memo  string
	merge bool
	dirs  []string // to merge
	jobs  int

	submit, manifest choice // where shards run, if not here
	tasks            int    // shards, of those
	slurm            repeated
	image, claim     string
}

func newSweepOptions() *sweepOptions {
	return &sweepOptions{
		options:  *newOptions(),
		submit:   choice{"", []string{"slurm"}},
		manifest: choice{"", []string{"kubernetes"}},
	}
}

func (o *sweepOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("sweep", flag.ContinueOnError)
	f.StringVar(&o.config, "config", "", "")
	f.StringVar(&o.dir, "out", "", "")
	f.Var(&o.sets, "set", "")
	f.Var(&o.fidelity, "fidelity", "")
	f.Uint64Var(&o.seed, "seed", o.seed, "")
	f.IntVar(&o.jobs, "j", runtime.GOMAXPROCS(0), "")
	f.StringVar(&o.shard, "shard", "0/1", "")
	f.StringVar(&o.memo, "memo", "", "")
	f.BoolVar(&o.merge, "merge", false, "")
	f.Var(&o.submit, "submit", "")
	f.IntVar(&o.tasks, "tasks", 8, "")
	f.Var(&o.slurm, "slurm", "")
	f.Var(&o.manifest, "manifest", "")
	f.StringVar(&o.image, "image", "", "")
	f.StringVar(&o.claim, "claim", "hwsim", "")
	f.BoolVar(&o.force, "force", false, "")
	f.Var(&o.format, "format", "")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "")
	return f
}

// parse reads the flags, and the configuration or the folders, which need none.
func (o *sweepOptions) parse(args []string) error {
	f := o.flags()
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	o.given = given(f)
	o.workers = 1 // of a simulation: points are what runs in parallel
	if o.merge {
		return o.parseMerge(rest)
	}
	if o.config == "" && len(rest) > 0 {
		o.config, rest = rest[0], rest[1:]
	}
	switch {
	case o.config == "":
		return userErrorf("no configuration given; see hwsim sweep -h")
	case len(rest) > 0:
		return userErrorf("argument %q after configuration %q: want one configuration; see hwsim sweep -h", rest[0], o.config)
	case o.dir == "":
		return userErrorf("-out: want a folder that keeps the outcomes; see hwsim sweep -h")
	case o.jobs < 1:
		return userErrorf("-j %d: want at least 1", o.jobs)
	}
	return o.checkCluster()
}

func (o *sweepOptions) parseMerge(dirs []string) error {
	for _, name := range []string{"config", "set", "fidelity", "seed", "j", "shard", "memo", "cpuprofile", "submit", "tasks", "slurm", "manifest", "image", "claim", "force"} {
		if o.given[name] {
			return userErrorf("-%s: does not go with -merge, which simulates nothing", name)
		}
	}
	if o.dirs = dirs; len(dirs) == 0 {
		return userErrorf("-merge: want the folders of a sweep's shards; see hwsim sweep -h")
	}
	return nil
}

// sweep runs a sweep, or joins the outcomes of its shards.
func (a *App) sweep(args []string) error {
	o := newSweepOptions()
	if err := o.parse(args); err != nil {
		return a.explain(err, sweepUsage)
	}
	if o.merge {
		return a.mergeSweep(o)
	}
	s, err := a.planSweep(o)
	if err != nil {
		return err
	}
	switch {
	case o.submit.value != "":
		return s.submit()
	case o.manifest.value != "":
		return s.writeManifest()
	}
	return s.run()
}

// sweeping is a sweep as it is asked for.
type sweeping struct {
	app     *App
	options *sweepOptions
	whole   *configs.Document
	table   *configs.Document // [sweep] alone
	base    *configs.Document // the rest
	kind    kind
	design  *sweep.Design
	shard   sweep.Shard
	header  store.Header
	version string
}

// planSweep reads the configuration and finds the points.
func (a *App) planSweep(o *sweepOptions) (s *sweeping, err error) {
	s = &sweeping{app: a, options: o}
	if s.shard, err = sweep.ParseShard(o.shard); err != nil {
		return nil, userErrorf("-shard %w", err)
	}
	d, err := loadCoarse(&o.options)
	if err != nil {
		return nil, err
	}
	if _, ok := d.Get(sweepTable); !ok {
		return nil, userErrorf("%s: has no table [sweep]; see hwsim sweep -h", o.config)
	}
	s.whole = d
	s.table, s.base = d.Split(sweepTable)
	if s.kind, err = a.kindOf(s.base, &o.options); err != nil {
		return nil, err
	}
	if s.design, err = designOf(s.table, o.seed); err != nil {
		return nil, err
	}
	id, err := s.design.Identity(s.base, o.seed)
	if err != nil {
		return nil, UserError(err)
	}
	s.header = store.Header{Schema: store.Schema, Sweep: id, Name: o.name(), Seed: o.seed, Fidelity: o.fidelity.value, Points: len(s.design.Points)}
	s.version, err = codeVersion()
	return s, err
}

// loadCoarse reads the configuration, sampled as coarsely as policies are compared
// unless it says how.
func loadCoarse(o *options) (*configs.Document, error) {
	d, err := load(o)
	if err != nil || o.fidelity.value != "sampled" {
		return d, err
	}
	_, given := d.Get("sampling.tolerance")
	_, step := d.Get("workload")
	if given || !step {
		return d, nil
	}
	with := *o
	with.sets = append(slices.Clone(o.sets), coarse)
	return load(&with)
}

// pointOf returns the configuration of one point of a sweep.
func pointOf(d *configs.Document, o *options) (*configs.Document, error) {
	if _, ok := d.Get(sweepTable); !ok {
		return nil, userErrorf("-point %d: %s has no table [sweep]", o.point, o.config)
	}
	table, base := d.Split(sweepTable)
	design, err := designOf(table, o.seed)
	if err != nil {
		return nil, err
	}
	if o.point < 0 || o.point >= len(design.Points) {
		return nil, userErrorf("-point %d: %s has the points 0 to %d", o.point, o.config, len(design.Points)-1)
	}
	one, err := design.Variant(base, o.point)
	if err != nil {
		return nil, UserError(err)
	}
	return one, nil
}

// designOf returns the points that a table describes.
func designOf(table *configs.Document, seed uint64) (*sweep.Design, error) {
	var c struct {
		Sweep sweep.Config `toml:"sweep"`
	}
	if err := table.Decode(&c); err != nil {
		return nil, UserError(err)
	}
	d, err := sweep.NewDesign(c.Sweep, seed)
	if err != nil {
		return nil, UserError(err)
	}
	return d, nil
}

// garbage is the heap's growth, in percent of what lives, until it is collected. Little
// of a point lives on, so the default of 100 collects all the time.
const garbage = 400

// run runs the points that are not done yet and prints what all tell.
func (s *sweeping) run() (err error) {
	memo, err := s.openMemo()
	if err != nil {
		return err
	}
	kept, err := store.Open(s.options.dir, s.header)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if err := saveTable(s.options.dir, s.table); err != nil {
		return err
	}
	stopProfile, err := startCPUProfile(s.options.cpuProfile)
	if err != nil {
		return err
	}
	defer stopProfile()
	ctx, stop := untilInterrupt()
	defer stop()
	runErr := s.simulate(ctx, kept, memo)
	if runErr != nil && ctx.Err() == nil {
		return runErr
	}
	_, records, err := store.Read(s.options.dir)
	if err != nil {
		return err
	}
	finished, err := store.OfVersion(records, s.version)
	if err != nil {
		return err
	}
	err = s.app.tellSweep(s.design, s.header, finished, s.options)
	if runErr != nil {
		err = errors.Join(err, interrupted{fmt.Errorf("interrupted: %d of %d points are in %s; the same command goes on from there",
			len(finished), len(s.design.Points), s.options.dir)})
	}
	return err
}

// memoFolder keeps windows beside the outcomes, where no other folder is given.
const memoFolder = "windows"

// openMemo opens the memo that is asked for, and where steps are put together of
// windows, a memo for these.
func (s *sweeping) openMemo() (store.Memo, error) {
	memo, err := store.OpenMemo(s.options.memo)
	if err != nil || !s.windowed() {
		return memo, err
	}
	windows := memo
	if s.options.memo == "" {
		windows, err = store.OpenMemo(filepath.Join(s.options.dir, memoFolder))
	}
	s.options.windows = &workloads.Windows{Memo: windowMemo{windows, s.version}}
	return memo, err
}

// windowed reports whether points are put together of windows.
func (s *sweeping) windowed() bool {
	return s.options.fidelity.value == "sampled" && slices.Contains(s.kind.outputs, traceFile)
}

// windowMemo is a memo of the windows that one version of the program simulates.
type windowMemo struct {
	store.Memo
	version string
}

func (m windowMemo) key(window string) string {
	sum := sha256.Sum256([]byte(m.version + " " + window))
	return hex.EncodeToString(sum[:])[:32]
}

func (m windowMemo) Get(key string, window any) bool { return m.Memo.Get(m.key(key), window) }

func (m windowMemo) Put(key string, window any) error { return m.Memo.Put(m.key(key), window) }

// simulate runs the points and tells how it goes.
func (s *sweeping) simulate(ctx context.Context, kept *store.Store, memo store.Memo) error {
	tell := newProgress(s.app.Err, s.design.Wanted(kept.Records(), s.version, s.shard))
	if kept.Torn() {
		tell.note("a torn line at the end of %s was cut off", filepath.Join(s.options.dir, store.FileName))
	}
	r := &sweep.Runner{
		Design: s.design, Base: s.base, Memo: memo, Workers: s.options.jobs,
		Basis:    sweep.Basis{Seed: s.options.seed, Fidelity: s.options.fidelity.value, Version: s.version},
		Simulate: s.outcome,
		Finished: func(records []store.Record) error {
			for _, r := range records {
				if err := s.design.Check(r); err != nil {
					return UserError(err)
				}
			}
			tell.add(len(records))
			return nil
		},
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	stats, err := r.Run(ctx, kept, s.shard)
	tell.end(stats, s.options.windows)
	return err
}

// outcome runs one configuration to its end, whatever the user interrupts.
func (s *sweeping) outcome(d *configs.Document) (store.Outcome, error) {
	p, err := s.kind.predict(context.Background(), d, &s.options.options)
	if problems, ok := errors.AsType[configs.Problems](err); ok {
		for _, one := range problems {
			if one.Unknown { // in every point
				return store.Outcome{}, UserError(one)
			}
		}
	}
	if m, ok := errors.AsType[marked](err); ok && m.UserError() {
		return store.Outcome{Problem: strings.ReplaceAll(err.Error(), "\n", "; ")}, nil
	}
	if err != nil {
		return store.Outcome{}, err
	}
	metrics, err := metricsOf(p)
	return store.Outcome{Metrics: metrics}, err
}

// saveTable keeps the table beside the outcomes that it tells how to compare.
func saveTable(dir string, table *configs.Document) error {
	var text bytes.Buffer
	if err := table.Print(&text); err != nil {
		return fmt.Errorf("print the sweep: %w", err)
	}
	return saveFile(filepath.Join(dir, sweepFile), true, text.Bytes())
}

// mergeSweep joins the outcomes of shards, prints what they tell, and keeps them if
// a folder is given.
func (a *App) mergeSweep(o *sweepOptions) error {
	h, records, err := store.Merge(o.dirs)
	if err != nil {
		return err
	}
	table, err := configs.Load(filepath.Join(o.dirs[0], sweepFile), nil)
	if err != nil {
		return UserError(err)
	}
	d, err := designOf(table, h.Seed)
	if err != nil {
		return err
	}
	if len(d.Points) != h.Points {
		return userErrorf("%s: has %d points, but %s of %d", filepath.Join(o.dirs[0], sweepFile), len(d.Points), store.FileName, h.Points)
	}
	if o.dir != "" {
		if err := keepMerged(o.dir, h, records, table); err != nil {
			return err
		}
	}
	return a.tellSweep(d, h, records, o)
}

// keepMerged writes a store of joined records, which must not be there yet unless it
// has the same ones.
func keepMerged(dir string, h store.Header, records []store.Record, table *configs.Document) (err error) {
	s, err := store.Open(dir, h)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := appendMissing(s, records); err != nil {
		return err
	}
	return saveTable(dir, table)
}

// appendMissing adds the records that a store had not when it was opened.
func appendMissing(s *store.Store, records []store.Record) error {
	have := map[int]string{}
	for _, r := range s.Records() {
		have[r.Point] = r.Key
	}
	var missing []store.Record
	for _, r := range records {
		if have[r.Point] != r.Key {
			missing = append(missing, r)
		}
	}
	return s.Append(missing...)
}

// tellSweep prints what the outcomes tell, and draws it beside them if they are kept.
func (a *App) tellSweep(d *sweep.Design, h store.Header, records []store.Record, o *sweepOptions) error {
	analysis, err := sweep.Analyse(d, h, records)
	if err != nil {
		return UserError(err)
	}
	return errors.Join(report.WriteSweep(a.Out, o.format.value, analysis), savePage(analysis, h, o), saveFront(analysis, o))
}

// savePage writes the page of a sweep into its folder, if there is one.
func savePage(analysis *sweep.Analysis, h store.Header, o *sweepOptions) error {
	if o.dir == "" {
		return nil
	}
	var text bytes.Buffer
	if err := page.Sweep(&text, analysis, pointCommand(h, o)); err != nil {
		return err
	}
	return saveFile(filepath.Join(o.dir, pageFile), true, text.Bytes())
}

// pointCommand is the command that runs a point, but for its number. Shards that are
// joined do not tell where their configuration is, nor what was set beside.
func pointCommand(h store.Header, o *sweepOptions) string {
	config := o.config
	if config == "" {
		config = h.Name
	}
	words := []string{"hwsim", "-config", quoted(config)}
	for _, set := range o.sets {
		words = append(words, "-set", quoted(set))
	}
	return strings.Join(append(words, "-fidelity", h.Fidelity, "-seed", fmt.Sprint(h.Seed), "-point"), " ")
}

// plainWord has nothing that a shell would change.
var plainWord = regexp.MustCompile(`^[\w./=:,+-]+$`)

// quoted writes a word as a shell reads it back.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// saveFront draws the points into the sweep's folder, if there is one, by two objectives
// if there are as many.
func saveFront(analysis *sweep.Analysis, o *sweepOptions) error {
	if o.dir == "" || len(analysis.Objectives) < 2 {
		return nil
	}
	var text bytes.Buffer
	if err := report.SweepSVG(&text, analysis); err != nil {
		return err
	}
	return saveFile(filepath.Join(o.dir, frontFile), true, text.Bytes())
}
