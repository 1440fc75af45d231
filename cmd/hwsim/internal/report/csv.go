package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"hwsim/workloads"
	"hwsim/workloads/program"
)

// CSV writes r in long form, one metric a row, under the names that JSON
// uses: section,name,metric,value,unit.
func CSV(w io.Writer, r *workloads.Result) error {
	t := newLong(w)
	t.fields("run", r.Name, "", reflect.ValueOf(*r))
	for _, k := range r.Kernels {
		t.fields("kernel", k.Class, "", reflect.ValueOf(k))
	}
	for _, m := range r.Tiers {
		t.fields("tier", m.Tier, "", reflect.ValueOf(m))
	}
	for _, l := range r.Links {
		t.fields("link", l.Link, "", reflect.ValueOf(l))
	}
	for _, o := range r.Objects {
		t.fields("object", o.Object+" in "+o.Tier, "", reflect.ValueOf(o))
	}
	if m := r.Mapping; m != nil {
		t.fields("mapping", "kv", "", reflect.ValueOf(*m))
	}
	if e := r.Energy; e != nil {
		t.fields("energy", "step", "", reflect.ValueOf(*e))
		for _, p := range e.Parts {
			t.fields("energy", p.Component+" "+p.Of, "", reflect.ValueOf(p))
		}
	}
	if c := r.Cost; c != nil {
		t.fields("cost", "step", "", reflect.ValueOf(*c))
		for _, p := range c.Parts {
			t.fields("cost", p.Part, "", reflect.ValueOf(p))
		}
	}
	if m := r.Policy; m != nil {
		t.fields("policy", m.Name, "", reflect.ValueOf(*m))
		for _, h := range m.Held {
			t.fields("kept", h.Object+" in "+h.Tier, "", reflect.ValueOf(h))
		}
		for _, f := range m.Flows {
			t.fields("moved", f.Stage+" "+f.Object+" in "+f.Tier, "", reflect.ValueOf(f))
		}
	}
	return t.flush()
}

// ProgramCSV is CSV for a program on a core.
func ProgramCSV(w io.Writer, r *program.Result) error {
	t := newLong(w)
	t.fields("run", r.Name, "", reflect.ValueOf(*r))
	for _, k := range r.Translation.Reads {
		t.fields("walk read", k.Kind, "", reflect.ValueOf(k))
	}
	for _, c := range r.Translation.WalkCaches {
		t.fields("walk cache", c.Entries, "", reflect.ValueOf(c))
	}
	for _, c := range r.Caches {
		t.fields("cache", c.Level, "", reflect.ValueOf(c))
		for _, k := range c.Kinds {
			t.fields("cache", c.Level+" "+k.Kind, "", reflect.ValueOf(k))
		}
	}
	for _, k := range r.Memory.Read {
		t.fields("memory read", k.Kind, "", reflect.ValueOf(k))
	}
	return t.flush()
}

// long writes metrics; the csv.Writer keeps its first error.
type long struct{ csv *csv.Writer }

func newLong(w io.Writer) *long {
	t := &long{csv.NewWriter(w)}
	t.csv.Write([]string{"section", "name", "metric", "value", "unit"})
	return t
}

func (t *long) flush() error {
	t.csv.Flush()
	if err := t.csv.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// fields writes all fields of a struct but its rows, which are sections of
// their own.
func (t *long) fields(section, name, prefix string, v reflect.Value) {
	for field, value := range v.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "-" { // not of the report
			continue
		}
		metric := prefix + tag
		switch value.Kind() {
		case reflect.Slice, reflect.Pointer:
		case reflect.Array:
			for i := range value.Len() {
				t.metric(section, name, fmt.Sprint(metric, ".", i), value.Index(i))
			}
		case reflect.Struct:
			t.fields(section, name, metric+".", value)
		case reflect.Map:
			causes := value.Interface().(map[string]float64)
			for _, cause := range slices.Sorted(maps.Keys(causes)) {
				t.metric(section, name, metric+"."+cause, reflect.ValueOf(causes[cause]))
			}
		default:
			t.metric(section, name, metric, value)
		}
	}
}

func (t *long) metric(section, name, metric string, v reflect.Value) {
	text := fmt.Sprint(v.Interface())
	if v.CanFloat() {
		text = strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	t.csv.Write([]string{section, name, metric, text, unit(metric)})
}

// suffixes of metrics tell their units; shares and counts have none.
var suffixes = []struct{ suffix, unit string }{
	{"ns", "ns"},
	{"cycles", "cycles"},
	{"bytes", "B"},
	{"gbps", "GB/s"},
	{"per_s", "1/s"},
	{"pj", "pJ"},
	{"j", "J"},
	{"joules_per_token", "J"},
	{"w", "W"},
	{"usd", "$"},
	{"dollars_per_mtoken", "$"},
}

// unit returns the unit of a metric, or of the quantity it is a part of.
func unit(metric string) string {
	metric = strings.TrimSuffix(metric, "_band")
	for metric != "" {
		for _, s := range suffixes {
			if metric == s.suffix || strings.HasSuffix(metric, "_"+s.suffix) {
				return s.unit
			}
		}
		metric = metric[:max(0, strings.LastIndexByte(metric, '.'))]
	}
	return ""
}
