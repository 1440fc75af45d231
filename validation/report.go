package validation

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Report is what a validation found. Errors are in percent.
type Report struct {
	Schema       int        `json:"schema"` // version of this layout
	Config       string     `json:"config"`
	Quick        bool       `json:"quick"`
	Complete     bool       `json:"complete"`
	Tables       []Score    `json:"tables"`        // whole table first, then its regimes
	NotSimulated []Omission `json:"not_simulated"` // rows without a prediction
	AbovePeak    []Refusal  `json:"above_peak"`    // rows that the machine cannot have shown; not in Tables
	Unrecognised []Unknown  `json:"unrecognised"`
	Rows         []Row      `json:"rows"`
}

// Schema is the version of a report's layout.
const Schema = 1

// newReport returns a report of nothing yet, whose lists are not null in JSON.
func newReport(o Options) *Report {
	return &Report{Schema: Schema, Config: o.Config, Quick: o.Quick,
		Tables: []Score{}, NotSimulated: []Omission{}, AbovePeak: []Refusal{}, Unrecognised: []Unknown{}, Rows: []Row{}}
}

// Score sums up the errors of a table's rows, or of one regime of them.
type Score struct {
	File         string   `json:"file"`
	Layout       string   `json:"layout"`
	Bucket       string   `json:"bucket"` // all, or a regime
	N            int      `json:"n"`
	Of           int      `json:"of"` // rows that the table has; a quick run takes fewer
	MAPE         float64  `json:"mape"`
	Median       float64  `json:"median"`
	P90          float64  `json:"p90"`
	Bias         float64  `json:"bias"`
	TimeWeighted float64  `json:"time_weighted"`
	BaselineMAPE *float64 `json:"baseline_mape"` // of the best two-parameter fit; null where that makes no sense
	RepeatMAPE   *float64 `json:"repeat_mape"`   // of the measurement's own repeat; null without one
	Bound        *float64 `json:"bound"`         // greatest MAPE; null where none is stated
}

// meanRows is how many rows of a regime's have a mean that tells of it.
const meanRows = 3

// Exceeds tells whether the error is above its bound. A row or two of many are
// not held against the bound of their mean.
func (s *Score) Exceeds() bool {
	return s.Bound != nil && s.MAPE > *s.Bound && (s.N >= meanRows || s.N == s.Of)
}

// Omission is a set of rows of one table that have no prediction.
type Omission struct {
	File   string `json:"file"`
	Layout string `json:"layout"`
	Bucket string `json:"bucket,omitempty"`
	Rows   int    `json:"rows"`
	Reason string `json:"reason"`
}

// Refusal is a row whose rate is above what the machine can show.
type Refusal struct {
	File  string  `json:"file"`
	Line  int     `json:"line"`
	Row   string  `json:"row"`
	GBps  float64 `json:"gbps"`
	Most  float64 `json:"most_gbps"`
	Bound string  `json:"bound_by"`
}

// Unknown is a table of no known layout.
type Unknown struct {
	File    string   `json:"file"`
	Columns []string `json:"columns"`
	Nearest string   `json:"nearest,omitempty"` // layout
	Missing []string `json:"missing,omitempty"` // columns that the nearest has
}

// Row is one comparison.
type Row struct {
	File     string  `json:"file"`
	Line     int     `json:"line"`
	Row      string  `json:"row"`
	Bucket   string  `json:"bucket"`
	Measured float64 `json:"measured_ns"`
	Ours     float64 `json:"ours_ns"`
	Error    float64 `json:"error"`

	Keys    map[string]string `json:"keys,omitempty"`          // cells of the columns that say what was measured
	Bytes   float64           `json:"bytes,omitempty"`         // whose time is told; 0 where the table tells a time
	Load    float64           `json:"load_gbps,omitempty"`     // under which a latency was measured
	OurLoad float64           `json:"our_load_gbps,omitempty"` // under which it was predicted
}

// notYet is why a recognised table has no predictions at all.
const notYet = "recognised, not simulated yet"

// omit reports a row without a prediction.
func (t *table) omit(r row, b bucket, reason string) {
	for i := range t.omissions {
		if o := &t.omissions[i]; o.Bucket == string(b) && o.Reason == reason {
			o.Rows++
			return
		}
	}
	t.omissions = append(t.omissions, Omission{t.file, t.layout.name, string(b), 1, reason})
}

// fill reports on the tables: on the rows that were chosen, of all.
func (r *Report) fill(tables []*table, rows, chosen []*comparison) {
	of := map[*table]map[bucket]int{}
	for _, c := range rows {
		if of[c.t] == nil {
			of[c.t] = map[bucket]int{}
		}
		of[c.t][c.bucket]++
		of[c.t][allRows]++
	}
	done := map[*table][]*comparison{}
	for _, c := range chosen {
		switch {
		case errors.Is(c.err, errPending):
		case c.err != nil:
			c.t.omit(c.row, c.bucket, c.err.Error())
		default:
			done[c.t] = append(done[c.t], c)
		}
	}
	for _, t := range tables {
		r.add(t, done[t], of[t])
	}
}

