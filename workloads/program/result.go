package program

import "hwsim/devices/cpucache"

// Result is everything that a run of a core predicts. The same configuration and
// seed give the same bytes. Cycles are the core's.
type Result struct {
	Schema   int    `json:"schema"`
	Name     string `json:"name"` // of the configuration
	Hash     string `json:"hash"` // of the effective configuration
	Seed     uint64 `json:"seed"`
	Core     string `json:"core"`
	Stream   string `json:"stream"`
	Complete bool   `json:"complete"`

	Instructions uint64  `json:"instructions"`
	Accesses     uint64  `json:"accesses"`
	Cycles       int64   `json:"cycles"`
	IPC          float64 `json:"ipc"`
	TimeNs       float64 `json:"time_ns"`
	Translating  float64 `json:"translating"` // share of the cycles in which nothing was dispatched, as an access awaited its translation
	Waiting      float64 `json:"waiting"`     // the same, its data

	Translation Translation `json:"translation"`
	Caches      []CacheRow  `json:"caches"`
	Memory      MemoryRow   `json:"memory"`
}

// Translation says what the MMU did.
//
// Lookups = L1Hits + Merged + L2Hits + L2Misses, L2Misses = L3Hits + Misses, and
// Misses = Walks + BlockHits + POMHits.
type Translation struct {
	Lookups  uint64 `json:"lookups"`
	L1Hits   uint64 `json:"l1_hits"`
	Merged   uint64 `json:"merged"` // lookups that found their page's translation on its way: neither hits nor misses
	L2Hits   uint64 `json:"l2_hits"`
	L2Misses uint64 `json:"l2_misses"`
	L3Hits   uint64 `json:"l3_hits"`
	Misses   uint64 `json:"misses"` // of the last TLB

	L1MissRatio float64 `json:"l1_miss_ratio"`
	L1MPKI      float64 `json:"l1_mpki"` // misses per 1000 instructions
	L2MPKI      float64 `json:"l2_mpki"`
	MPKI        float64 `json:"mpki"`        // of the last TLB
	MissCycles  float64 `json:"miss_cycles"` // from the first lookup of a miss of the second level to the translation, mean

	Walks       uint64    `json:"walks"`
	DRAMWalks   uint64    `json:"dram_walks"` // that waited for memory
	HostWalks   uint64    `json:"host_walks"`
	Background  uint64    `json:"background_walks"`
	WalkCycles  Quantiles `json:"walk_cycles"`
	QueueCycles float64   `json:"queue_cycles"` // that a walk, or a look into the POM-TLB, waited for a walker, mean

	BlockHits       uint64  `json:"block_hits"` // misses that a block of translations answered
	NestedBlockHits uint64  `json:"nested_block_hits"`
	BlocksInserted  uint64  `json:"blocks_inserted"`
	Retagged        uint64  `json:"retagged"`
	Rejected        uint64  `json:"rejected"`
	Blocks          int     `json:"blocks"`      // at the end
	Lines           int     `json:"lines"`       // of all kinds, in the cache that holds blocks
	ReachBytes      float64 `json:"reach_bytes"` // that blocks translate, mean

	POMReads     uint64 `json:"pom_reads"`
	POMHits      uint64 `json:"pom_hits"`
	NestedHits   uint64 `json:"nested_hits"`
	NestedMisses uint64 `json:"nested_misses"`
	Shootdowns   uint64 `json:"shootdowns"`

	Reads      []KindRow      `json:"reads"` // of walks, by the cache that had the entry
	WalkCaches []WalkCacheRow `json:"walk_caches"`
}

// KindRow is a count of a kind.
type KindRow struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}

// WalkCacheRow is a page-walk cache, by the entries that it holds.
type WalkCacheRow struct {
	Entries   string  `json:"entries"`
	Hits      uint64  `json:"hits"`
	Misses    uint64  `json:"misses"`
	MissRatio float64 `json:"miss_ratio"`
}

// CacheRow is a cache.
type CacheRow struct {
	Level  string      `json:"level"`
	Kinds  []LookupRow `json:"kinds"`
	Spared uint64      `json:"spared"` // blocks that replacement passed over
}

// LookupRow is what a cache did for one kind of lines. Reuse counts the lines
// that have gone by the hits that they had got: none, 1 to 5, 6 to 10, 11 to 20,
// more.
type LookupRow struct {
	Kind      string                        `json:"kind"`
	Hits      uint64                        `json:"hits"`
	Misses    uint64                        `json:"misses"`
	MissRatio float64                       `json:"miss_ratio"`
	MPKI      float64                       `json:"mpki"`
	Reuse     [cpucache.ReuseClasses]uint64 `json:"reuse"`
}

// MemoryRow counts lines moved to and from memory.
type MemoryRow struct {
	Read    []KindRow `json:"read_lines"`
	Written uint64    `json:"written_lines"`
}

// Quantiles of a time, in cycles.
type Quantiles struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}
