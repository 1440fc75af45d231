package explain

import (
	"reflect"
	"sync"

	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/configs"
	"hwsim/devices/csd"
	"hwsim/devices/hostio"
	"hwsim/devices/nvme"
	"hwsim/workloads"
	"hwsim/workloads/flexgen"
	"hwsim/workloads/hostload"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

// A root is a struct that files decode into.
type root struct {
	holds  reflect.Type
	folder string // of the presets that do, "" for configurations
	table  string // that a preset is; of configurations, the only one that is decoded, "" for all

	once sync.Once
	read []example
}

// roots are all structs of configurations and of the files that these name. What a
// file is when it is read as a whole has its folder's name as a table.
var roots = []*root{
	{holds: reflect.TypeFor[workloads.Config]()},
	{holds: reflect.TypeFor[program.Config]()},
	{holds: reflect.TypeFor[offload.Config]()},
	{holds: reflect.TypeFor[struct {
		Sweep sweep.Config `toml:"sweep"`
	}](), table: "sweep"},
	{holds: reflect.TypeFor[struct {
		Drive nvme.Config `toml:"drive"`
	}](), folder: "drives", table: "drive"},
	{holds: reflect.TypeFor[struct {
		CSD csd.Config `toml:"csd"`
	}](), folder: "csd", table: "csd"},
	{holds: reflect.TypeFor[struct {
		Machine flexgen.Machine `toml:"flexgen"`
	}](), folder: "flexgen", table: "flexgen"},
	{holds: reflect.TypeFor[struct {
		Host hostio.Host `toml:"hostio"`
	}](), folder: "hostio", table: "hostio"},
	{holds: reflect.TypeFor[struct {
		Host hostload.Config `toml:"hosts"`
	}](), folder: "hosts", table: "hosts"},
}

// key is a key of a root.
type key struct {
	configs.Key
	root *root
}

// keys returns the keys of all roots.
var keys = sync.OnceValue(func() (all []key) {
	for _, r := range roots {
		for _, k := range configs.Keys(r.holds) {
			all = append(all, key{k, r})
		}
	}
	return all
})

// example is a preset that decodes into a root.
type example struct {
	name     string
	document *configs.Document
}

// examples returns the root's presets, but for those of other roots.
func (r *root) examples() []example {
	r.once.Do(func() {
		for _, name := range configs.Presets(r.folder) {
			d, err := r.load(name)
			if err == nil && d.Decode(reflect.New(r.holds).Interface()) == nil {
				r.read = append(r.read, example{name, d})
			}
		}
	})
	return r.read
}

func (r *root) load(name string) (*configs.Document, error) {
	if r.folder != "" {
		return configs.LoadTable(r.table, "configs/"+r.folder+"/"+name, nil)
	}
	d, err := configs.Load("configs/"+name, nil)
	if err == nil && r.table != "" {
		d, _ = d.Split(r.table)
	}
	return d, err
}
