package validation

import (
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"strconv"

	"hwsim/configs"
	"hwsim/workloads"
)

//go:embed h200/*.csv
var tables embed.FS

// Step is one measured decode step.
type Step struct {
	Model          string
	Batch, Context int
	Bytes          float64 // weights and KV cache
	Ns, RepeatNs   float64 // median, and that of the repeat on another machine
}

// table reads an embedded CSV as rows of columns by name.
func table(name string) ([]map[string]string, error) {
	f, err := tables.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, column := range rows[0] {
			m[column] = r[i]
		}
		out = append(out, m)
	}
	return out, nil
}

// number reads a cell that is known to hold one.
func number(row map[string]string, column string) float64 {
	v, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		panic(fmt.Sprintf("validation: column %s: %v", column, err))
	}
	return v
}

// Steps returns the measured decode steps.
func Steps() ([]Step, error) {
	rows, err := table("h200/decode_step.csv")
	if err != nil {
		return nil, err
	}
	var out []Step
	for _, r := range rows {
		out = append(out, Step{Model: r["model"], Batch: int(number(r, "batch")), Context: int(number(r, "context")),
			Bytes: number(r, "weights_bytes") + number(r, "kv_bytes"), Ns: number(r, "us_median") * 1e3, RepeatNs: number(r, "us_median_repeat") * 1e3})
	}
	return out, nil
}

// Predict simulates the step on the H200 preset.
func (s *Step) Predict(ctx context.Context, fidelity string) (*workloads.Result, error) {
	doc, err := configs.Load("h200", []string{"model.use=" + s.Model, fmt.Sprint("workload.batch=", s.Batch), fmt.Sprint("workload.context=", s.Context)})
	if err != nil {
		return nil, err
	}
	var c workloads.Config
	if err := doc.Decode(&c); err != nil {
		return nil, err
	}
	return workloads.Run(ctx, &c, workloads.Options{Seed: 1, Fidelity: fidelity, Name: "h200", Hash: doc.Hash()})
}
