package program

import (
	"cmp"

	"hwsim/configs"
	"hwsim/devices/cpu"
	"hwsim/workloads/synthetic"
)

// Config is a whole run.
type Config struct {
	Core   cpu.Config       `toml:"core"`
	Stream synthetic.Config `toml:"stream"`
	Run    Length           `toml:"run"`
}

// Length is how much of the stream is run.
type Length struct {
	Warm     *int `toml:"warm_accesses"` // accesses before anything is counted; absent: 4 million
	Accesses int  `toml:"accesses"`      // accesses counted; 0: 2 million
}

// Validate reports what no run is as long as.
func (l *Length) Validate(report func(key, message string)) {
	const most = 1 << 40
	configs.Within(report, "warm_accesses", l.warm(), 0, most)
	configs.Within(report, "accesses", l.Accesses, 0, most)
}

func (l *Length) warm() int {
	if l.Warm == nil {
		return 4_000_000
	}
	return *l.Warm
}

func (l *Length) accesses() int { return cmp.Or(l.Accesses, 2_000_000) }
