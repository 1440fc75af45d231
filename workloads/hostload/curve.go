package hostload

import (
	"math"

	"hwsim/configs"
)

// Curve is a measured bandwidth-latency curve at one share of reads, in any
// order of its points.
type Curve struct {
	GBps      []float64
	LatencyNs []float64
}

// Most returns the point of the greatest bandwidth, by its number.
func (c *Curve) Most() int {
	most := 0
	for i, v := range c.GBps {
		if v > c.GBps[most] {
			most = i
		}
	}
	return most
}

// Nearest returns the point measured nearest to a load. Past its greatest
// bandwidth a curve folds back, as latencies grow and bandwidth falls; those
// points do not count.
func (c *Curve) Nearest(gbps float64) int {
	best := c.Most()
	folded := c.LatencyNs[best]
	for i, v := range c.GBps {
		if c.LatencyNs[i] <= folded && math.Abs(v-gbps) < math.Abs(c.GBps[best]-gbps) {
			best = i
		}
	}
	return best
}

// presets is the folder of hosts in configs.
const presets = "hosts"

// Preset returns a host of configs/hosts.
func Preset(name string) (*Config, error) {
	doc, err := configs.Load(presets+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	return c, doc.Decode(c)
}

// OfCurve returns the name of the preset that a measured curve belongs to, ""
// if there is none.
func OfCurve(curve string) (name string, err error) {
	for _, name := range configs.Presets(presets) {
		c, err := Preset(name)
		if err != nil {
			return "", err
		}
		if c.Curve == curve {
			return name, nil
		}
	}
	return "", nil
}
