package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// metricsOf returns a prediction's figures by name: the numbers of its report.json,
// those of tables in it with the table's name before a dot, and what the kind of
// prediction adds up from its lists.
func metricsOf(p prediction) (map[string]float64, error) {
	var text bytes.Buffer
	if err := p.output(&text, reportFile); err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text.Bytes(), &fields); err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	delete(fields, "schema")
	delete(fields, "seed")
	metrics := map[string]float64{}
	flatten(metrics, "", fields)
	if s, ok := p.(step); ok {
		maps.Copy(metrics, s.metrics())
	}
	return metrics, nil
}

func flatten(metrics map[string]float64, prefix string, fields map[string]any) {
	for k, v := range fields {
		switch v := v.(type) {
		case float64:
			metrics[prefix+k] = v
		case map[string]any:
			flatten(metrics, prefix+k+".", v)
		}
	}
}

// metrics returns what lies in each memory, the energy of DRAM commands where any
// were simulated, and what a token takes where the machine has cards of it.
func (s step) metrics() map[string]float64 {
	m := map[string]float64{}
	for _, tier := range []string{"hbm", "ddr", "cxl", "peer"} {
		m[tier+"_bytes"] = 0
	}
	for _, o := range s.Objects {
		m[o.Tier+"_bytes"] += float64(o.Bytes)
	}
	for _, t := range s.Tiers {
		m["energy_pj"] += t.EnergyPJ
	}
	if s.Energy != nil {
		m["joules_per_token"] = s.Energy.JoulesPerToken
	}
	if s.Cost != nil {
		m["dollars_per_mtoken"] = s.Cost.DollarsPerMToken
	}
	return m
}
