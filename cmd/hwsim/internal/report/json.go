package report

import (
	"encoding/json"
	"fmt"
	"io"

	"hwsim/workloads"
)

// JSON writes r under the names of its tags. Empty lists are [], not null.
func JSON(w io.Writer, r *workloads.Result) error {
	full := *r
	full.Kernels = append([]workloads.KernelRow{}, r.Kernels...)
	full.Tiers = append([]workloads.TierRow{}, r.Tiers...)
	full.Links = append([]workloads.LinkRow{}, r.Links...)
	full.Objects = append([]workloads.ObjectRow{}, r.Objects...)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(full); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	return nil
}
