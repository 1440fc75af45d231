package hierarchy

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/sim"
)

// Random objects until each tier is full.
func TestPlacementsDoNotOverlap(t *testing.T) {
	s := Space{capacity: [NumTiers]uint64{1 << 32, 1 << 30, 3 << 29, 1 << 31}}
	rng := sim.NewRand(1)
	var end [NumTiers]uint64 // of the last object
	for range 2000 {
		tier := TierID(rng.IntN(int(NumTiers)))
		bytes := 1 + rng.Uint64()%(8<<20)
		free := s.Capacity(tier) - s.Used(tier)
		addr, err := s.Place("o", tier, bytes)
		if bytes > free {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, int(tier), devices.Tier(addr))
		local := addr - uint64(tier)<<devices.TierShift
		require.Zero(t, local%placeAlign)
		require.GreaterOrEqual(t, local, end[tier])
		end[tier] = local + bytes
		require.LessOrEqual(t, end[tier], s.Used(tier))
		require.LessOrEqual(t, s.Used(tier), s.Capacity(tier))
	}
}

func TestObjectsAddUpByClassAndTier(t *testing.T) {
	s := Space{capacity: [NumTiers]uint64{1 << 32, 1 << 32}}
	for _, o := range []Object{{"kv", HBM, 10}, {"weights", HBM, 20}, {"kv", DDR, 30}, {"kv", HBM, 5}} {
		_, err := s.Place(o.Class, o.Tier, o.Bytes)
		require.NoError(t, err)
	}
	require.Equal(t, []Object{{"kv", HBM, 15}, {"weights", HBM, 20}, {"kv", DDR, 30}}, s.Objects())
}

func TestCapacityErrorSaysByHowMuch(t *testing.T) {
	s := Space{capacity: [NumTiers]uint64{4 << 30}}
	_, err := s.Place("weights", HBM, 3<<30)
	require.NoError(t, err)
	_, err = s.Place("kv", HBM, 2<<30)
	require.EqualError(t, err, "kv: 2.00 GiB do not fit into hbm: 1.00 of its 4.00 GiB are free, 1.00 GiB too few")
	c, ok := errors.AsType[*CapacityError](err)
	require.True(t, ok)
	require.True(t, c.UserError())
	require.Equal(t, CapacityError{"kv", HBM, 2 << 30, 1 << 30, 4 << 30}, *c)
	_, err = s.Place("kv", PeerHBM, 1)
	require.EqualError(t, err, "kv: this system has no peer memory")
}

func TestWhatFillsATierExactlyFits(t *testing.T) {
	s := Space{capacity: [NumTiers]uint64{5<<20 + 7}}
	_, err := s.Place("a", HBM, 5<<20+7)
	require.NoError(t, err)
	require.Equal(t, s.Capacity(HBM), s.Used(HBM))
	_, err = s.Place("b", HBM, 1)
	require.Error(t, err)
}

// The sum of a class is asked for first, so that the error is of all of it.
func TestFitsSpeaksForASum(t *testing.T) {
	s := Space{capacity: [NumTiers]uint64{4 << 30}}
	require.NoError(t, s.Fits("kv", HBM, 4<<30))
	require.EqualError(t, s.Fits("kv", HBM, 6<<30), "kv: 6.00 GiB do not fit into hbm: 4.00 of its 4.00 GiB are free, 2.00 GiB too few")
	require.NoError(t, s.Fits("kv", PeerHBM, 0))
	require.EqualError(t, s.Fits("kv", PeerHBM, 1), "kv: this system has no peer memory")
	require.Zero(t, s.Used(HBM))
}

func TestTiersHaveNames(t *testing.T) {
	for id := range NumTiers {
		text, err := id.MarshalText()
		require.NoError(t, err)
		var back TierID
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, id, back)
	}
	_, err := ParseTier("tape")
	require.EqualError(t, err, `"tape" is no tier (hbm, ddr, cxl, peer)`)
}

func TestSpaceHoldsWhatWasPlacedAndNoMore(t *testing.T) {
	s := Space{capacity: [NumTiers]uint64{16 << 20, 16 << 20}}
	for range 2 {
		_, err := s.Place("kv", HBM, 1000)
		require.NoError(t, err)
	}
	for _, test := range []struct {
		addr, bytes uint64
		want        bool
	}{{0, 1000, true}, {0, 1001, false}, {1000, 1, false}, {placeAlign, 1000, true}, {placeAlign + 1, 1000, false}, {uint64(DDR) << devices.TierShift, 1, false}} {
		require.Equal(t, test.want, s.Holds(test.addr, test.bytes), "%d bytes at %d", test.bytes, test.addr)
	}
	empty := s.Empty()
	require.Zero(t, empty.Used(HBM))
	require.False(t, empty.Holds(0, 1))
	require.Equal(t, s.Capacity(DDR), empty.Capacity(DDR))
}
