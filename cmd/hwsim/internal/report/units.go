package report

import (
	"fmt"
	"math"
)

var (
	timeUnits  = []string{"ns", "µs", "ms", "s"}
	countUnits = []string{"", "k", "M", "G", "T"}
	byteUnits  = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
)

// duration writes nanoseconds to three digits, none as "-".
func duration(ns float64) string { return scaled(ns, 1000, timeUnits) }

// size writes bytes to three digits, none as "-".
func size(bytes uint64) string { return scaled(float64(bytes), 1024, byteUnits) }

// count writes how many: all digits, or three of many.
func count(n uint64) string {
	if n < 10_000 {
		return fmt.Sprint(n)
	}
	return scaled(float64(n), 1000, countUnits)
}

// rate writes GB/s to three digits, without the unit.
func rate(gbps float64) string {
	if gbps == 0 {
		return "-"
	}
	return number(gbps)
}

// percent writes a share to a tenth of a percent.
func percent(share float64) string {
	if share > 0 && share < 0.0005 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// scaled writes v in the largest unit that leaves a digit before the point.
func scaled(v, base float64, units []string) string {
	if v == 0 {
		return "-"
	}
	for len(units) > 1 && v >= base-0.5 {
		v /= base
		units = units[1:]
	}
	return number(v) + " " + units[0]
}

// number writes v to three digits, and all digits before the point.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	decimals := 0
	for limit := 99.95; decimals < 2 && math.Abs(v) < limit; limit /= 10 {
		decimals++
	}
	return fmt.Sprintf("%.*f", decimals, v)
}
