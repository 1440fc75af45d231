package workloads

import (
	"math"

	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
)

// placeTokens is the unit in which a contiguous KV cache is placed: a tile.
const placeTokens = 64

// kvCache lays out the KV cache of every layer: pages of K and of V, each
// tier holding its share of a layer's pages side by side.
type kvCache struct {
	page      int // tokens
	heads     int
	kDim      uint64 // bytes of one head's key
	vDim      uint64 // bytes of one head's value; 0: the value is part of the key
	hnd       bool
	paged     bool
	firstPage []int // of each sequence; last is the total
	layers    []kvLayer
	staging   [2][hierarchy.NumTiers][2]uint64 // buffer, tier, K or V
	tables    uint64                           // block tables: 4 bytes a page
}

// kvLayer is one layer's part.
type kvLayer struct {
	cache  *kvCache
	shares [hierarchy.NumTiers]float64
	unit   string
	count  [hierarchy.NumTiers]int       // pages
	home   [hierarchy.NumTiers][2]uint64 // K and V regions
	seen   [hierarchy.NumTiers][2]uint64 // where kernels read them: home, or a staging buffer
	spread [hierarchy.NumTiers]uint64    // multiplier that scatters a paged cache's pages over their region
}

// pages returns a layer's pages over all tiers.
func (c *kvCache) pages() int { return c.firstPage[len(c.firstPage)-1] }

// pageBytes returns the bytes of one page of K (part 0) or V (part 1).
func (c *kvCache) pageBytes(part int) uint64 {
	d := c.kDim
	if part == 1 {
		d = c.vDim
	}
	return uint64(c.page*c.heads) * d
}

// locate returns a page's tier and its rank among the layer's pages there.
func (l *kvLayer) locate(page int) (hierarchy.TierID, int) {
	if l.unit == "page" {
		return interleaved(l.shares, page)
	}
	for _, t := range farFirst {
		if page < l.count[t] {
			return t, page
		}
		page -= l.count[t]
	}
	return hierarchy.HBM, page
}

// farFirst is the order in which a fraction's pages fill the tiers.
var farFirst = [...]hierarchy.TierID{hierarchy.PeerHBM, hierarchy.CXLMem, hierarchy.DDR, hierarchy.HBM}

// interleaved deals pages out to the tiers in proportion to their shares, as
// evenly as whole pages allow, and returns the page's tier and rank.
func interleaved(shares [hierarchy.NumTiers]float64, page int) (hierarchy.TierID, int) {
	rest := 1.0
	for _, t := range farFirst[:len(farFirst)-1] {
		f := shares[t]
		if f <= 0 {
			continue
		}
		f = min(1, f/rest)
		before, after := math.Floor(float64(page)*f+1e-9), math.Floor(float64(page+1)*f+1e-9)
		if after > before {
			return t, int(before)
		}
		page -= int(before)
		rest -= shares[t]
	}
	return hierarchy.HBM, page
}

// counts returns how many of n pages each tier holds.
func (l *kvLayer) counts(n int) (count [hierarchy.NumTiers]int) {
	if l.unit != "page" {
		left := n
		for _, t := range farFirst[:len(farFirst)-1] {
			count[t] = min(left, int(math.Round(float64(n)*l.shares[t])))
			left -= count[t]
		}
		count[hierarchy.HBM] = left
		return count
	}
	rest, left := 1.0, n
	for _, t := range farFirst[:len(farFirst)-1] {
		if f := l.shares[t]; f > 0 {
			count[t] = int(math.Floor(float64(left)*min(1, f/rest) + 1e-9))
			left -= count[t]
			rest -= f
		}
	}
	count[hierarchy.HBM] = left
	return count
}

// address returns where kernels find a page's K or V.
func (l *kvLayer) address(page, part int) uint64 {
	t, rank := l.locate(page)
	if l.cache.paged {
		rank = int(uint64(rank) * l.spread[t] % uint64(l.count[t])) // a page table in random order
	}
	return l.seen[t][part] + uint64(rank)*l.cache.pageBytes(part)
}

