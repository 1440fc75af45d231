package kernels

import (
	"math"
	"math/bits"
	"slices"

	"hwsim/devices/gpu"
)

// Shape is how a library lays a product out on a GPU.
type Shape struct {
	Rows, Cols int // of a CTA's tile: rows of W, tokens
	Splits     int // parts of K
	High, Wide int // CTAs of a cluster along W's rows and along the tokens
	slots      int // CTAs that the GPU holds at once
}

// Shape picks how the library runs a product of rows by k with m tokens, in
// each of so many groups.
//
// Up to 64 tokens the product streams W. The tile is as narrow as holds the
// tokens and as low as one wave of clusters of four allows, or of pairs if
// those would be a third higher. Where a wave leaves half of the SMs idle, or
// of a deep product three in ten, or of one twice as deep any, K is split into
// as many parts as the rules allow; tiles of 64 tokens are halved instead while K
// is not deep. If no tile is high enough for one wave, SMs have as few rows one
// after the other as can be.
//
// With more tokens it is what takes the least time by the library's own
// estimate: waves of tiles, each of so many steps that take their arithmetic
// or their loads, whichever is longer.
//
// Of cuBLAS 13's choices for the 290 products of h200/kernel_info.csv 213 are
// the same and 269 leave as much to do one after the other.
func (p *GEMMProfile) Shape(c *gpu.Config, rows, k, m, groups int) Shape {
	if cols := p.narrowest(m); cols > 0 && p.WideCluster > 1 {
		return p.streaming(c, rows, k, cols, groups)
	}
	return p.quickest(c, rows, k, m, groups)
}

// fineCols is the width from which tiles come in heights of all multiples.
const fineCols = 64

// tall is the height beyond which clusters of four are not preferred.
const tall = 256

// narrowest returns the width of the one column of tiles that holds m tokens,
// 0 if they need more than the products that stream W have.
func (p *GEMMProfile) narrowest(m int) int {
	for _, c := range p.TileCols {
		if c >= m && c <= fineCols {
			return c
		}
	}
	return 0
}

// heights returns the heights of tiles so wide.
func (p *GEMMProfile) heights(cols int) []int {
	if cols >= fineCols && len(p.FineRows) > 0 {
		return p.FineRows
	}
	return p.TileRows
}

// fits reports whether a tile's accumulators and two of its stages have room.
func (p *GEMMProfile) fits(rows, cols int) bool {
	return rows*cols <= p.TileElements && p.stages(rows, cols) >= 2
}

// streaming is the shape of a product with one column of tiles.
func (p *GEMMProfile) streaming(c *gpu.Config, rows, k, cols, groups int) Shape {
	fours := p.lowest(Shape{Cols: cols, Splits: 1, High: p.WideCluster, Wide: 1, slots: p.wideSlots(c)}, rows, groups)
	pairs := p.lowest(Shape{Cols: cols, Splits: 1, High: p.Cluster, Wide: 1, slots: c.SMs}, rows, groups)
	s := pairs
	switch {
	case pairs.Rows == 0:
		return p.turns(c, rows, cols, groups)
	case fours.Rows == pairs.Rows, fours.Rows > 0 && fours.Rows <= tall && 3*fours.Rows < 4*pairs.Rows:
		s = fours
	}
	if half := p.twoWaves(c, s, rows); groups == 1 && half.Rows > 0 {
		return half
	}
	idle := 1 - s.filled(c, rows)
	switch {
	case groups > 1 || idle < 0.3 && k < 2*p.DeepK:
		return s
	case k >= p.DeepK:
	case idle < 0.5:
		return s
	case cols >= fineCols:
		s.Cols /= 2
		s.High, s.Wide, s.slots = 1, p.Cluster, c.SMs
		return s
	}
	if parts := p.inParts(c, rows, k, cols); parts.Splits > 1 {
		return parts
	}
	return s
}

// inParts returns the shape of one wave with the most parts of K that the rules
// allow and that fills the SMs well; of those with as many, the one that fills
// them best. Splits is 0 if there is none.
func (p *GEMMProfile) inParts(c *gpu.Config, rows, k, cols int) (best Shape) {
	const well = 0.75
	rule := p.partsRule(cols)
	fills := well
	for _, high := range []int{p.WideCluster, p.Cluster} {
		for _, r := range p.heights(cols) {
			if !p.fits(r, cols) || cols < fineCols && bits.OnesCount(uint(r)) > 1 { // names have no others in parts, but for one 192x32
				continue
			}
			t := Shape{Rows: r, Cols: cols, High: high, Wide: 1, slots: c.SMs}
			if high == p.WideCluster {
				t.slots = p.wideSlots(c)
			}
			t.Splits = min(t.slots/t.tiles(rows, 1, 1), rule.Most, p.MaxSplit, k/rule.Depth)
			if f := t.filled(c, rows); t.Splits > 1 && f > well && (t.Splits > best.Splits || t.Splits == best.Splits && f > fills) {
				best, fills = t, f
			}
		}
	}
	return best
}

