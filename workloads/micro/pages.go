package micro

import (
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
)

// pages is a grid whose warps each copy one scattered page after the other
// from host memory, a piece at a time: the compiler cannot load the next
// before it has stored the last, which it might overlap.
type pages struct {
	bytes, places   uint64
	count           int
	blocks, threads int
}

var pagesCode = code{name: "copyPages", registers: 40}

const pagesLength = 5 // instructions a piece

func newPages(o PageOptions) *pages {
	return &pages{bytes: o.Bytes, places: o.Range / o.Bytes, count: o.Count, blocks: o.Blocks, threads: o.Threads}
}

// kernel leaves out the blocks that have no page.
func (p *pages) kernel(c *hierarchy.Config) *gpu.Kernel {
	perBlock := p.threads / warpLanes
	return kernel(c, pagesCode, min(p.blocks, (p.count+perBlock-1)/perBlock), p.threads, p)
}

func (p *pages) warps(cta int) int { return min(p.threads/warpLanes, p.count-cta*p.threads/warpLanes) }

func (p *pages) instructions(_, _ int) int { return pagesLength }

func (p *pages) round(cta, warp, n int, runs []gpu.Run) []gpu.Run {
	if n > 0 {
		_, to := p.place(cta, warp, n-1)
		runs = append(runs, store(to))
	}
	from, _ := p.place(cta, warp, n)
	return append(runs, load(from, piece))
}

// place returns from and to where a warp copies its n-th piece.
func (p *pages) place(cta, warp, n int) (from, to uint64) {
	per := int(p.bytes / piece)
	all := p.blocks * p.threads / warpLanes
	page := uint64(cta*p.threads/warpLanes + warp + n/per*all)
	at := uint64(n%per) * piece
	return p.source(page) + at, page%uint64(p.count)*p.bytes + at
}

// source returns where a page lies in host memory.
func (p *pages) source(page uint64) uint64 {
	return base(hierarchy.DDR) + mix(page)%p.places*p.bytes
}
