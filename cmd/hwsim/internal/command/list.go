package command

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"hwsim/configs"
)

// folders are the places of presets, and what uses them.
var folders = []struct{ name, use string }{
	{"configurations", "hwsim NAME"},
	{"systems", `[system] use = "NAME"`},
	{"models", `[model] use = "NAME"`},
	{"kernels", `[kernels] use = "NAME"`},
	{"policies", `[policy] use = "NAME"; hwsim compare -policies NAME,NAME`},
	{"engines", `[engine] use = "NAME"`},
	{"workloads", `[workload] use = "NAME"`},
	{"cores", `[core] use = "NAME"`},
	{"streams", `[stream] use = "NAME"`},
	{"drives", "hwsim replay -drive NAME"},
	{"csd", `[offload] csd = "NAME"`},
	{"flexgen", `[offload] machine = "NAME"`},
	{"energy", `[energy] of a GPU, memory, link or CXL card, use = "NAME"`},
	{"prices", `[price] of the same, use = "NAME"`},
	{"costs", `[system.cost] use = "NAME"`},
}

// list prints the presets of the folders that args name, or of all.
func (a *App) list(args []string) error {
	names, err := parse(flag.NewFlagSet("list", flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	if err := checkFolders(names); err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, f := range folders {
		if len(names) == 0 || slices.Contains(names, f.name) {
			listFolder(w, f.name, f.use)
		}
	}
	return w.Flush()
}

func checkFolders(names []string) error {
	known := folderNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return userErrorf("list %q: want %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

func folderNames() []string {
	names := make([]string, len(folders))
	for i, f := range folders {
		names[i] = f.name
	}
	return names
}

func listFolder(w *tabwriter.Writer, name, use string) {
	dir, prefix := name, name+"/"
	if name == "configurations" {
		dir, prefix = "", ""
	}
	presets := configs.Presets(dir)
	if len(presets) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %s\n", name, use)
	for _, p := range presets {
		fmt.Fprintf(w, "  %s\t%s\n", p, configs.Summary(prefix+p))
	}
}
