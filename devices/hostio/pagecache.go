package hostio

import "math"

// FileID names a file, or a part that is always read as a whole.
type FileID int

// PageCache is the host memory that files' pages lie in, under Linux's rules for
// two lists (mm/workingset.c, mm/vmscan.c): a page read for the first time goes
// to the head of the inactive list, one read again while it is there to the
// active list; reclaim takes the inactive list's tail. The active list may be
// inactive_ratio times the other, isqrt(10 GiB of both); what is more returns to
// the inactive list. A page that comes back after no more evictions and
// activations than there are active pages goes to the active list at once.
//
// Pages are counted by file: those of a file that are in one list lie together.
type PageCache struct {
	capacity int64
	lists    [2]pageList
	age      int64 // bytes evicted and activated so far
	files    map[FileID]*cachedFile

	Hits, Misses int64 // bytes read
	Evicted      int64 // bytes reclaimed
}

const (
	inactive = iota
	active
)

// pageList is one list.
type pageList struct {
	head, tail *cachedFile
	bytes      int64
}

// cachedFile is a file's pages by list.
type cachedFile struct {
	in           [2]int64       // bytes by list
	newer, older [2]*cachedFile // neighbours in a list that it is in
	evicted      int64          // age when pages were last evicted
	seen         bool           // pages have been evicted
}

// NewPageCache returns an empty cache of so many bytes; none if not positive.
func NewPageCache(capacity int64) *PageCache {
	return &PageCache{capacity: max(0, capacity), files: map[FileID]*cachedFile{}}
}

// Read reads a file's first bytes and returns how many of them the cache held.
func (c *PageCache) Read(id FileID, bytes int64) (hit int64) {
	f := c.file(id)
	hit = min(bytes, f.in[inactive]+f.in[active])
	c.Hits, c.Misses = c.Hits+hit, c.Misses+bytes-hit
	if again := min(f.in[inactive], bytes); again > 0 {
		c.take(f, inactive, again)
		c.put(f, active, again)
		c.age += again
	}
	c.fetch(f, bytes-hit)
	return hit
}

// Write adds bytes to a file, which lie in the cache then.
func (c *PageCache) Write(id FileID, bytes int64) { c.add(c.file(id), inactive, bytes) }

// Drop forgets a file that is no more.
func (c *PageCache) Drop(id FileID) {
	f := c.files[id]
	if f == nil {
		return
	}
	for in, bytes := range f.in {
		if bytes > 0 {
			c.take(f, in, bytes)
		}
	}
	delete(c.files, id)
}

func (c *PageCache) file(id FileID) *cachedFile {
	f := c.files[id]
	if f == nil {
		f = &cachedFile{}
		c.files[id] = f
	}
	return f
}

// fetch adds what was missing, to the list that its refault distance calls for.
func (c *PageCache) fetch(f *cachedFile, bytes int64) {
	if f.seen && c.age-f.evicted <= c.lists[active].bytes {
		c.age += min(bytes, c.capacity)
		c.add(f, active, bytes)
		return
	}
	c.add(f, inactive, bytes)
}

// add makes room for bytes and puts them into a list. Of more than the cache can
// hold, it holds the last.
func (c *PageCache) add(f *cachedFile, in int, bytes int64) {
	bytes = min(bytes, c.capacity)
	for bytes > 0 && c.lists[active].bytes+c.lists[inactive].bytes+bytes > c.capacity {
		c.evict(c.lists[active].bytes + c.lists[inactive].bytes + bytes - c.capacity)
	}
	c.put(f, in, bytes)
	c.balance()
}

// evict takes at most so many bytes from the inactive list's tail.
func (c *PageCache) evict(bytes int64) {
	if c.lists[inactive].bytes == 0 {
		c.demote(min(bytes, c.lists[active].bytes))
	}
	f := c.lists[inactive].tail
	bytes = min(bytes, f.in[inactive])
	c.take(f, inactive, bytes)
	c.age, c.Evicted = c.age+bytes, c.Evicted+bytes
	f.evicted, f.seen = c.age, true
}

// balance demotes what the active list has too much.
func (c *PageCache) balance() {
	gib := (c.lists[active].bytes + c.lists[inactive].bytes) >> 30
	ratio := max(1, int64(math.Sqrt(float64(10*gib))))
	if over := c.lists[active].bytes - ratio*c.lists[inactive].bytes; over > 0 {
		c.demote((over + ratio) / (ratio + 1))
	}
}

// demote moves bytes from the active list's tail to the inactive list's head.
func (c *PageCache) demote(bytes int64) {
	for bytes > 0 {
		f := c.lists[active].tail
		n := min(bytes, f.in[active])
		c.take(f, active, n)
		c.put(f, inactive, n)
		bytes -= n
	}
}

// put adds bytes of a file to the head of a list, and moves what it has there
// along.
func (c *PageCache) put(f *cachedFile, in int, bytes int64) {
	if bytes == 0 {
		return
	}
	l := &c.lists[in]
	if f.in[in] > 0 {
		l.unlink(f, in)
	}
	l.bytes += bytes
	f.in[in] += bytes
	l.link(f, in)
}

// take removes bytes of a file from a list.
func (c *PageCache) take(f *cachedFile, in int, bytes int64) {
	l := &c.lists[in]
	l.bytes -= bytes
	if f.in[in] -= bytes; f.in[in] == 0 {
		l.unlink(f, in)
	}
}

// link puts a file at the head of the list, its in-th.
func (l *pageList) link(f *cachedFile, in int) {
	f.newer[in], f.older[in] = nil, l.head
	if l.head != nil {
		l.head.newer[in] = f
	} else {
		l.tail = f
	}
	l.head = f
}

func (l *pageList) unlink(f *cachedFile, in int) {
	newer, old := f.newer[in], f.older[in]
	if newer != nil {
		newer.older[in] = old
	} else {
		l.head = old
	}
	if old != nil {
		old.newer[in] = newer
	} else {
		l.tail = newer
	}
}
