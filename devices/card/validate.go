package card

import (
	"fmt"
	"maps"
	"slices"
)

// figures reports what is not 0 to most.
func figures(report func(key, message string), most float64, values map[string]float64) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if v := values[key]; !(v >= 0 && v <= most) {
			report(key, fmt.Sprintf("must be 0 to %.0f", most))
		}
	}
}

// bands reports bands that are not 0 to 1.
func bands(report func(key, message string), values map[string]float64) {
	figures(report, 1, values)
}
