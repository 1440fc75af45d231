package devices

import "hwsim/sim"

// Kind says what a message asks for or reports. Values below Local cross
// domains; a domain numbers the events it schedules for itself from Local up.
type Kind uint8

const (
	Read  Kind = iota // bytes wanted from Addr; answered by Data
	Write             // bytes to be stored at Addr; answered by Ack
	Data              // the bytes of a Read have arrived
	Ack               // a Write is done, a Flush is, or all are at a barrier
	Probe             // a near L2 slice asks the line's home slice
	Fill              // the home slice answers a Probe
	Start             // a unit is told to begin work
	Done              // a unit reports that its work has ended
	Load              // a Read that one warp awaits; a link's port tells it from others
	Flush             // SMs are asked for the end of their stores; answered by Ack
	Local             // first kind private to a domain
)

// Message is the one value that crosses domains, and what domains schedule
// for themselves. It fits a cache line.
type Message struct {
	Addr  uint64   // physical address
	Born  sim.Time // when the requester issued it
	Why   Why      // where the time since Born went
	Tag   uint32   // the requester's own handle, returned untouched
	Bytes uint32   // contiguous bytes from Addr
	From  uint16   // domain to be answered
	Kind  Kind
	Flow  uint8 // which stream of work it belongs to (kernel or copy)
}

// Cause is one reason for which a request spends time.
type Cause uint8

const (
	Queue     Cause = iota // waiting behind other requests
	Translate              // TLB misses and page walks
	Cache                  // cache pipelines and the crossbar
	Serialise              // occupying a link
	Credit                 // waiting for link credits or tags
	RowMiss                // precharge and activate
	Refresh                // bank or rank under refresh
	Turn                   // read/write bus turnaround
	Busy                   // the device moving the data itself
	NumCauses
)

var causeNames = [NumCauses]string{"queue", "translate", "cache", "serialise", "credit", "row miss", "refresh", "turnaround", "busy"}

func (c Cause) String() string { return causeNames[c] }

// Why divides a request's time among its causes, in ps. One request's share
// of one cause saturates at 2.1 ms.
type Why [NumCauses]int32

// Add charges t to cause c.
func (w *Why) Add(c Cause, t sim.Time) {
	sum := sim.Time(w[c]) + t
	w[c] = int32(min(sum, 1<<31-1))
}

// Total returns the time charged so far.
func (w *Why) Total() sim.Time {
	var t sim.Time
	for _, v := range w {
		t += sim.Time(v)
	}
	return t
}

// Merge adds another division of time to this one.
func (w *Why) Merge(o *Why) {
	for c, v := range o {
		w.Add(Cause(c), sim.Time(v))
	}
}

// NoReply as the From of a Write says that nobody waits for its Ack; as that
// of a Done, that it ends the op numbered Tag, not a CTA.
const NoReply = ^uint16(0)