// add reports on one table.
func (r *Report) add(t *table, rows []*comparison, of map[bucket]int) {
	switch {
	case t.layout == nil:
		u := Unknown{File: t.file, Columns: t.header}
		if near, missing := nearest(t.header); near != nil {
			u.Nearest, u.Missing = near.name, missing
		}
		r.Unrecognised = append(r.Unrecognised, u)
		return
	case t.layout.compile == nil:
		r.NotSimulated = append(r.NotSimulated, Omission{t.file, t.layout.name, "", len(t.rows), notYet})
		return
	case len(t.rows) == 0:
		r.NotSimulated = append(r.NotSimulated, Omission{t.file, t.layout.name, "", 0, "has no rows"})
		return
	}
	r.NotSimulated = append(r.NotSimulated, t.omissions...)
	if len(rows) == 0 {
		return
	}
	r.score(t, allRows, rows, of)
	for _, b := range bounds {
		if some := regime(rows, b.bucket); len(some) > 0 {
			r.score(t, b.bucket, some, of)
		}
	}
	for _, c := range rows {
		r.Rows = append(r.Rows, c.report())
	}
}

// measurement is the row of a comparison before anything is predicted.
func (c *comparison) measurement() Row {
	return Row{File: c.t.file, Line: c.line, Row: c.name(), Bucket: string(c.bucket), Measured: c.measured,
		Keys: c.keys(), Bytes: c.unit, Load: c.load.measured}
}

// report is the row with its prediction.
func (c *comparison) report() Row {
	r := c.measurement()
	r.Ours, r.Error, r.OurLoad = c.ours, 100*c.error(), c.load.ours
	return r
}

func regime(rows []*comparison, b bucket) (some []*comparison) {
	for _, c := range rows {
		if c.bucket == b {
			some = append(some, c)
		}
	}
	return some
}

func (r *Report) score(t *table, b bucket, rows []*comparison, of map[bucket]int) {
	s := newScore(rows)
	s.File, s.Layout, s.Bucket, s.Of, s.Bound = t.file, t.layout.name, string(b), of[b], boundOf(b)
	r.Tables = append(r.Tables, s)
}

// boundOf returns a regime's bound in percent, nil if it has none.
func boundOf(b bucket) *float64 {
	for i := range bounds {
		if bounds[i].bucket == b && bounds[i].percent != unbounded {
			return &bounds[i].percent
		}
	}
	return nil
}

// newScore sums up the errors of some rows.
func newScore(rows []*comparison) Score {
	var errs, ours, measured, repeat, repeated []float64
	for _, c := range rows {
		errs, ours, measured = append(errs, 100*c.error()), append(ours, c.ours), append(measured, c.measured)
		if c.repeat > 0 {
			repeat, repeated = append(repeat, c.repeat), append(repeated, c.measured)
		}
	}
	size := absolute(errs)
	s := Score{N: len(rows), MAPE: mean(size), Median: quantile(size, 0.5), P90: quantile(size, 0.9), Bias: mean(errs),
		TimeWeighted: 100 * weighted(ours, measured), BaselineMAPE: baseline(rows)}
	if len(repeat) > 0 {
		s.RepeatMAPE = percent(MAPE(repeat, repeated))
	}
	return s
}

func percent(share float64) *float64 {
	p := 100 * share
	return &p
}

// baseline returns the error of the best fixed time and rate over the rows in
// percent, nil where a row tells no bytes or two figures always fit.
func baseline(rows []*comparison) *float64 {
	var bytes, ns []float64
	for _, c := range rows {
		if c.moved < 0 {
			return nil
		}
		bytes, ns = append(bytes, c.moved), append(ns, c.measured)
	}
	if len(rows) < 3 || slices.Min(bytes) == slices.Max(bytes) {
		return nil
	}
	fit := FitAffine(bytes, ns)
	line := make([]float64, len(ns))
	for i, b := range bytes {
		line[i] = fit.At(b)
	}
	if e := MAPE(line, ns); !math.IsNaN(e) && !math.IsInf(e, 0) {
		return percent(e)
	}
	return nil
}

// Exceeded returns the scores that are above their bounds, worst first.
func (r *Report) Exceeded() (scores []Score) {
	for _, s := range r.Tables {
		if s.Exceeds() {
			scores = append(scores, s)
		}
	}
	slices.SortStableFunc(scores, func(a, b Score) int { return cmp.Compare(b.MAPE / *b.Bound, a.MAPE / *a.Bound) })
	return scores
}
