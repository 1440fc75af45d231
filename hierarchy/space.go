package hierarchy

import (
	"cmp"
	"fmt"
	"slices"

	"hwsim/devices"
)

// Object is one class of data in one tier.
type Object struct {
	Class string
	Tier  TierID
	Bytes uint64
}

// Space is the address space: what has been placed in each tier.
type Space struct {
	capacity [NumTiers]uint64 // 0: the machine has no such tier
	used     [NumTiers]uint64
	objects  []Object
	extents  [NumTiers][]extent // what was placed, by address
}

// extent is the bytes of one placement.
type extent struct{ addr, bytes uint64 }

// Empty returns the same memories with nothing in them.
func (s *Space) Empty() Space { return Space{capacity: s.capacity} }

// placeAlign keeps objects apart in pages, as allocators do.
const placeAlign = 2 << 20

// CapacityError says that something does not fit where it was put.
type CapacityError struct {
	Class            string
	Tier             TierID
	Want, Free, Size uint64 // bytes
}

func (e *CapacityError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("%s: this system has no %s memory", e.Class, e.Tier)
	}
	const gib = 1 << 30
	return fmt.Sprintf("%s: %.2f GiB do not fit into %s: %.2f of its %.2f GiB are free, %.2f GiB too few",
		e.Class, float64(e.Want)/gib, e.Tier, float64(e.Free)/gib, float64(e.Size)/gib, float64(e.Want-e.Free)/gib)
}

// UserError says that the configuration is at fault.
func (e *CapacityError) UserError() bool { return true }

// Fits reports whether all objects of a class that are to be placed in a tier
// have room, so that the error, a *CapacityError, is of their sum.
func (s *Space) Fits(class string, tier TierID, bytes uint64) error {
	if free := s.capacity[tier] - s.used[tier]; bytes > free {
		return &CapacityError{class, tier, bytes, free, s.capacity[tier]}
	}
	return nil
}

// Place reserves bytes in a tier and returns their address. The error is a
// *CapacityError.
func (s *Space) Place(class string, tier TierID, bytes uint64) (uint64, error) {
	free := s.capacity[tier] - s.used[tier]
	if s.capacity[tier] == 0 || bytes > free {
		return 0, &CapacityError{class, tier, bytes, free, s.capacity[tier]}
	}
	addr := uint64(tier)<<devices.TierShift + s.used[tier]
	s.used[tier] = min(s.used[tier]+(bytes+placeAlign-1)/placeAlign*placeAlign, s.capacity[tier])
	s.extents[tier] = append(s.extents[tier], extent{addr, bytes})
	s.note(class, tier, bytes)
	return addr, nil
}

// Holds reports whether all of so many bytes lie in what one call of Place
// reserved.
func (s *Space) Holds(addr, bytes uint64) bool {
	all := s.extents[devices.Tier(addr)]
	i, found := slices.BinarySearchFunc(all, addr, func(e extent, addr uint64) int { return cmp.Compare(e.addr, addr) })
	if !found {
		i--
	}
	return i >= 0 && addr+bytes <= all[i].addr+all[i].bytes
}

func (s *Space) note(class string, tier TierID, bytes uint64) {
	for i := range s.objects {
		if o := &s.objects[i]; o.Class == class && o.Tier == tier {
			o.Bytes += bytes
			return
		}
	}
	s.objects = append(s.objects, Object{class, tier, bytes})
}

// Objects returns what has been placed, in order of first placement.
func (s *Space) Objects() []Object { return s.objects }

// Capacity returns a tier's bytes for objects, 0 if the machine lacks it.
func (s *Space) Capacity(t TierID) uint64 { return s.capacity[t] }

// Used returns the bytes taken in a tier.
func (s *Space) Used(t TierID) uint64 { return s.used[t] }
