package tlb

import "hwsim/devices"

// Config describes a TLB's array.
type Config struct {
	Entries int  `toml:"entries"`
	Ways    int  `toml:"ways"`
	Hashed  bool `toml:"hashed"` // a hash of the stretch's number chooses the set, not its low bits
}

// Validate reports values that no TLB can have.
func (c *Config) Validate(report func(key, message string)) {
	if c.Ways < 1 || c.Ways > 64 {
		report("ways", "must be 1 to 64")
		return
	}
	if c.Entries < c.Ways || c.Entries > 1<<20 || c.Entries%c.Ways != 0 {
		report("entries", "must be a multiple of ways, at most 1048576")
	}
}

// numberBits is how much of a key is the stretch's number in its space.
const numberBits = 46

// Key names the stretch of 1<<shift bytes that addr lies in, in an address
// space below 4096. Addresses have at most 46+shift bits, and shift is above
// 0: no key is 0.
func Key(space uint16, addr uint64, shift uint8) uint64 {
	return uint64(space)<<(numberBits+6) | uint64(shift)<<numberBits | addr>>shift
}

// Array is the store of a TLB.
type Array struct {
	ways   int
	sets   uint64
	hashed bool
	keys   []uint64 // set by set, the most recently used first; 0: empty
}

// NewArray returns an empty array.
func NewArray(c Config) *Array {
	return &Array{ways: c.Ways, sets: uint64(c.Entries / c.Ways), hashed: c.Hashed, keys: make([]uint64, c.Entries)}
}

// Lookup reports whether the array holds the key, and notes its use.
func (a *Array) Lookup(key uint64) bool {
	set := a.set(key)
	for way, k := range set {
		if k == key {
			front(set, way)
			return true
		}
	}
	return false
}

// Insert makes the key the most recently used of its set, in place of the
// least recently used unless it is there.
func (a *Array) Insert(key uint64) {
	if a.Lookup(key) {
		return
	}
	set := a.set(key)
	front(set, a.ways-1)
	set[0] = key
}

// front moves a way to the front of its set.
func front(set []uint64, way int) {
	key := set[way]
	copy(set[1:way+1], set[:way])
	set[0] = key
}

func (a *Array) set(key uint64) []uint64 {
	n := key & (1<<numberBits - 1)
	if a.hashed {
		n = devices.Mix(n)
	}
	first := int(n%a.sets) * a.ways
	return a.keys[first : first+a.ways]
}