// Read appends the reads of tokens [from, to) of one head: block-table
// entries if paged, then the keys and the values, page by page.
func (l *kvLayer) Read(seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	c := l.cache
	if c.paged {
		first, last := from/c.page, (to-1)/c.page
		runs = append(runs, gpu.Run{Addr: c.tables + uint64(c.firstPage[seq]+first)*4, Rows: 1, Bytes: uint32(last-first+1) * 4})
	}
	for part, dim := range [2]uint64{c.kDim, c.vDim} {
		if dim == 0 {
			continue
		}
		for t := from; t < to; {
			page, within := t/c.page, t%c.page
			n := min(to-t, c.page-within)
			r := gpu.Run{Addr: l.address(c.firstPage[seq]+page, part)}
			if c.hnd {
				r.Addr += uint64(head*c.page+within) * dim
				r.Rows, r.Bytes = 1, uint32(uint64(n)*dim)
			} else {
				r.Addr += uint64(within*c.heads+head) * dim
				r.Pitch, r.Rows, r.Bytes = uint64(c.heads)*dim, uint32(n), uint32(dim)
			}
			runs = append(runs, r)
			t += n
		}
	}
	return runs
}

// Where implements kernels.KV. Pages that are dealt out one by one lie in a
// mixture of tiers, the same everywhere.
func (l *kvLayer) Where(seq, token int) (memory, until int) {
	if l.unit == "page" {
		return 0, math.MaxInt32
	}
	c := l.cache
	page, first := c.firstPage[seq]+token/c.page, c.firstPage[seq]
	end, known := 0, false
	for _, t := range farFirst {
		if l.count[t] == 0 {
			continue
		}
		end += l.count[t]
		seen := int(l.seenIn(t))
		if known && seen != memory {
			break
		}
		if page < end {
			memory, until, known = seen, (end-first)*c.page, true
		}
	}
	return memory, until
}

// seenIn returns the tier that kernels see a tier's part of the layer in.
func (l *kvLayer) seenIn(t hierarchy.TierID) hierarchy.TierID {
	if l.seen[t] != l.home[t] {
		return hierarchy.HBM
	}
	return t
}

// bytesByTier returns what reading n tokens of a sequence takes from the
// tiers that kernels see it in.
func (l *kvLayer) bytesByTier(seq, n int) (sum [hierarchy.NumTiers]uint64) {
	c := l.cache
	for p := 0; p*c.page < n; p++ {
		t, _ := l.locate(c.firstPage[seq] + p)
		sum[l.seenIn(t)] += uint64(min(c.page, n-p*c.page)*c.heads) * (c.kDim + c.vDim)
	}
	return sum
}

// read returns the bytes that reading the whole cache of sequences of such
// lengths takes from each tier.
func (l *kvLayer) read(lengths []int) (sum [hierarchy.NumTiers]uint64) {
	for seq, n := range lengths {
		for tier, b := range l.bytesByTier(seq, n) {
			sum[tier] += b
		}
	}
	return sum
}

// remote returns the layer's bytes in a tier.
func (l *kvLayer) remote(t hierarchy.TierID) uint64 {
	return uint64(l.count[t]) * (l.cache.pageBytes(0) + l.cache.pageBytes(1))
}

// fetch returns the copies that bring a tier's part of the layer to where it
// is seen, in pieces of at most limit bytes.
func (l *kvLayer) fetch(t hierarchy.TierID, limit uint64) []dma.Segment {
	var segs []dma.Segment
	for part := range 2 {
		segs = cut(segs, l.home[t][part], l.seen[t][part], uint64(l.count[t])*l.cache.pageBytes(part), limit)
	}
	return segs
}

// cut appends a copy in pieces of at most limit bytes, 0 being no limit.
func cut(segs []dma.Segment, src, dst, bytes, limit uint64) []dma.Segment {
	for bytes > 0 {
		n := bytes
		if limit > 0 {
			n = min(n, limit)
		}
		segs = append(segs, dma.Segment{Src: src, Dst: dst, Bytes: n})
		src, dst, bytes = src+n, dst+n, bytes-n
	}
	return segs
}
