package synthetic

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/cpu"
)

// small returns a configuration of a kind whose structures are small.
func small(kind string) *Config {
	return &Config{
		Kind:           kind,
		FootprintBytes: 1 << 20,
		Visits:         Visits{HotBytes: 1 << 16, Sequential: 0.5, SequentialBytes: 1 << 16, Chain: 0.25},
		Graph:          Graph{Scale: 8},
		XSBench:        XSBench{Isotopes: 70, GridPoints: 100},
		DLRM:           DLRM{Tables: 3, DenseBytes: 1 << 16},
		KMer:           KMer{InputBytes: 1 << 12},
		PagedKV:        PagedKV{Layers: 2, Sequences: 3, Tokens: 100, TokenBytes: 512, PieceBytes: 1024, PoolBytes: 1 << 20},
	}
}

func open(tb testing.TB, c *Config, seed uint64) *stream {
	s, err := New(c, seed)
	require.NoError(tb, err)
	return s.(*stream)
}

func take(tb testing.TB, c *Config, n int) []cpu.Access {
	batch := make([]cpu.Access, n)
	require.Equal(tb, n, open(tb, c, 1).Fill(batch))
	return batch
}

// stays fails unless the accesses keep to the rules of every stream; before is
// how many there were earlier.
func stays(tb testing.TB, c *Config, accesses []cpu.Access, before int) {
	base, bytes := c.Footprint()
	for i, a := range accesses {
		byBytes := c.Kind == "kmer" || c.Kind == "gc"
		if a.Addr-base >= bytes || a.Space != 0 || uint64(a.After) > uint64(before+i) || a.Addr%4 != 0 && !byBytes {
			require.Failf(tb, "access out of bounds", "%s: access %d is %+v; range %#x+%#x", c.Kind, before+i, a, base, bytes)
		}
		if from := i - int(a.After); from >= 0 && from < i && accesses[from].Write {
			require.Failf(tb, "address is a store's data", "%s: access %d is %+v", c.Kind, before+i, a)
		}
	}
}

func TestAccessesStayInTheFootprint(t *testing.T) {
	for _, kind := range Kinds() {
		for _, c := range []*Config{small(kind), {Kind: kind, Graph: Graph{Scale: 16}}} {
			base, bytes := c.Footprint()
			assert.Equal(t, uint64(Base), base)
			assert.Zero(t, bytes%(2<<20))
			s := open(t, c, 3)
			batch := make([]cpu.Access, 5000)
			for i := range 40 {
				s.Fill(batch)
				stays(t, c, batch, i*len(batch))
			}
		}
	}
}

// The class of 8 GB that the workloads of Victima's evaluation have, of graphs what
// BFS's walks show, and the data structures' own size where that is given.
func TestDefaultFootprints(t *testing.T) {
	for _, kind := range Kinds() {
		_, bytes := (&Config{Kind: kind}).Footprint()
		want := 8.3
		switch kind {
		case "xsbench":
			want = 5.5 // its code says 5.6 GB
		case "bc", "bfs", "cc", "gc", "pr", "sssp":
			want = 18.3
		case "tc":
			want = 15
		}
		assert.InDelta(t, want, float64(bytes)/(1<<30), 1.3, kind)
	}
}

func TestEqualSeedsGiveEqualStreams(t *testing.T) {
	for _, kind := range Kinds() {
		a, b, other := make([]cpu.Access, 20000), make([]cpu.Access, 20000), make([]cpu.Access, 20000)
		open(t, small(kind), 7).Fill(a)
		s := open(t, small(kind), 7)
		for rest, n := b, 1; len(rest) > 0; n = min(3*n, len(rest)) { // batches do not matter
			s.Fill(rest[:n])
			rest = rest[n:]
		}
		assert.Equal(t, a, b, kind)
		open(t, small(kind), 8).Fill(other)
		if kind != "stream" && kind != "stride" {
			assert.NotEqual(t, a, other, kind)
		}
	}
}

func TestGapsHaveTheirMean(t *testing.T) {
	for _, kind := range Kinds() {
		for _, gap := range []float64{0, 0.3, 2, 17.75} {
			c := small(kind)
			c.Gap = &gap
			sum := 0.0
			for _, a := range take(t, c, 10000) {
				sum += float64(a.Gap)
				require.Less(t, math.Abs(float64(a.Gap)-gap), 1.0)
			}
			assert.InDelta(t, gap, sum/10000, 1e-4, kind)
		}
	}
}

func TestFillDoesNotAllocate(t *testing.T) {
	for _, kind := range Kinds() {
		s := open(t, small(kind), 1)
		batch := make([]cpu.Access, 4096)
		s.Fill(batch)
		assert.Zero(t, testing.AllocsPerRun(100, func() { s.Fill(batch) }), kind)
	}
}

func TestElevenAreKinds(t *testing.T) {
	assert.Len(t, Eleven(), 11)
	assert.Subset(t, Kinds(), Eleven())
}

