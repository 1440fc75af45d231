package synthetic

import (
	"cmp"

	"hwsim/configs"
	"hwsim/sim"
)

// gups reads and writes random words of a table (the RandomAccess benchmark of
// HPC Challenge).
type gups struct {
	table  uint64
	words  int
	random sim.Rand
}

func placeGUPS(c *Config, m *space) generator {
	bytes := c.footprint()
	return &gups{table: m.region(bytes), words: bytes / wordBytes}
}

func (g *gups) start(r sim.Rand) { g.random = r }

func (g *gups) run(out *emitter) {
	for !out.full() {
		addr := g.table + uint64(g.random.IntN(g.words))*wordBytes
		out.read(addr)
		out.write(addr)
	}
}

// DLRM describes the sparse part of a recommendation model and how much its
// dense part reads. The ranges of tables, pooling, skew and row bytes are those
// of facts/translation.md, 5.2; the values in them are chosen.
type DLRM struct {
	Tables     int      `toml:"tables"`      // tables that footprint_bytes is shared among; 26
	MinIndices int      `toml:"min_indices"` // least indices of a bag; 20
	MaxIndices int      `toml:"max_indices"` // most indices of a bag; 80
	Skew       *float64 `toml:"skew"`        // zipf exponent over a table's rows; 0.9
	RowBytes   int      `toml:"row_bytes"`   // 256
	Dense      *float64 `toml:"dense"`       // mean number of lines of weights read after a bag; 64
	DenseBytes int      `toml:"dense_bytes"` // of all weights; 4 MiB
}

func (d DLRM) filled() DLRM {
	skew, dense := value(d.Skew, 0.9), value(d.Dense, 64)
	d.Skew, d.Dense = &skew, &dense
	d.Tables = cmp.Or(d.Tables, 26)
	d.MinIndices = cmp.Or(d.MinIndices, 20)
	d.MaxIndices = cmp.Or(d.MaxIndices, max(80, d.MinIndices))
	d.RowBytes = cmp.Or(d.RowBytes, 256)
	d.DenseBytes = cmp.Or(d.DenseBytes, 4<<20)
	return d
}

func validateDLRM(c *Config, report func(key, message string)) {
	d := c.DLRM.filled()
	configs.Within(report, "dlrm.tables", d.Tables, 1, 4096)
	configs.Within(report, "dlrm.min_indices", d.MinIndices, 1, maxMean)
	configs.Within(report, "dlrm.max_indices", d.MaxIndices, max(1, d.MinIndices), maxMean)
	within(report, "dlrm.skew", *d.Skew, 0, 8)
	powerOfTwo(report, "dlrm.row_bytes", d.RowBytes, lineBytes, pageBytes)
	within(report, "dlrm.dense", *d.Dense, 0, maxMean)
	pages(report, "dlrm.dense_bytes", d.DenseBytes)
	if d.Tables > 0 && c.footprint()/d.Tables < d.RowBytes {
		report("dlrm.tables", "leaves no row of footprint_bytes to a table")
	}
}

// dlrm sums bags of embedding rows, a table after the other, and reads weights
// in between.
type dlrm struct {
	DLRM
	rows, sums, indices uint64 // addresses
	each                uint64 // rows of a table
	weights             strided
	dense               dither
	ranks               zipf
	order               permutation
	random              sim.Rand

	table, left int    // table, and indices left of its bag
	index       uint64 // read so far
}

// indexedBytes is how much of the indices there is before they start over.
const indexedBytes = 64 << 20

func placeDLRM(c *Config, m *space) generator {
	d := &dlrm{DLRM: c.DLRM.filled()}
	d.each = uint64(c.footprint() / d.Tables / d.RowBytes)
	d.rows = m.region(int(d.each) * d.Tables * d.RowBytes)
	d.indices = m.region(indexedBytes)
	d.sums = m.region(d.Tables * d.RowBytes)
	d.weights = strided{base: m.region(d.DenseBytes), bytes: uint64(d.DenseBytes), step: lineBytes}
	d.dense = newDither(*d.Dense)
	return d
}

