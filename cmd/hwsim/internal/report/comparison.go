package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"hwsim/workloads"
)

var comparisonFormats = []format[*workloads.Comparison]{{"text", ComparisonText}, {"json", ComparisonJSON}, {"csv", ComparisonCSV}}

// WriteComparison is Write for a comparison of policies.
func WriteComparison(w io.Writer, format string, c *workloads.Comparison) error {
	return writeAs(w, comparisonFormats, format, c)
}

// policyWidth is the columns that a policy's name gets.
const policyWidth = 20

// ComparisonText writes a table with a line for each policy, and a bar for its
// step against the longest.
func ComparisonText(w io.Writer, c *workloads.Comparison) error {
	p := &page{}
	if !c.Complete {
		p.line("INTERRUPTED")
	}
	if c.Model != "" { // else nothing ran
		p.line("%s on %s, batch %d, context %d, %s", c.Model, c.System, c.Batch, c.Context, c.Fidelity)
		p.line("")
	}
	table := [][]string{{"policy", "step", "±", "tok/s", "most", "tok/s*", "HBM", "far", "link", "ampl.", "exposed"}}
	longest := 0.0
	for _, r := range c.Rows {
		longest = max(longest, r.StepNs)
		if r.Problem == "" {
			table = append(table, comparisonRow(&r))
		}
	}
	if len(table) > 1 {
		p.table(table)
		p.line("")
	}
	for _, r := range c.Rows {
		if r.Problem == "" {
			p.line("%-*s  %s", policyWidth, clip(r.Policy, policyWidth), bar(ratio(r.StepNs, longest)))
		}
	}
	if len(table) > 1 {
		p.line("")
	}
	for _, r := range c.Rows {
		if r.Problem != "" {
			p.wrapped(r.Policy + ": " + r.Problem)
		}
	}
	p.line("most: the sequences that fit; tok/s*: with as many, an estimate; seed %d (%s)", c.Seed, c.Name)
	return p.write(w)
}

func comparisonRow(r *workloads.ComparisonRow) []string {
	var near, far uint64
	for _, t := range r.Tiers {
		if t.Tier == "hbm" {
			near += t.Used
		} else {
			far += t.Used
		}
	}
	return []string{clip(r.Policy, policyWidth), duration(r.StepNs), percent(r.Bound), number(r.TokensPerSecond), dashed(r.MaxBatch > 0, strconv.Itoa(r.MaxBatch)),
		dashed(r.AtCapacity > 0, number(r.AtCapacity)), size(near), size(far), size(r.LinkBytes), dashed(r.Amplification > 0, number(r.Amplification)), duration(r.ExposedNs)}
}

// dashed is the text if there is anything to say.
func dashed(known bool, text string) string {
	if !known {
		return "-"
	}
	return text
}

// ComparisonJSON writes c under the names of its tags.
func ComparisonJSON(w io.Writer, c *workloads.Comparison) error {
	full := *c
	full.Rows = make([]workloads.ComparisonRow, len(c.Rows))
	for i, r := range c.Rows {
		r.Tiers = append([]workloads.TierUse{}, r.Tiers...)
		full.Rows[i] = r
	}
	return writeJSON(w, full)
}

// ComparisonCSV writes a line for each policy.
func ComparisonCSV(w io.Writer, c *workloads.Comparison) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"policy", "problem", "step_ns", "bound", "roofline_ns", "exposed_ns", "tokens_per_s", "max_batch", "tokens_per_s_full",
		"kept_tokens", "attended_tokens", "hbm_bytes", "ddr_bytes", "cxl_bytes", "peer_bytes", "link_bytes", "amplification"}}
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, r := range c.Rows {
		row := []string{r.Policy, r.Problem, f(r.StepNs), f(r.Bound), f(r.RooflineNs), f(r.ExposedNs), f(r.TokensPerSecond), strconv.Itoa(r.MaxBatch), f(r.AtCapacity), f(r.Kept), f(r.Attended)}
		for _, tier := range []string{"hbm", "ddr", "cxl", "peer"} {
			used := uint64(0)
			for _, t := range r.Tiers {
				if t.Tier == tier {
					used += t.Used
				}
			}
			row = append(row, strconv.FormatUint(used, 10))
		}
		rows = append(rows, append(row, strconv.FormatUint(r.LinkBytes, 10), f(r.Amplification)))
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}
