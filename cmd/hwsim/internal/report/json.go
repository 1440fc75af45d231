package report

import (
	"encoding/json"
	"fmt"
	"io"

	"hwsim/workloads"
	"hwsim/workloads/program"
)

// JSON writes r under the names of its tags. Empty lists are [], not null.
func JSON(w io.Writer, r *workloads.Result) error {
	full := *r
	full.Kernels = append([]workloads.KernelRow{}, r.Kernels...)
	full.Tiers = append([]workloads.TierRow{}, r.Tiers...)
	full.Links = append([]workloads.LinkRow{}, r.Links...)
	full.Objects = append([]workloads.ObjectRow{}, r.Objects...)
	return writeJSON(w, full)
}

// ProgramJSON is JSON for a program on a core.
func ProgramJSON(w io.Writer, r *program.Result) error {
	full := *r
	full.Caches = make([]program.CacheRow, len(r.Caches))
	for i, c := range r.Caches {
		c.Kinds = append([]program.LookupRow{}, c.Kinds...)
		full.Caches[i] = c
	}
	full.Memory.Read = append([]program.KindRow{}, r.Memory.Read...)
	full.Translation.Reads = append([]program.KindRow{}, r.Translation.Reads...)
	full.Translation.WalkCaches = append([]program.WalkCacheRow{}, r.Translation.WalkCaches...)
	return writeJSON(w, full)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	return nil
}
