package validation

import "hwsim/hierarchy"

// streamers are those who load the memory: their share of writes and their
// SMs. Rows of equal streamers are one curve, by pause.
type streamers struct{ writes, sms int }

// The parts of a curve, as shares of the greatest rate on it.
const (
	belowSaturation = 0.9
	saturated       = 0.99
)

// saturationOf is the regime of the greatest rate, by writes of 4.
var saturationOf = [5]bucket{loadedReads, loadedQuarter, loadedHalf, loadedThree, loadedWrites}

// compileLoaded compares latencies under load, and the rate of that load.
func compileLoaded(t *table) {
	tasks := make([]loaded, len(t.rows))
	most := map[streamers]float64{} // GB/s
	sms := 0
	for i, r := range t.rows {
		r.word("test", "loaded_latency")
		o := loaded{WritesOf4: writes(r, "writes"), SMs: int(r.whole("streaming_sms", 0, 1<<16)), Threads: int(r.whole("threads", 1, 1024)),
			PauseCycles: int(r.whole("pause_cycles", 0, 1<<40))}
		tasks[i] = o
		most[o.streamers()] = max(most[o.streamers()], r.number("stream_GBps", true))
		sms = max(sms, o.SMs)
	}
	for i, r := range t.rows {
		o, gbps := tasks[i], r.number("stream_GBps", true)
		top := most[o.streamers()]
		latency, rate := loadedBeyond, bucket("")
		switch {
		case gbps <= belowSaturation*top || o.SMs == 0:
			latency, rate = loadedLatency, loadedStream
		case gbps >= saturated*top && o.SMs == sms:
			rate = saturationOf[o.WritesOf4]
		case gbps >= saturated*top:
			rate = loadedFewerSMs
		}
		t.time(r, latency, o, "latency", r.positive("latency_ns"), r.repeated("latency_ns_repeat")).under("stream", gbps)
		if gbps > 0 && rate != "" {
			t.rate(r, rate, o, "stream", gb, gbps, 0).over(hierarchy.HBM, loadedRange)
		}
	}
}

const (
	gb          = 1e9
	loadedRange = 8 * gib // that the streams of the measuring program spread over
)

func (o loaded) streamers() streamers { return streamers{o.WritesOf4, o.SMs} }
