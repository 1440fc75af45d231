package csd

import (
	"fmt"

	"hwsim/devices/flash"
)

// KV keeps account of what a drive's flash holds: which sequence how many
// tokens, in how many blocks. It knows no time. Keys and values of so many
// layers and heads are appended token by token; a full group of tokens becomes
// pages, a full group of channel tokens pages of the second copy. A sequence
// fills rows of blocks of its own, one block of every plane, so that giving it
// up frees them whole.
type KV struct {
	layout  Layout
	vectors int // layers x heads
	row     int // pages of a row of blocks
	planes  int
	free    int // rows
	held    map[int]*holding
	stats   KVStats
}

// holding is what one sequence has on the drive.
type holding struct{ tokens, pages, rows int }

// Pages counts pages to be programmed.
type Pages struct {
	Host int // keys and values by token
	Copy int // keys by channel
}

// KVStats counts what was written and given up.
type KVStats struct {
	HostBytes, CopyBytes uint64 // programmed
	ErasedBlocks         uint64
}

// NewKV returns the account of an empty drive.
func NewKV(l Layout, g *flash.Geometry, layers, heads int) *KV {
	return &KV{
		layout: l, vectors: layers * heads, planes: g.AllPlanes(),
		row: g.AllPlanes() * g.Pages, free: g.Blocks, held: map[int]*holding{},
	}
}

// Append adds tokens to a sequence and returns the pages that this fills, each
// to be programmed once.
func (k *KV) Append(sequence, tokens int) (Pages, error) {
	h := k.held[sequence]
	if h == nil {
		h = &holding{}
		k.held[sequence] = h
	}
	p := k.layout.Filled(h.tokens, h.tokens+tokens)
	p.Host, p.Copy = p.Host*k.vectors, p.Copy*k.vectors
	rows := (h.pages + p.Host + p.Copy + k.row - 1) / k.row
	if more := rows - h.rows; more > k.free {
		return Pages{}, fmt.Errorf("csd: drive is full: sequence %d needs %d more rows of blocks, %d are free", sequence, more, k.free)
	}
	k.free -= rows - h.rows
	h.rows, h.pages, h.tokens = rows, h.pages+p.Host+p.Copy, h.tokens+tokens
	k.stats.HostBytes += uint64(p.Host * k.layout.TokenBytes())
	k.stats.CopyBytes += uint64(p.Copy * k.layout.ColumnBytes())
	return p, nil
}

// Filled returns the pages of one head that are filled by its tokens from one
// number to another.
func (l *Layout) Filled(from, to int) Pages {
	p := Pages{Host: 2 * (to/l.TokenGroup - from/l.TokenGroup)}
	if l.SecondCopy {
		p.Copy = l.HeadDim / l.ChannelGroup * (to/l.ChannelTokens - from/l.ChannelTokens)
	}
	return p
}

// Reclaim gives up a sequence and returns how many blocks are erased for it.
func (k *KV) Reclaim(sequence int) int {
	h := k.held[sequence]
	if h == nil {
		return 0
	}
	delete(k.held, sequence)
	k.free += h.rows
	blocks := h.rows * k.planes
	k.stats.ErasedBlocks += uint64(blocks)
	return blocks
}

// Buffered returns the bytes that wait in the drive's DRAM until they fill
// pages, keys twice if there is a second copy.
func (k *KV) Buffered() int {
	rows := 0
	for _, h := range k.held {
		rows += 2 * (h.tokens % k.layout.TokenGroup)
		if k.layout.SecondCopy {
			rows += h.tokens % k.layout.ChannelTokens
		}
	}
	return rows * k.vectors * k.layout.rowBytes()
}

// Held returns the bytes of all blocks that sequences have, full or not.
func (k *KV) Held() int {
	rows := 0
	for _, h := range k.held {
		rows += h.rows
	}
	return rows * k.row * k.layout.TokenBytes()
}

// Stats returns the counters.
func (k *KV) Stats() KVStats { return k.stats }

// Capacity returns a device's bytes.
func (c *Config) Capacity() float64 {
	if c.Flash == nil {
		return c.Memory.CapacityGiB * (1 << 30)
	}
	return float64(c.Flash.AllPlanes()) * float64(c.Flash.PlanePages()) * float64(c.Flash.PageBytes)
}

// Endurance returns how many tokens of tokenBytes (keys and values, once)
// drives can take in before their blocks are worn, and how many if the second
// copy counts as well.
func (c *Config) Endurance(drives int, tokenBytes float64) (once, withCopy float64) {
	once = float64(drives) * c.Capacity() * float64(c.PECycles) / tokenBytes
	return once, once / c.Layout.Copies()
}
