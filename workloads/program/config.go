package program

import (
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

// Length is how much of the stream is run. What is zero takes its default.
type Length struct {
	Warm     int `toml:"warm_accesses"` // before anything is counted; 4 million
	Accesses int `toml:"accesses"`      // counted; 2 million
}

// Validate reports what no run is as long as.
func (l *Length) Validate(report func(key, message string)) {
	const most = 1 << 40
	configs.Within(report, "warm_accesses", l.Warm, 0, most)
	configs.Within(report, "accesses", l.Accesses, 0, most)
}

func (l Length) withDefaults() Length {
	if l.Warm == 0 {
		l.Warm = 4_000_000
	}
	if l.Accesses == 0 {
		l.Accesses = 2_000_000
	}
	return l
}
