package tlb

import "hwsim/devices"

// Config describes a TLB's array.
type Config struct {
	Entries int  `toml:"entries"` // translations held, a multiple of ways, at most 1048576
	Ways    int  `toml:"ways"`    // entries of a set, 1 to 64
	Hashed  bool `toml:"hashed"`  // a hash of the stretch's number chooses the set, not its low bits
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

// A key is a space, a shift and the stretch's number in the space.
const (
	numberBits = 46
	spaceShift = numberBits + 6
)

// Key names the stretch of 1<<shift bytes that addr lies in, in an address
// space below 4096. Addresses have at most 46+shift bits, and shift is above
// 0: no key is 0.
func Key(space uint16, addr uint64, shift uint8) uint64 {
	return uint64(space)<<spaceShift | uint64(shift)<<numberBits | addr>>shift
}

// Space returns the address space of a key.
func Space(key uint64) uint16 { return uint16(key >> spaceShift) }

// Stretch returns where the stretch of a key begins, and 1<<shift its bytes.
func Stretch(key uint64) (addr uint64, shift uint8) {
	shift = uint8(key>>numberBits) & 63
	return key & (1<<numberBits - 1) << shift, shift
}

// Array is the store of a TLB: keys, each with a V, which is what its stretch
// translates to where that matters.
type Array[V any] struct {
	ways   int
	sets   uint64
	mask   uint64 // of the set's number where sets are a power of two, else 0
	hashed bool
	keys   []uint64 // set by set, the most recently used first; 0: empty
	values []V
}

// NewArray returns an empty array.
func NewArray[V any](c Config) *Array[V] {
	a := &Array[V]{ways: c.Ways, sets: uint64(c.Entries / c.Ways), hashed: c.Hashed, keys: make([]uint64, c.Entries), values: make([]V, c.Entries)}
	if a.sets&(a.sets-1) == 0 {
		a.mask = a.sets - 1
	}
	return a
}

// Lookup reports whether the array holds the key, and notes its use.
func (a *Array[V]) Lookup(key uint64) bool {
	_, ok := a.Find(key)
	return ok
}

// Find returns what the key's stretch translates to, and notes its use.
func (a *Array[V]) Find(key uint64) (v V, ok bool) {
	first := a.set(key)
	for i, k := range a.keys[first : first+a.ways] {
		if k == key {
			v = a.values[first+i]
			a.front(first, i, key, v)
			return v, true
		}
	}
	return v, false
}

// Insert makes the key the most recently used of its set, in place of itself,
// of an empty entry or else of the least recently used, which it returns; key 0
// says that none had to go.
func (a *Array[V]) Insert(key uint64, v V) (evicted uint64, was V) {
	first := a.set(key)
	set := a.keys[first : first+a.ways]
	way := a.ways - 1
	for i, k := range set {
		if k == key {
			a.front(first, i, key, v)
			return 0, was
		}
	}
	evicted, was = set[way], a.values[first+way]
	a.front(first, way, key, v)
	return evicted, was
}

// front closes the gap at a way of the set and puts the key before all.
func (a *Array[V]) front(first, way int, key uint64, v V) {
	if way > 0 {
		copy(a.keys[first+1:first+way+1], a.keys[first:first+way])
		copy(a.values[first+1:first+way+1], a.values[first:first+way])
	}
	a.keys[first], a.values[first] = key, v
}

// Remove drops a key and reports whether it was there.
func (a *Array[V]) Remove(key uint64) bool {
	first := a.set(key)
	for i, k := range a.keys[first : first+a.ways] {
		if k == key {
			a.drop(first, i)
			return true
		}
	}
	return false
}

// RemoveSpace drops all keys of an address space and returns how many.
func (a *Array[V]) RemoveSpace(space uint16) int {
	return a.remove(func(key uint64) bool { return Space(key) == space })
}

// remove drops the keys that match and returns how many.
func (a *Array[V]) remove(match func(key uint64) bool) (n int) {
	for at := 0; at < len(a.keys); {
		if k := a.keys[at]; k != 0 && match(k) {
			a.drop(at/a.ways*a.ways, at%a.ways) // what comes after moves here
			n++
			continue
		}
		at++
	}
	return n
}

// RemoveWithin drops the keys of an address space whose stretches begin in the
// one of 1<<shift bytes that addr lies in, and returns how many.
func (a *Array[V]) RemoveWithin(space uint16, addr uint64, shift uint8) int {
	return a.remove(func(key uint64) bool {
		first, _ := Stretch(key)
		return Space(key) == space && first>>shift == addr>>shift
	})
}

// Clear drops all keys.
func (a *Array[V]) Clear() { clear(a.keys) }

// drop empties a way of the set, behind those in use.
func (a *Array[V]) drop(first, way int) {
	keys, values := a.keys[first:first+a.ways], a.values[first:first+a.ways]
	copy(keys[way:], keys[way+1:])
	copy(values[way:], values[way+1:])
	keys[a.ways-1] = 0
}

// set returns the place of the first way of the key's set.
func (a *Array[V]) set(key uint64) int {
	n := key & (1<<numberBits - 1)
	if a.hashed {
		n = devices.Mix(n)
	}
	if a.mask != 0 {
		return int(n&a.mask) * a.ways
	}
	return int(n%a.sets) * a.ways
}
