package kvalloc

import "hwsim/configs"

// Virtual says how virtually contiguous buffers get physical memory.
type Virtual struct {
	GroupBytes uint64  `toml:"group_bytes"`  // of a page group: 64, 128 or 256 KiB with vAttention's driver, 2 MiB with the stock one; 0 means 2 MiB
	MapUs      float64 `toml:"map_us"`       // of one call, which maps one group in one buffer; 0: SmallMapUs or LargeMapUs
	Overlap    bool    `toml:"overlap"`      // what the next token needs is mapped while an iteration runs
	Deferred   bool    `toml:"deferred"`     // groups stay with their slot until memory is short
	Eager      int     `toml:"eager_tokens"` // the next slot to be given out is mapped for so many tokens in what time overlap leaves
}

const (
	// LargeGroup is the page of the stock driver's calls, in bytes.
	LargeGroup = 2 << 20
	// LargeMapUs is cuMemMap and cuMemSetAccess of 2 MiB, about 40 µs
	// (arXiv 2405.04437, section 6.1).
	LargeMapUs = 40
	// SmallMapUs is a call of vAttention's driver: 64 KiB at the 7.6 GB/s that
	// it maps on one GPU (the same, table 9). Taken for 128 and 256 KiB too.
	SmallMapUs = 8.6
)

// Validate reports values that no allocator can have.
func (v *Virtual) Validate(report func(key, message string)) {
	if g := v.GroupBytes; g != 0 && (g < 4096 || g > 1<<30 || g&(g-1) != 0) {
		report("group_bytes", "must be 0 or a power of two from 4096 to 1073741824")
	}
	if !(v.MapUs >= 0 && v.MapUs <= 1e6) {
		report("map_us", "must be 0 to 1000000")
	}
	configs.Within(report, "eager_tokens", v.Eager, 0, 1<<24)
	if v.Eager > 0 && !v.Overlap {
		report("eager_tokens", "needs overlap: it is mapped in the background")
	}
}

// WithDefaults returns the values that zeros stand for.
func (v Virtual) WithDefaults() Virtual {
	if v.GroupBytes == 0 {
		v.GroupBytes = LargeGroup
	}
	if v.MapUs == 0 {
		v.MapUs = SmallMapUs
		if v.GroupBytes >= LargeGroup {
			v.MapUs = LargeMapUs
		}
	}
	return v
}
