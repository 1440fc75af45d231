package command

import (
	"flag"

	"hwsim/configs"
	"hwsim/devices/nvme"
	"hwsim/workloads/drive"
)

// driveOptions are the flags of replay with -drive: generated requests to an
// NVMe drive.
type driveOptions struct {
	drive  string
	sets   repeated
	load   drive.Load
	format choice
}

// flags binds the options to their flags; replay.txt describes them.
func (o *driveOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	f.StringVar(&o.drive, "drive", "", "")
	f.StringVar(&o.load.Pattern, "gen", "", "")
	f.Uint64Var(&o.load.Bytes, "bytes", 4096, "")
	f.IntVar(&o.load.Depth, "qd", 1, "")
	f.Uint64Var(&o.load.Requests, "n", 20_000, "")
	f.IntVar(&o.load.WritePct, "write", 0, "")
	f.Uint64Var(&o.load.Seed, "seed", 1, "")
	f.BoolVar(&o.load.Fill, "fill", false, "")
	f.Float64Var(&o.load.Warm, "warm", 0, "")
	f.Var(&o.sets, "set", "")
	o.format = choice{"text", []string{"text", "json"}}
	f.Var(&o.format, "format", "")
	return f
}

// parse reads the flags. It knows those of the other replays, to say that they
// do not go with -drive.
func (o *driveOptions) parse(args []string) error {
	f := o.flags()
	var others []string
	for _, set := range []*flag.FlagSet{newReplayOptions().flags(), newProgramOptions().flags()} {
		set.VisitAll(func(g *flag.Flag) {
			if f.Lookup(g.Name) == nil {
				f.Var(g.Value, g.Name, "")
				others = append(others, g.Name)
			}
		})
	}
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	given := given(f)
	for _, name := range others {
		switch {
		case given[name] && (name == "device" || name == "config"):
			return userErrorf("-device drives DRAM channels, -config a core, -drive a drive: want one; see hwsim replay -h")
		case given[name]:
			return userErrorf("-%s does not go with -drive; see hwsim replay -h", name)
		}
	}
	switch {
	case len(rest) > 0:
		return userErrorf("argument %q: -drive takes no trace, but -gen; see hwsim replay -h", rest[0])
	case o.load.Pattern == "":
		return userErrorf("no requests: -drive wants -gen; see hwsim replay -h")
	}
	return o.check(f)
}

// loadFlags names the flags of a load's keys.
var loadFlags = map[string]string{"pattern": "gen", "requests": "n", "bytes": "bytes", "depth": "qd", "write_pct": "write", "warm": "warm"}

// check reports the first flag that cannot be as it is.
func (o *driveOptions) check(f *flag.FlagSet) (err error) {
	o.load.Validate(func(key, message string) {
		if name := loadFlags[key]; err == nil {
			err = userErrorf("-%s %s %s", name, f.Lookup(name).Value, message)
		}
	})
	return err
}

// config returns the drive's settings.
func (o *driveOptions) config() (*nvme.Config, error) {
	d, err := configs.LoadTable("drive", o.drive, o.sets)
	if err != nil {
		return nil, UserError(err)
	}
	if _, ok := d.Get("drive.flash"); !ok {
		return nil, userErrorf("-drive %q: has no flash; want one of hwsim list drives or a file like them", o.drive)
	}
	var c struct {
		Drive nvme.Config `toml:"drive"`
	}
	if err := d.Decode(&c); err != nil {
		return nil, UserError(err)
	}
	return &c.Drive, nil
}

// replayDrive runs generated requests on a drive and prints what it did.
func (a *App) replayDrive(args []string) error {
	o := &driveOptions{}
	if err := o.parse(args); err != nil {
		return a.explain(err, replayUsage)
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	r, err := o.load.Run(*c)
	if err != nil {
		return UserError(err)
	}
	report := o.report(r)
	if o.format.value == "json" {
		return a.writeJSON(report)
	}
	return report.writeText(a)
}
