package synthetic

import (
	"cmp"

	"hwsim/configs"
	"hwsim/sim"
)

// PagedKV describes a decode step's reads of a paged KV cache. The defaults are
// those of facts/translation.md, 5.5: Llama-3-8B in FP16 (2 KiB of K and 2 KiB
// of V for a token and layer), blocks of 16 tokens, 16 sequences, 8 GB; with
// 4096 tokens a sequence these fill the pool.
type PagedKV struct {
	Layers      int    `toml:"layers"`       // layers; 32
	Sequences   int    `toml:"sequences"`    // sequences; 16
	Tokens      int    `toml:"tokens"`       // of a sequence; 4096
	BlockTokens int    `toml:"block_tokens"` // 16
	TokenBytes  int    `toml:"token_bytes"`  // of K, and again of V, for a token and layer; 2048
	PieceBytes  int    `toml:"piece_bytes"`  // contiguous bytes read at a time; the whole block
	Layout      string `toml:"layout"`       // hnd: a piece is a head's slice of a block; nhd: of a token; hnd
	PoolBytes   int    `toml:"pool_bytes"`   // of all layers' blocks; 8 GiB
}

func (p PagedKV) filled() PagedKV {
	p.Layers = cmp.Or(p.Layers, 32)
	p.Sequences = cmp.Or(p.Sequences, 16)
	p.Tokens = cmp.Or(p.Tokens, 4096)
	p.BlockTokens = cmp.Or(p.BlockTokens, 16)
	p.TokenBytes = cmp.Or(p.TokenBytes, 2048)
	p.Layout = cmp.Or(p.Layout, "hnd")
	p.PoolBytes = cmp.Or(p.PoolBytes, 8<<30)
	if p.PieceBytes == 0 {
		p.PieceBytes = p.strip()
	}
	return p
}

// blockBytes returns the bytes of a block's K, and of its V.
func (p *PagedKV) blockBytes() int { return p.BlockTokens * p.TokenBytes }

// strip returns the contiguous bytes that hold all heads.
func (p *PagedKV) strip() int {
	if p.Layout == "nhd" {
		return p.TokenBytes
	}
	return p.blockBytes()
}

// blocks returns how many blocks a sequence has.
func (p *PagedKV) blocks() int { return (p.Tokens + p.BlockTokens - 1) / p.BlockTokens }

// pool returns how many blocks a layer has room for.
func (p *PagedKV) pool() int { return p.PoolBytes / (p.Layers * 2 * p.blockBytes()) }

func validatePagedKV(c *Config, report func(key, message string)) {
	p := c.PagedKV.filled()
	before := 0
	count := func(key, message string) { before++; report(key, message) }
	configs.Within(count, "pagedkv.layers", p.Layers, 1, 1024)
	configs.Within(count, "pagedkv.sequences", p.Sequences, 1, 1<<16)
	configs.Within(count, "pagedkv.tokens", p.Tokens, 1, 1<<24)
	powerOfTwo(count, "pagedkv.block_tokens", p.BlockTokens, 1, 1024)
	powerOfTwo(count, "pagedkv.token_bytes", p.TokenBytes, lineBytes, 1<<16)
	configs.OneOf(count, "pagedkv.layout", p.Layout, "hnd", "nhd")
	pages(count, "pagedkv.pool_bytes", p.PoolBytes)
	if before > 0 {
		return
	}
	powerOfTwo(report, "pagedkv.piece_bytes", p.PieceBytes, lineBytes, p.strip())
	if p.Sequences*p.blocks() > p.pool() {
		report("pagedkv.pool_bytes", "does not hold the blocks of all sequences in all layers")
	}
}

// pagedKV goes through the layers, in each through the sequences, in each
// through the groups of heads, and for each group through the sequence's blocks:
// it reads the block's number, then the group's pieces of K and of V.
//
// Left out: the new token's own K and V, and the growth of the sequences.
type pagedKV struct {
	PagedKV
	table, keys, values     uint64 // addresses
	number                  int    // of blocks of a sequence
	order                   permutation
	groups, pieces          int // groups of heads; pieces of a block that are a group's
	layer, seq, group, next int
}

func placePagedKV(c *Config, m *space) generator {
	p := &pagedKV{PagedKV: c.PagedKV.filled()}
	p.number = p.blocks()
	p.groups = p.strip() / p.PieceBytes
	p.pieces = p.blockBytes() / p.strip()
	p.table = m.region(p.Sequences * p.number * 4)
	p.keys = m.region(p.Layers * p.pool() * p.blockBytes())
	p.values = m.region(p.Layers * p.pool() * p.blockBytes())
	return p
}

func (p *pagedKV) start(r sim.Rand) { p.order = newPermutation(uint64(p.pool()), &r) }

func (p *pagedKV) run(out *emitter) {
	for !out.full() {
		place := p.seq*p.number + p.next
		out.read(p.table + uint64(place)*4)
		entry := out.count()
		block := uint64(p.layer*p.pool()) + p.order.at(uint64(place))
		offset := block*uint64(p.blockBytes()) + uint64(p.group*p.PieceBytes)
		p.gather(out, p.keys+offset, entry)
		p.gather(out, p.values+offset, entry)
		p.advance()
	}
}

// gather reads the pieces of a block from addr on, which the table's entry
// gave: access number entry.
func (p *pagedKV) gather(out *emitter, addr, entry uint64) {
	for range p.pieces {
		for at := uint64(0); at < uint64(p.PieceBytes); at += lineBytes {
			out.follow(addr+at, uint32(out.count()-entry)+1)
		}
		addr += uint64(p.strip())
	}
}

// advance goes on to the next block.
func (p *pagedKV) advance() {
	if p.next++; p.next < p.number {
		return
	}
	p.next = 0
	if p.group++; p.group < p.groups {
		return
	}
	p.group = 0
	if p.seq++; p.seq < p.Sequences {
		return
	}
	p.seq = 0
	p.layer = (p.layer + 1) % p.Layers
}
