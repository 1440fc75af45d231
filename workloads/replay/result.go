package replay

import (
	"reflect"

	"hwsim/devices/dram"
	"hwsim/sim"
)

// Latency is read latency in ns, from entry to the end of the last data.
type Latency struct{ Mean, P50, P99, Max float64 }

// Result is what a run took, all channels together.
type Result struct {
	Requests   int64
	Time       sim.Time // from 0 to the last read's data, or the last entry
	GBps       float64  // of whole bursts, writes counted as posted; 1e9 B/s
	PctPeak    float64  // of the peak rate of all channels
	Read       Latency  // of a request; of a piece where channels are several
	Stats      dram.Stats
	Energy     dram.Energy // pJ
	MostBursts int64       // of a channel
	MeanBursts float64     // of a channel
}

// BurstsPerACT returns how many bursts an opened row served; 0 without ACTs.
func (r *Result) BurstsPerACT() float64 {
	if r.Stats.ACT == 0 {
		return 0
	}
	return float64(r.Stats.RD+r.Stats.WR) / float64(r.Stats.ACT)
}

// Balance returns how evenly the channels share the bursts, mean over most: 1
// is perfect, and the balance of no bursts.
func (r *Result) Balance() float64 {
	if r.MostBursts == 0 {
		return 1
	}
	return r.MeanBursts / float64(r.MostBursts)
}

// conclude serves all reads of the drivers, ends the run with the last one's
// data and adds up what the channels did for so many requests.
func conclude(all []*driver, requests int64) *Result {
	r := &Result{Requests: requests}
	for _, d := range all {
		r.Time = max(r.Time, d.drain())
	}
	waits, bursts := &latencies{}, int64(0)
	for _, d := range all {
		d.close(r.Time)
		waits.merge(&d.latency)
		energy := d.c.Energy(r.Time)
		add(&r.Stats, d.c.Stats())
		add(&r.Energy, &energy)
		bursts += d.bursts
		r.MostBursts = max(r.MostBursts, d.bursts)
	}
	r.MeanBursts = float64(bursts) / float64(len(all))
	s := all[0].c.Spec()
	if r.Time > 0 {
		r.GBps = float64(bursts*int64(s.BurstBytes)) / r.Time.Nanoseconds()
	}
	r.PctPeak = 100 * r.GBps / (float64(len(all)) * s.PeakGBps())
	r.Read = waits.summary(s.Tick.Period() / 1000)
	return r
}

// add adds what one channel counted to the sum, number by number.
func add[T dram.Stats | dram.Energy](sum, channel *T) {
	to, from := reflect.ValueOf(sum).Elem(), reflect.ValueOf(channel).Elem()
	for i := range to.NumField() {
		switch f, more := to.Field(i), from.Field(i); f.Kind() {
		case reflect.Uint64:
			f.SetUint(f.Uint() + more.Uint())
		case reflect.Int64:
			f.SetInt(f.Int() + more.Int())
		case reflect.Float64:
			f.SetFloat(f.Float() + more.Float())
		}
	}
}
