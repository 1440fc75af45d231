package hostio_test

import (
	"fmt"
	"math"
	"testing"

	"hwsim/configs"
	"hwsim/devices/hostio"
	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

func stage(resource string, us, gbps float64) hostio.Stage {
	return hostio.Stage{Resource: resource, RequestUs: us, GBps: gbps}
}

func leg(request int64, overlapped bool, stages ...hostio.Stage) hostio.Leg {
	return hostio.Leg{RequestBytes: request, Overlapped: overlapped, Stages: stages}
}

func TestLegsFollowEachOther(t *testing.T) {
	drive, link := stage("drive", 0, 4), stage("link", 0, 12)
	serial := hostio.Path{Threads: 1, Legs: []hostio.Leg{leg(0, false, drive), leg(0, false, link)}}
	assert.Equal(t, 4*sim.Millisecond, serial.Elapsed(12e6, 1), "3 ms of the drive, then 1 ms of the link")
	through := hostio.Path{Threads: 1, Legs: []hostio.Leg{leg(120_000, true, drive, link)}}
	assert.Equal(t, 3*sim.Millisecond+10*sim.Microsecond, through.Elapsed(12e6, 1), "the drive's time, and the last request's on the link")
}

func TestRequestsPayTheirFixedTime(t *testing.T) {
	one := leg(128<<10, false, stage("", 30, 4))
	p := hostio.Path{Threads: 1, Legs: []hostio.Leg{one}}
	bytes := sim.FromNanoseconds(mib / 4.0)
	assert.Equal(t, 8*30*sim.Microsecond+bytes, p.Elapsed(mib, 1))
	assert.Equal(t, 9*30*sim.Microsecond+bytes+250, p.Elapsed(mib+1, 1), "one byte more is one request more")
}

func TestThreadsShareTheDriveAndNothingElse(t *testing.T) {
	p := hostio.Path{Threads: 4, Legs: []hostio.Leg{leg(128<<10, false, stage("drive", 0, 4), stage("", 0, 2))}}
	alone := p.Elapsed(64*mib, 1)
	assert.Equal(t, alone, p.Elapsed(64*mib, 2), "the drive is busy a third of a thread's time")
	four := p.Elapsed(64*mib, 4)
	copied := sim.FromNanoseconds(128 << 10 / 2.0)
	assert.Equal(t, 4*p.Busy("drive", 64*mib)+copied, four, "the last request is copied when the drive is done")
	assert.Equal(t, four+alone, p.Elapsed(64*mib, 5), "a fifth waits for a thread")
}

func TestWhatTheCacheKeepsIsFaster(t *testing.T) {
	s := hostio.Stage{GBps: 4, CachedGBps: 8, CachedBytes: 10e6}
	p := hostio.Path{Threads: 1, Legs: []hostio.Leg{leg(0, false, s)}}
	assert.Equal(t, sim.FromNanoseconds(10e6/8.0), p.Elapsed(10e6, 1))
	assert.Equal(t, sim.FromNanoseconds(15e6*(0.5/8+0.5/4)), p.Elapsed(15e6, 1))
	assert.Equal(t, sim.FromNanoseconds(20e6/4.0), p.Elapsed(20e6, 1))
}

func TestFreshPagesBeginAtTheirSize(t *testing.T) {
	fresh := hostio.Stage{GBps: 2, From: 32 * mib}
	p := hostio.Path{Threads: 1, Legs: []hostio.Leg{leg(0, false, stage("", 0, 2), fresh)}}
	assert.Equal(t, sim.FromNanoseconds(32*mib), p.Elapsed(32*mib, 1))
	assert.Equal(t, sim.FromNanoseconds((32*mib-1)/2.0), p.Elapsed(32*mib-1, 1))
}

// randomPath returns a path of up to three legs with up to three stages.
func randomPath(r *sim.Rand) hostio.Path {
	names := []string{"", "drive", "link"}
	p := hostio.Path{Threads: 1 + r.IntN(4)}
	for range 1 + r.IntN(3) {
		l := leg(int64(r.IntN(3))*64<<10, r.IntN(2) == 0)
		l.CallUs = float64(r.IntN(300))
		for i := range 1 + r.IntN(3) {
			l.Stages = append(l.Stages, stage(names[i], float64(r.IntN(40)), float64(r.IntN(8))))
		}
		p.Legs = append(p.Legs, l)
	}
	return p
}

func TestTheClosedFormIsTheSimulationOfOneTransfer(t *testing.T) {
	r := sim.NewRand(1)
	for range 500 {
		p := randomPath(&r)
		size := int64(1 + r.IntN(8*mib))
		require.Equal(t, p.Simulate(size, 1), p.Elapsed(size, 1), "%d bytes, %+v", size, p)
	}
}

func TestTheClosedFormIsNearTheSimulationOfMany(t *testing.T) {
	r := sim.NewRand(2)
	var sum, most float64
	const paths = 300
	for range paths {
		p := randomPath(&r)
		n := 1 + r.IntN(p.Threads)
		got, closed := p.Simulate(16*mib, n), p.Elapsed(16*mib, n)
		require.GreaterOrEqual(t, got, p.Elapsed(16*mib, 1), "%d of %+v", n, p)
		for _, shared := range []string{"drive", "link"} {
			require.GreaterOrEqual(t, got, sim.Time(n)*p.Busy(shared, 16*mib), "%d of %+v", n, p)
		}
		e := math.Abs(got.Seconds()/max(closed.Seconds(), 1e-12) - 1)
		sum, most = sum+e, max(most, e)
	}
	t.Logf("mean %.2f %%, worst %.1f %%", 100*sum/paths, 100*most)
	assert.Less(t, sum/paths, 0.01)
	assert.Less(t, most, 0.2)
}

func TestFlexGensPathsSimulateAsTheirClosedForm(t *testing.T) {
	h := preset(t, "cheops25")
	for _, name := range []string{"disk_to_gpu", "disk_to_cpu", "gpu_to_disk", "cpu_to_gpu"} {
		p := path(t, h, name)
		for transfers := 1; transfers <= 4; transfers++ {
			got, closed := p.Simulate(98*mib, transfers).Seconds(), p.Elapsed(98*mib, transfers).Seconds()
			assert.InEpsilon(t, got, closed, 0.02, "%s, %d", name, transfers)
		}
	}
}

func TestPeerToPeerIsBetweenTheHostsPathAndTheDrive(t *testing.T) {
	h := preset(t, "a6000_980pro")
	direct, host := path(t, h, "direct_to_gpu"), path(t, h, "disk_to_gpu")
	assert.Less(t, direct.Elapsed(512*mib, 2), host.Elapsed(512*mib, 2))
	assert.Greater(t, direct.Elapsed(512*mib, 2), 2*direct.Busy("drive", 512*mib))
}

func TestEveryHostPresetLoads(t *testing.T) {
	for _, name := range configs.Presets("hostio") {
		preset(t, name)
	}
}

func TestPathsThatCannotBeAreReported(t *testing.T) {
	for key, want := range map[string]string{
		"stage.drive.gbps=-1":                       "must be 0 to 1e+12, is -1",
		"stage.drive.cached_bytes=0":                "goes with cached_gbps",
		"path.aio_load_cpu.threads=0":               "must be positive, is 0",
		"path.aio_load_cpu.leg=[]":                  "at least one",
		"path.aio_load_cpu.leg=[{stages=['tape']}]": "no stage \"tape\"; there are: drive,",
		"path.aio_load_cpu.leg=[{stages=['link','pageable_in'],overlapped=true}]": `share "link_in"`,
	} {
		doc, err := configs.Load("hostio/cheops25", []string{key})
		require.NoError(t, err, key)
		require.ErrorContains(t, doc.Decode(&hostio.Host{}), want, key)
	}
	_, err := preset(t, "cheops25").Path("disk")
	require.ErrorContains(t, err, `no path "disk"; there are: aio_load_cpu`)
}

func BenchmarkSimulate(b *testing.B) {
	p := hostio.Path{Threads: 4, Legs: []hostio.Leg{leg(128<<10, false, stage("drive", 0, 4), stage("", 25, 3)), leg(0, false, stage("link", 0, 12))}}
	b.ReportAllocs()
	for range b.N {
		p.Simulate(1<<30, 4)
	}
}

func ExamplePath_Elapsed() {
	drive, link := stage("drive", 0, 4.44), stage("link", 0, 12.2)
	p := hostio.Path{Threads: 1, Legs: []hostio.Leg{leg(0, false, drive), leg(0, false, link)}}
	fmt.Printf("%.2f GiB/s", 1/p.Elapsed(1<<30, 1).Seconds())
	// Output: 3.03 GiB/s
}
