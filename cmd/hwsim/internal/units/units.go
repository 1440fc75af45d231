// Package units writes figures for people: to three digits, in the unit that fits.
package units

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

var (
	timeUnits   = []string{"ns", "µs", "ms", "s"}
	countUnits  = []string{"", "k", "M", "G", "T"}
	energyUnits = []string{"mJ", "J", "kJ"}
	byteUnits   = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
)

// Duration writes nanoseconds to three digits, none as "-".
func Duration(ns float64) string { return scaled(ns, 1000, timeUnits) }

// Energy writes joules to three digits, none as "-".
func Energy(j float64) string { return scaled(1e3*j, 1000, energyUnits) }

// Dollars writes $ to three digits.
func Dollars(v float64) string { return fmt.Sprintf("$ %.3g", v) }

// Within writes a half-width as a share of its figure.
func Within(band, of float64) string {
	if of == 0 {
		return " ± 0 %"
	}
	return fmt.Sprintf(" ± %.0f %%", 100*band/of)
}

// Size writes bytes to three digits, none as "-".
func Size(bytes uint64) string { return scaled(float64(bytes), 1024, byteUnits) }

// Count writes how many: all digits, or three of many.
func Count(n uint64) string {
	if n < 10_000 {
		return fmt.Sprint(n)
	}
	return scaled(float64(n), 1000, countUnits)
}

// Rate writes GB/s to three digits, without the unit.
func Rate(gbps float64) string {
	if gbps == 0 {
		return "-"
	}
	return Number(gbps)
}

// Percent writes a share to a tenth of a percent.
func Percent(share float64) string {
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
	return Number(v) + " " + units[0]
}

// Number writes v to three digits, and all digits before the point.
func Number(v float64) string {
	if v == 0 {
		return "0"
	}
	decimals := 0
	for limit := 99.95; decimals < 2 && math.Abs(v) < limit; limit /= 10 {
		decimals++
	}
	return fmt.Sprintf("%.*f", decimals, v)
}

// Figure writes an objective to three digits, or all of them before the point if
// these are few; counts have no point.
func Figure(v float64) string {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e5:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) < 1e5:
		return Number(v)
	case v < 0:
		return "-" + Figure(-v)
	}
	return scaled(v, 1000, countUnits)
}

// Value writes a value of a configuration.
func Value(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', 0, 64)
		}
		return strconv.FormatFloat(v, 'g', 4, 64)
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+" "+Value(v[k]))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v)
}
