package graph

import (
	"slices"

	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// ChannelTrack is how busy neighbouring channels of a tier were, by interval.
type ChannelTrack struct {
	Tier        string
	First, Last int       // channels, counted as System.Channels does
	Busy        []float64 // share of the interval, mean over their data buses; what is leapt over left out
}

// Channels are shown one by one in tiers that have few; in others neighbours are
// taken together, so that a tier has channelTracks tracks at most. Intervals are
// taken together as well, so that all tracks have mostChannelValues values at most:
// about 2 MB of a file.
const (
	channelTracks     = 32
	mostChannelValues = 20_000
)

// channelGroup is the channels of a track.
type channelGroup struct {
	ChannelTrack
	channels []*dram.Channel
	used     sim.Time // of their buses' time, at the last reading
	ahead    sim.Time // used, but not yet told
}

// channelGroups divides the channels of the tiers that hold anything.
func (r *Run) channelGroups() (all []channelGroup) {
	for id := range hierarchy.NumTiers {
		if r.System.Space.Used(id) == 0 {
			continue
		}
		first, each := 0, (len(r.System.Channels(id))+channelTracks-1)/channelTracks
		for part := range slices.Chunk(r.System.Channels(id), max(1, each)) {
			all = append(all, channelGroup{ChannelTrack: ChannelTrack{Tier: id.String(), First: first, Last: first + len(part) - 1}, channels: part})
			first += len(part)
		}
	}
	return all
}

// busTime reads the time for which the groups' buses have moved data.
func busTime(groups []channelGroup) []sim.Time {
	busy := make([]sim.Time, len(groups))
	for i := range groups {
		for _, c := range groups[i].channels {
			busy[i] += c.Stats().BusBusy
		}
	}
	return busy
}

// addChannels turns the readings into shares of the channels that moved anything.
func (r *Run) addChannels(t *Timeline) {
	groups, list := r.readings.groups, r.readings.list[:len(t.Edges)]
	step := (len(groups)*len(list) + mostChannelValues - 1) / mostChannelValues
	from, at := sim.Time(0), 0
	for i := step; at < len(list); i += step {
		v := &list[min(i, len(list))-1]
		t.ChannelEdges = append(t.ChannelEdges, t.Edges[at])
		for g := range groups {
			groups[g].add(v.buses[g], v.at-from)
		}
		from, at = v.at, i
	}
	for i := range groups {
		if groups[i].used > 0 {
			t.Channels = append(t.Channels, groups[i].ChannelTrack)
		}
	}
}

// add appends an interval at whose end the buses have been used for so long. A
// burst counts when its command issues, and a channel may be a little behind or
// ahead of the machine: what is more than the interval has counts in the next.
func (g *channelGroup) add(used, length sim.Time) {
	buses := len(g.channels) * g.channels[0].Spec().PseudoChannels
	most := sim.Time(buses) * length
	busy := used - g.used + g.ahead
	g.ahead = max(0, busy-most)
	g.used = used
	g.Busy = append(g.Busy, float64(busy-g.ahead)/float64(most))
}
