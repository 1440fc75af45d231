package page

import (
	_ "embed"

	"hwsim/workloads"
)

// measured says how far predictions are from measurements.
func measured(r *workloads.Result) *Section { return nil }
