package plots

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// mostLabels is how many ticks of an axis have a label.
const mostLabels = 8

// byteTicks are at powers of two.
func byteTicks(lo, hi float64) []plot.Tick {
	return powers(lo, hi, 2, func(v float64) string { return scaled(v, 1024, "B", "KiB", "MiB", "GiB", "TiB") })
}

// timeTicks are in ns.
func timeTicks(lo, hi float64) []plot.Tick {
	return decades(lo, hi, func(v float64) string { return scaled(v, 1000, "ns", "µs", "ms", "s") })
}

// decimalTicks are plain numbers.
func decimalTicks(lo, hi float64) []plot.Tick {
	return decades(lo, hi, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) })
}

// powers returns ticks at a base's powers, of which some have a label.
func powers(lo, hi, base float64, label func(v float64) string) (ticks []plot.Tick) {
	first, last := exponent(lo, base, math.Floor), exponent(hi, base, math.Ceil)
	every := (last-first)/mostLabels + 1
	for e := first; e <= last; e++ {
		t := plot.Tick{Value: math.Pow(base, float64(e))}
		if (e-first)%every == 0 {
			t.Label = label(t.Value)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

func exponent(v, base float64, round func(float64) float64) int {
	return int(round(math.Log2(v) / math.Log2(base)))
}

// decades returns ticks at 1, 2 and 5 of each decade, all with a label where
// that is not too many.
func decades(lo, hi float64, label func(v float64) string) (ticks []plot.Tick) {
	first, last := exponent(lo, 10, math.Floor), exponent(hi, 10, math.Ceil)
	if last-first > mostLabels/3+1 {
		return powers(lo, hi, 10, label)
	}
	for e := first; e < last; e++ {
		for _, digit := range []float64{1, 2, 5} {
			v := digit * math.Pow(10, float64(e))
			ticks = append(ticks, plot.Tick{Value: v, Label: label(v)})
		}
	}
	end := math.Pow(10, float64(last))
	return append(ticks, plot.Tick{Value: end, Label: label(end)})
}

// scaled writes a value in the largest unit that leaves a whole part.
func scaled(v, step float64, units ...string) string {
	i := 0
	for v >= step && i < len(units)-1 {
		v /= step
		i++
	}
	return fmt.Sprintf("%.4g %s", v, units[i])
}
