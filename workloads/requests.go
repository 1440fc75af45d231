package workloads

import (
	"fmt"

	"hwsim/hierarchy"
	"hwsim/workloads/replay"
)

// Requests asks for a record of the requests that reach a channel of a tier. Of a
// run that begins anew with more layers, the first attempt is recorded.
type Requests struct {
	Tier     hierarchy.TierID
	Channel  int
	Recorder *replay.Recorder
}

// record hooks the recorder up to the machine's channel.
func (q *Requests) record(s *hierarchy.System) error {
	if q == nil {
		return nil
	}
	channels := s.Channels(q.Tier)
	if q.Channel >= len(channels) {
		return configError{fmt.Errorf("requests of %s.%d: the machine has %d channels of %s", q.Tier, q.Channel, len(channels), q.Tier)}
	}
	channels[q.Channel].Arrived = q.Recorder.Arrived
	return nil
}
