//go:build !unix

package command

import "time"

var start = time.Now()

// cpuTime stands in with the wall time, in s.
func cpuTime() float64 { return time.Since(start).Seconds() }