func TestValidate(t *testing.T) {
	minus, two := -1.0, 2.0
	for _, kind := range Kinds() {
		assert.NoError(t, (&Config{Kind: kind}).check(), kind)
	}
	for _, c := range []struct {
		key    string
		config Config
	}{
		{"kind", Config{Kind: "strem"}},
		{"kind", Config{}},
		{"gap", Config{Kind: "stream", Gap: &minus}},
		{"footprint_bytes", Config{Kind: "uniform", FootprintBytes: 4097}},
		{"footprint_bytes", Config{Kind: "gups", FootprintBytes: -4096}},
		{"stride_bytes", Config{Kind: "stride", StrideBytes: 12}},
		{"skew", Config{Kind: "zipf", Skew: &minus}},
		{"visits.hot_share", Config{Kind: "visits", Visits: Visits{HotShare: &two}}},
		{"visits.hot_bytes", Config{Kind: "visits", Visits: Visits{HotBytes: 5}}},
		{"visits.hot_skew", Config{Kind: "visits", Visits: Visits{HotSkew: &minus}}},
		{"visits.run_pages", Config{Kind: "visits", Visits: Visits{RunPages: 0.5}}},
		{"visits.run_pages", Config{Kind: "visits", Visits: Visits{RunPages: math.NaN()}}},
		{"visits.lines", Config{Kind: "visits", Visits: Visits{Lines: 65}}},
		{"visits.local", Config{Kind: "visits", Visits: Visits{Local: &minus}}},
		{"visits.sequential", Config{Kind: "visits", Visits: Visits{Sequential: -1}}},
		{"visits.sequential_bytes", Config{Kind: "visits", Visits: Visits{SequentialBytes: 1}}},
		{"visits.chain", Config{Kind: "visits", Visits: Visits{Chain: 1.5}}},
		{"graph.scale", Config{Kind: "bfs", Graph: Graph{Scale: 40}}},
		{"graph.scale", Config{Kind: "tc", Graph: Graph{Scale: -1}}},
		{"graph.edge_factor", Config{Kind: "pr", Graph: Graph{EdgeFactor: 0.5}}},
		{"graph.vertex_bytes", Config{Kind: "gc", Graph: Graph{VertexBytes: 100}}},
		{"graph.edge_bytes", Config{Kind: "cc", Graph: Graph{EdgeBytes: 128}}},
		{"graph.lines", Config{Kind: "bc", Graph: Graph{Lines: 3}}},
		{"graph.local", Config{Kind: "sssp", Graph: Graph{Local: &minus}}},
		{"xsbench.isotopes", Config{Kind: "xsbench", XSBench: XSBench{Isotopes: 67}}},
		{"xsbench.gridpoints", Config{Kind: "xsbench", XSBench: XSBench{GridPoints: 1}}},
		{"xsbench.local", Config{Kind: "xsbench", XSBench: XSBench{Local: &minus}}},
		{"dlrm.tables", Config{Kind: "dlrm", DLRM: DLRM{Tables: -1}}},
		{"dlrm.tables", Config{Kind: "dlrm", FootprintBytes: 4096}},
		{"dlrm.min_indices", Config{Kind: "dlrm", DLRM: DLRM{MinIndices: -1}}},
		{"dlrm.max_indices", Config{Kind: "dlrm", DLRM: DLRM{MinIndices: 5, MaxIndices: 4}}},
		{"dlrm.skew", Config{Kind: "dlrm", DLRM: DLRM{Skew: &minus}}},
		{"dlrm.row_bytes", Config{Kind: "dlrm", DLRM: DLRM{RowBytes: 32}}},
		{"dlrm.dense", Config{Kind: "dlrm", DLRM: DLRM{Dense: &minus}}},
		{"dlrm.dense_bytes", Config{Kind: "dlrm", DLRM: DLRM{DenseBytes: 1}}},
		{"kmer.bucket_bytes", Config{Kind: "kmer", KMer: KMer{BucketBytes: 24}}},
		{"kmer.probes", Config{Kind: "kmer", KMer: KMer{Probes: 0.5}}},
		{"kmer.input_bytes", Config{Kind: "kmer", KMer: KMer{InputBytes: 1}}},
		{"kmer.local", Config{Kind: "kmer", KMer: KMer{Local: &minus}}},
		{"pagedkv.layers", Config{Kind: "pagedkv", PagedKV: PagedKV{Layers: -1}}},
		{"pagedkv.sequences", Config{Kind: "pagedkv", PagedKV: PagedKV{Sequences: -1}}},
		{"pagedkv.tokens", Config{Kind: "pagedkv", PagedKV: PagedKV{Tokens: -1}}},
		{"pagedkv.block_tokens", Config{Kind: "pagedkv", PagedKV: PagedKV{BlockTokens: 12}}},
		{"pagedkv.token_bytes", Config{Kind: "pagedkv", PagedKV: PagedKV{TokenBytes: 32}}},
		{"pagedkv.piece_bytes", Config{Kind: "pagedkv", PagedKV: PagedKV{PieceBytes: 96}}},
		{"pagedkv.piece_bytes", Config{Kind: "pagedkv", PagedKV: PagedKV{PieceBytes: 4096, Layout: "nhd"}}},
		{"pagedkv.layout", Config{Kind: "pagedkv", PagedKV: PagedKV{Layout: "dhn"}}},
		{"pagedkv.pool_bytes", Config{Kind: "pagedkv", PagedKV: PagedKV{PoolBytes: -1}}},
		{"pagedkv.pool_bytes", Config{Kind: "pagedkv", PagedKV: PagedKV{Tokens: 4097}}},
	} {
		var keys []string
		c.config.Validate(func(key, _ string) { keys = append(keys, key) })
		assert.Equal(t, []string{c.key}, keys)
		_, err := New(&c.config, 1)
		assert.ErrorContains(t, err, "stream: "+c.key+": ")
		_, bytes := c.config.Footprint()
		assert.Zero(t, bytes)
	}
}

func TestConfigFromTOML(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.toml")
	text := "[stream]\nkind = \"visits\"\ngap = 0\n[stream.visits]\nhot_share = 0\nlines = 2\n"
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	d, err := configs.Load(name, nil)
	require.NoError(t, err)
	var run struct {
		Stream Config `toml:"stream"`
	}
	require.NoError(t, d.Decode(&run))
	assert.Zero(t, *run.Stream.Gap)
	assert.Zero(t, *run.Stream.Visits.filled().HotShare)
	assert.Equal(t, 2.0, run.Stream.Visits.filled().Lines)
}
