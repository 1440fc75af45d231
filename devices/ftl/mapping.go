package ftl

import (
	"hwsim/devices/flash"
	"hwsim/devices/tlb"
)

// mapping is what the layer knows of its map in memory and in the flash.
// Mapping page m is logical page f.logical+m, and is placed, collected and
// recovered like those of the host.
type mapping struct {
	cache   *tlb.Array[uint32] // entries in memory, with the version at which they changed last; 0: not since they were read
	entries uint32             // of a mapping page
	pages   []mapPage          // none if they are not written
	waiting []uint32           // mapping pages whose plane has no room
}

// mapPage is a mapping page.
type mapPage struct {
	written uint32 // version of its last program; entries that changed before are in it
	queued  bool   // to be written, with all that has changed by then
}

// newMapping returns the mapping of so many logical pages.
func newMapping(c *Config, logical, pageBytes uint32) mapping {
	m := mapping{entries: pageBytes / entryBytes}
	if c.CacheEntries > 0 {
		m.cache = tlb.NewArray[uint32](tlb.Config{Entries: c.CacheEntries, Ways: cacheWays, Hashed: true})
	}
	if c.MapWrites {
		m.pages = make([]mapPage, (logical+m.entries-1)/m.entries)
	}
	return m
}

// cacheKey is the key of a logical page's entry.
func cacheKey(logical uint32) uint64 { return tlb.Key(1, uint64(logical)<<1, 1) }

// keyed is the logical page of a key.
func keyed(key uint64) uint32 {
	addr, _ := tlb.Stretch(key)
	return uint32(addr >> 1)
}

// Cached reports whether the map's entry of a logical page is in memory, and
// brings it there. If not, page is the mapping page to read first. The entry
// that leaves may have its mapping page written.
func (f *FTL) Cached(logical uint32) (page uint32, ok bool) {
	m := &f.mapping
	if m.cache == nil {
		return 0, true
	}
	key := cacheKey(logical)
	if m.cache.Lookup(key) {
		f.stats.CacheHits++
		return 0, true
	}
	f.stats.CacheMisses++
	if out, changed := m.cache.Insert(key, 0); out != 0 && len(m.pages) > 0 {
		if n := keyed(out) / m.entries; changed != 0 && changed >= m.pages[n].written {
			f.queueMap(n)
		}
	}
	return f.mappingPage(logical / m.entries), false
}

// mappingPage returns where a mapping page is. One that was never written is
// taken to lie in the first block of the plane it belongs to.
func (f *FTL) mappingPage(n uint32) uint32 {
	if n < uint32(len(f.mapping.pages)) {
		if place := f.places[f.logical+n]; place != 0 {
			return place - 1
		}
	}
	return f.first(int(f.planeOf[n%f.order]), 0) + n/f.order%uint32(f.flash.Pages)
}

// remember notes that a logical page has a new place: in its entry, if that is
// in memory, else in its mapping page.
func (f *FTL) remember(logical uint32) {
	m := &f.mapping
	if len(m.pages) == 0 || logical >= f.logical {
		return
	}
	key := cacheKey(logical)
	if _, ok := m.cache.Find(key); ok {
		m.cache.Insert(key, f.clock)
		return
	}
	f.queueMap(logical / m.entries)
}

// queueMap has a mapping page written: its old content is read, and it is
// programmed with all of its entries that have changed.
func (f *FTL) queueMap(n uint32) {
	if p := &f.mapping.pages[n]; !p.queued {
		p.queued = true
		if place := f.places[f.logical+n]; place != 0 {
			f.out = append(f.out, Command{Page: place - 1, Logical: f.logical + n, Kind: flash.Read, Class: flash.Mapping})
			return
		}
		f.writeMap(f.logical + n)
	}
}

// writeMap programs a mapping page, or has it wait for its plane.
func (f *FTL) writeMap(logical uint32) {
	n := logical - f.logical
	version := f.Stamp()
	c, ok := f.write(logical, version)
	if !ok {
		f.mapping.waiting = append(f.mapping.waiting, logical)
		return
	}
	f.mapping.pages[n] = mapPage{written: version}
	f.stats.MapWrites++
	c.Class = flash.Mapping
	f.out = append(f.out, c)
}

// retryMaps programs mapping pages that waited for a plane which has room again.
func (f *FTL) retryMaps(plane int) {
	waiting := f.mapping.waiting
	f.mapping.waiting = waiting[:0]
	for _, logical := range waiting {
		if int(f.Plane(logical)) == plane {
			f.writeMap(logical)
		} else {
			f.mapping.waiting = append(f.mapping.waiting, logical)
		}
	}
}

// forgetMap forgets the cache and what was to be written.
func (f *FTL) forgetMap() {
	if f.mapping.cache != nil {
		f.mapping.cache.Clear()
	}
	clear(f.mapping.pages)
	f.mapping.waiting = f.mapping.waiting[:0]
}
