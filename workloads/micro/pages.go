package micro

import (
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
)

// pages is a grid whose warps each copy one scattered page after the other
// from host memory, a piece at a time, once they have read which. The loads
// share registers: the next piece is loaded when the last has been stored.
type pages struct {
	bytes, places   uint64
	count           int
	blocks, threads int
}

const indexBytes = 32 // read for a page's index: a sector

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
	per := int(p.bytes/piece) + 1 // the page's index, and its pieces
	if n%per != 1 && n > 0 {
		_, to := p.place(cta, warp, (n-1)/per, (n-1)%per-1)
		runs = append(runs, store(to))
	}
	if n%per == 0 {
		return append(runs, load(other+4*p.page(cta, warp, n/per)/indexBytes*indexBytes, indexBytes))
	}
	from, _ := p.place(cta, warp, n/per, n%per-1)
	return append(runs, load(from, piece))
}

// page returns the number of a warp's n-th page.
func (p *pages) page(cta, warp, n int) uint64 {
	perBlock := p.threads / warpLanes
	return uint64(cta*perBlock + warp + n*p.blocks*perBlock)
}

// place returns from and to where a warp copies a piece of its n-th page.
func (p *pages) place(cta, warp, n, k int) (from, to uint64) {
	page, at := p.page(cta, warp, n), uint64(k)*piece
	return p.source(page) + at, page%uint64(p.count)*p.bytes + at
}

// source returns where a page lies in host memory.
func (p *pages) source(page uint64) uint64 {
	return base(hierarchy.DDR) + mix(page)%p.places*p.bytes
}
