package validation

import (
	"strconv"

	"hwsim/hierarchy"
)

// transfer is a row of a table of transfers: bytes over a time.
type transfer struct {
	row
	tier            hierarchy.TierID // at the far end
	span            uint64           // bytes that accesses spread over
	bytes           uint64           // moved
	blocks, threads int              // CTAs and threads in each; of copies, blocks is their count
}

// transferTests are the programs that such rows come from.
var transferTests = []struct {
	name   string
	tier   hierarchy.TierID
	bucket func(x *transfer) bucket
	task   func(x *transfer) task
}{
	{"read_vs_range", hierarchy.HBM, (*transfer).rereadRegime, (*transfer).reread},
	{"mix", hierarchy.HBM, always(mixes), (*transfer).mixed},
	{"read_vs_sms", hierarchy.HBM, always(bySMs), (*transfer).mixed},

	{"gather_random", hierarchy.HBM, (*transfer).chunkRegime, (*transfer).gather},
	{"strided_512B", hierarchy.HBM, always(strided), (*transfer).strided},
	{"hbm_span", hierarchy.HBM, always(hbmByRange), (*transfer).gather},
	{"hbm_conc", hierarchy.HBM, always(hbmByLoad), (*transfer).gather},
	{"host_span", hierarchy.DDR, (*transfer).kneeRegime, (*transfer).gather},
	{"host_conc", hierarchy.DDR, always(hostByLoad), (*transfer).gather},
	{"peer_span", hierarchy.PeerHBM, always(peerGather), (*transfer).gather},
	{"peer_conc", hierarchy.PeerHBM, always(peerByLoad), (*transfer).gather},
	{"zerocopy_gather", hierarchy.DDR, (*transfer).kneeRegime, (*transfer).gather},
	{"peer_gather", hierarchy.PeerHBM, always(peerGather), (*transfer).gather},

	{"zerocopy_read", hierarchy.DDR, always(hostInPlace), writing(0)},
	{"zerocopy_write", hierarchy.DDR, always(hostInPlace), writing(4)},
	{"peer_read", hierarchy.PeerHBM, always(peerInPlace), writing(0)},
	{"peer_write", hierarchy.PeerHBM, always(peerInPlace), writing(4)},

	{"memcpy_h2d", hierarchy.DDR, bySize(copySmall, copyLarge), copied("h2d", false)},
	{"memcpy_d2h", hierarchy.DDR, bySize(copySmall, copyLarge), copied("d2h", false)},
	{"memcpy_both", hierarchy.DDR, always(copyBoth), copied("both", false)},
	{"memcpy_h2d_sync", hierarchy.DDR, always(copySync), copied("h2d", true)},
	{"memcpy_peer", hierarchy.PeerHBM, bySize(peerSmall, peerLarge), copied("peer", false)},

	{"pages_dma_each", hierarchy.DDR, bySize(dmaSmall, dmaLarge), paged("dma_each")},
	{"pages_dma_batch", hierarchy.DDR, always(dmaBatch), paged("dma_batch")},
	{"pages_sm_kernel", hierarchy.DDR, bySize(kernelSmall, kernelLarge), paged("sm_kernel")},
}

// compileTransfers compares rates, as the time of the bytes moved.
func compileTransfers(t *table) {
	names := make([]string, len(transferTests))
	for i := range transferTests {
		names[i] = transferTests[i].name
	}
	for _, r := range t.rows {
		name := r.word("test", names...)
		for i := range transferTests {
			test := &transferTests[i]
			if test.name != name {
				continue
			}
			x := &transfer{row: r, tier: test.tier, span: r.whole("range_bytes", 1, maxRange), bytes: r.whole("bytes_moved", 1, maxRange),
				blocks: int(r.whole("blocks", 1, 1<<20)), threads: int(r.whole("threads", 0, 1024))}
			bytes := float64(x.bytes)
			c := t.rate(r, test.bucket(x), test.task(x), only, bytes, r.positive("GBps"), r.repeated("GBps_repeat")).moving(bytes).over(x.tier, x.span)
			c.route.both = name == "memcpy_both"
		}
	}
}

// size is the param of rows that tell the bytes of a chunk, copy or page.
func (x *transfer) size() uint64 { return x.whole("param", 16, 1<<40) }

// writes is the param of rows that tell how many of four accesses write.
func writes(r row, column string) int {
	w := r.word(column, "w0of4", "w1of4", "w2of4", "w3of4", "w4of4")
	n, _ := strconv.Atoi(w[1:2])
	return n
}

func (x *transfer) reread() task {
	return stream{Tier: x.tier, Range: x.span, Blocks: x.blocks, Threads: x.threads, Reread: true}
}

func (x *transfer) mixed() task { return x.stream(writes(x.row, "param")) }

func writing(of4 int) func(*transfer) task {
	return func(x *transfer) task { return x.stream(of4) }
}

func (x *transfer) stream(writesOf4 int) task {
	return stream{Tier: x.tier, Range: x.span, Blocks: x.blocks, Threads: x.threads, WritesOf4: writesOf4}
}

func (x *transfer) gather() task {
	return gather{Tier: x.tier, Chunk: x.size(), Range: x.span, Blocks: x.blocks, Threads: x.threads}
}

func (x *transfer) strided() task {
	return gather{Tier: x.tier, Chunk: 512, Range: x.span, Blocks: x.blocks, Threads: x.threads, Strided: x.size()}
}

func copied(kind string, sync bool) func(*transfer) task {
	return func(x *transfer) task { return copies{Kind: kind, Bytes: x.size(), Count: x.blocks, Sync: sync} }
}

// paged copies as many pages as the bytes moved hold; of copy engines, the
// column blocks says how many.
func paged(method string) func(*transfer) task {
	return func(x *transfer) task {
		p := pages{Method: method, Bytes: x.size(), Range: x.span, Count: x.blocks}
		if method == "sm_kernel" {
			p.Count, p.Blocks, p.Threads = int(x.bytes/p.Bytes), x.blocks, x.threads
		}
		return p
	}
}

func always(b bucket) func(*transfer) bucket { return func(*transfer) bucket { return b } }

func bySize(small, large bucket) func(*transfer) bucket {
	return func(x *transfer) bucket {
		if x.size() < 64*kib {
			return small
		}
		return large
	}
}

func (x *transfer) rereadRegime() bucket {
	switch {
	case x.span < 50*mib:
		return rereadL2
	case x.span <= 70*mib:
		return rereadEdge
	}
	return rereadHBM
}

func (x *transfer) chunkRegime() bucket {
	switch size := x.size(); {
	case size < 64:
		return chunks32
	case size < 128:
		return chunks64
	case size < 1024:
		return chunksMiddle
	}
	return chunksLarge
}

// kneeRegime is where a range lies against the reach of the host's
// translation.
func (x *transfer) kneeRegime() bucket {
	switch {
	case x.span <= 512*mib:
		return hostBefore
	case x.span <= gib:
		return hostAt
	}
	return hostBeyond
}