func (d *dlrm) start(r sim.Rand) {
	d.ranks = newZipf(d.each, *d.Skew)
	d.order = newPermutation(d.each, &r)
	d.random = r
	d.left = d.bag()
}

// bag draws the number of a bag's indices.
func (d *dlrm) bag() int { return d.MinIndices + d.random.IntN(d.MaxIndices-d.MinIndices+1) }

func (d *dlrm) run(out *emitter) {
	for !out.full() {
		if d.left == 0 {
			d.finish(out)
		}
		d.lookup(out)
		d.left--
	}
}

// lookup reads an index and the row that it names. Tables have their popular
// rows in different places.
func (d *dlrm) lookup(out *emitter) {
	out.read(d.indices + d.index*wordBytes%indexedBytes)
	d.index++
	table := uint64(d.table)
	row := (d.order.at(d.ranks.draw(&d.random)) + table*(d.each/uint64(d.Tables))) % d.each
	addr := d.rows + (table*d.each+row)*uint64(d.RowBytes)
	for line := range uint64(d.RowBytes / lineBytes) {
		out.follow(addr+line*lineBytes, uint32(line)+1)
	}
}

// finish writes a bag's sum, reads weights, and goes on to the next table.
func (d *dlrm) finish(out *emitter) {
	for at := 0; at < d.RowBytes; at += lineBytes {
		out.write(d.sums + uint64(d.table*d.RowBytes+at))
	}
	for range d.dense.next() {
		d.weights.next(out)
	}
	d.table = (d.table + 1) % d.Tables
	d.left = d.bag()
}

// KMer describes a count of k-mers in a hash table. The sizes are chosen.
type KMer struct {
	BucketBytes int      `toml:"bucket_bytes"` // 16
	Probes      float64  `toml:"probes"`       // mean number of buckets looked at; 1.5
	InputBytes  int      `toml:"input_bytes"`  // of the sequence, a byte a base; 1 GiB
	Local       *float64 `toml:"local"`        // mean number of accesses to the program's own data for a k-mer; 1
}

func (k KMer) filled() KMer {
	local := value(k.Local, 1)
	k.Local = &local
	k.BucketBytes = cmp.Or(k.BucketBytes, 16)
	k.Probes = cmp.Or(k.Probes, 1.5)
	k.InputBytes = cmp.Or(k.InputBytes, 1<<30)
	return k
}

func validateKMer(c *Config, report func(key, message string)) {
	k := c.KMer.filled()
	powerOfTwo(report, "kmer.bucket_bytes", k.BucketBytes, wordBytes, lineBytes)
	within(report, "kmer.probes", k.Probes, 1, lineBytes)
	pages(report, "kmer.input_bytes", k.InputBytes)
	within(report, "kmer.local", *k.Local, 0, maxMean)
}

// kmer reads bases, one for each k-mer, and counts it in the bucket that its
// hash names, or in the next that is free.
type kmer struct {
	table, buckets uint64
	bucketBytes    uint64
	input          strided
	probes         dither
	own            stack
	random         sim.Rand
}

func placeKMer(c *Config, m *space) generator {
	d := c.KMer.filled()
	k := &kmer{bucketBytes: uint64(d.BucketBytes), buckets: uint64(c.footprint() / d.BucketBytes)}
	k.table = m.region(c.footprint())
	k.input = strided{base: m.region(d.InputBytes), bytes: uint64(d.InputBytes), step: 1}
	k.probes = newDither(d.Probes)
	k.own = newStack(m, *d.Local)
	return k
}

func (k *kmer) start(r sim.Rand) { k.random = r }

func (k *kmer) run(out *emitter) {
	for !out.full() {
		k.input.next(out)
		bucket := uint64(k.random.IntN(int(k.buckets)))
		addr, back := k.table+bucket*k.bucketBytes, uint32(1)
		for range k.probes.next() {
			addr = k.table + bucket*k.bucketBytes
			out.follow(addr, back)
			back++
			bucket = (bucket + 1) % k.buckets
		}
		out.write(addr)
		k.own.touch(out)
	}
}
