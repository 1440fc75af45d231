package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hwsim/configs"
)

type link struct {
	Lanes   int     `toml:"lanes"`
	DelayNS float64 `toml:"delay_ns"`
}

func (l link) Validate(report func(key, message string)) {
	configs.OneOf(report, "lanes", l.Lanes, 4, 8, 16)
	configs.Positive(report, "delay_ns", l.DelayNS)
}

func Example() {
	dir, err := os.MkdirTemp("", "configs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "run.toml")
	text := "[links.cxl]\nlanes = 8\nbandwith = 64\n\n[links.pcie]\nlanes = 16\ndelay_ns = 300\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		panic(err)
	}

	d, err := configs.Load(path, []string{"links.pcie.lanes=12"})
	if err != nil {
		panic(err)
	}
	var system struct {
		Links map[string]link `toml:"links"`
	}
	err = d.Decode(&system)
	fmt.Println(strings.ReplaceAll(err.Error(), dir+"/", ""))
	// Output:
	// -set links.pcie.lanes=12: links.pcie.lanes: 12 is none of 4, 8, 16
	// run.toml:1: links.cxl.delay_ns: must be positive, is 0
	// run.toml:3: links.cxl.bandwith: unknown key (allowed: delay_ns, lanes)
}