// partsRule returns the rule for tiles so wide.
func (p *GEMMProfile) partsRule(cols int) PartsRule {
	return p.Parts[slices.IndexFunc(p.Parts, func(r PartsRule) bool { return r.Cols >= cols })]
}

// turns returns the shape of a product that needs several waves: the least
// rows one after the other on an SM, and the highest such tile; of narrow ones
// with a deep enough pipeline.
func (p *GEMMProfile) turns(c *gpu.Config, rows, cols, groups int) (best Shape) {
	const narrow, deep = 16, 4 // up to so many tokens there are so many stages
	least := math.MaxInt
	for _, r := range p.TileRows {
		s := Shape{Rows: r, Cols: cols, Splits: 1, High: p.Cluster, Wide: 1, slots: c.SMs}
		after := up(s.tiles(rows, 1, groups), s.slots) / s.slots * r
		if p.fits(r, cols) && after <= least && (cols > narrow || p.stages(r, cols) >= deep || least == math.MaxInt) {
			best, least = s, after
		}
	}
	return best
}

// twoWaves returns the shape of pairs with tiles half as high as those of a
// wave of fours that leaves some of its places empty, if they fill two waves as
// well; else its Rows is 0.
func (p *GEMMProfile) twoWaves(c *gpu.Config, s Shape, rows int) Shape {
	const full, well = 0.95, 0.8
	half := Shape{Rows: s.Rows / 2, Cols: s.Cols, Splits: 1, High: p.Cluster, Wide: 1, slots: c.SMs}
	if s.High != p.WideCluster || s.Cols >= fineCols || !slices.Contains(p.heights(s.Cols), half.Rows) ||
		float64(s.tiles(rows, 1, 1)) >= full*float64(s.slots) || half.filled(c, rows) < 2*well {
		half.Rows = 0
	}
	return half
}

// lowest completes a shape with the lowest tile of which one wave is enough;
// Rows is 0 if none is.
func (p *GEMMProfile) lowest(s Shape, rows, groups int) Shape {
	for _, r := range p.heights(s.Cols) {
		s.Rows = r
		if p.fits(r, s.Cols) && s.tiles(rows, 1, groups) <= s.slots {
			return s
		}
	}
	s.Rows = 0
	return s
}

// filled returns the share of the SMs that a shape of one wave keeps busy.
func (s Shape) filled(c *gpu.Config, rows int) float64 {
	return float64(s.tiles(rows, 1, 1)*s.Splits) / float64(c.SMs)
}

// tiles returns how many tiles cover a product, whole clusters.
func (s Shape) tiles(rows, columns, groups int) int {
	return groups * up(up(rows, s.Rows)/s.Rows, s.High) * up(columns, s.Wide)
}

// up rounds n up to a multiple of unit.
func up(n, unit int) int { return (n + unit - 1) / unit * unit }

// wideSlots returns how many CTAs in clusters of four the GPU holds.
func (p *GEMMProfile) wideSlots(c *gpu.Config) int {
	return int(float64(c.SMs)*p.WideSlots) / p.WideCluster * p.WideCluster
}

// quickest is the shape of the least estimated time. Of those within one
// percent it is the one that reads least, the squarest.
func (p *GEMMProfile) quickest(c *gpu.Config, rows, k, m, groups int) (best Shape) {
	const alike = 1.01
	least, reads := math.Inf(1), 0
	for _, cols := range p.TileCols {
		columns := up(m, cols) / cols
		for _, r := range p.heights(cols) {
			if !p.fits(r, cols) {
				break
			}
			s := Shape{Rows: r, Cols: cols, Splits: 1, High: p.Cluster, Wide: 1, slots: c.SMs}
			if columns%p.Cluster == 0 && r >= cols { // square ones are 2x1 by their names, but then W would be read through sm_bytes once more
				s.High, s.Wide = 1, p.Cluster
			}
			most := 1
			if groups == 1 {
				most = max(1, min(s.slots/s.tiles(rows, columns, 1), p.MaxSplit, k/p.SplitDepth))
			}
			for s.Splits = 1; s.Splits <= most; s.Splits++ {
				ns, edge := p.estimate(c, s, rows, k, m, groups), r+cols
				if ns*alike < least || ns <= least*alike && edge < reads {
					best, least, reads = s, ns, edge
				}
			}
		}
	}
	return best
}

// estimate returns about how many ns a shape takes.
func (p *GEMMProfile) estimate(c *gpu.Config, s Shape, rows, k, m, groups int) float64 {
	tiles := s.tiles(rows, up(m, s.Cols)/s.Cols, groups) * s.Splits
	waves := up(tiles, s.slots) / s.slots
	loads := float64(s.Rows/s.Wide+s.Cols/s.High) * float64(p.TileK*2) / p.SupplyGBps
	step := max(p.tileTime(c, s.Rows, s.Cols).Nanoseconds(), loads)
	ns := float64(waves) * (step*float64(k/s.Splits)/float64(p.TileK) + p.WaveNs)
	if s.Splits > 1 {
		ns += p.SplitNs * float64(s.Splits+1)
	}
	return ns
}
