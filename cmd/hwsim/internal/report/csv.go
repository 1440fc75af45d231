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
)

// CSV writes r in long form, one metric a row, under the names that JSON
// uses: section,name,metric,value,unit.
func CSV(w io.Writer, r *workloads.Result) error {
	t := &long{csv.NewWriter(w)}
	t.csv.Write([]string{"section", "name", "metric", "value", "unit"})
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
	t.csv.Flush()
	if err := t.csv.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// long writes metrics; the csv.Writer keeps its first error.
type long struct{ csv *csv.Writer }

// fields writes all fields of a struct but its rows, which are sections of
// their own.
func (t *long) fields(section, name, prefix string, v reflect.Value) {
	for field, value := range v.Fields() {
		metric := prefix + field.Tag.Get("json")
		switch value.Kind() {
		case reflect.Slice, reflect.Pointer:
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
	{"bytes", "B"},
	{"gbps", "GB/s"},
	{"per_s", "1/s"},
}

// unit returns the unit of a metric, or of the quantity it is a quantile of.
func unit(metric string) string {
	metric, _, _ = strings.Cut(metric, ".")
	for _, s := range suffixes {
		if metric == s.suffix || strings.HasSuffix(metric, "_"+s.suffix) {
			return s.unit
		}
	}
	return ""
}
