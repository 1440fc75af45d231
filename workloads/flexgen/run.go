package flexgen

import (
	"errors"
	"math"

	"hwsim/devices/hostio"
	"hwsim/sim"
)

// Phase is the time of the prefill or of all tokens after it.
type Phase struct {
	Time  sim.Time
	Kinds [kinds]sim.Time     // of operations, as if each ran alone
	Busy  [resources]sim.Time // of resources
}

// Result is a block's run.
type Result struct {
	Prefill, Decode Phase
	TokensPerSecond float64

	CacheRead float64 // bytes of the cache that decode loads
	FileHit   float64 // of all bytes that decode reads from files, the page cache's share

	SwappedIn  float64 // bytes of a cache that host memory was too small for
	Recomputed float64 // sequences of the batch that a step computes anew, mean
}

// ErrTooLong says that a run takes longer than simulated time can count.
var ErrTooLong = errors.New("takes longer than the 106 days that simulated time can count")

// TooLong reports whether a phase takes longer than simulated time can count, 106
// days.
func (r *Result) TooLong() bool { return r.Prefill.Time == endOfTime || r.Decode.Time == endOfTime }

func (r *Result) seconds() float64 { return r.Prefill.Time.Seconds() + r.Decode.Time.Seconds() }

const endOfTime = sim.Time(math.MaxInt64)

// grow adds to a phase's time what is not beyond its end.
func (p *Phase) grow(t sim.Time) {
	if t < 0 || p.Time > endOfTime-t {
		t = endOfTime - p.Time
	}
	p.Time += t
}

// CacheGBps returns the rate at which decode loads the cache, 0 if it does not.
func (r *Result) CacheGBps() float64 {
	if r.CacheRead == 0 {
		return 0
	}
	return r.CacheRead / 1e9 / r.Decode.Kinds[LoadCache].Seconds()
}

// Run predicts how long a block takes. Whether it fits is Need's.
func Run(m *Machine, s Shape, j Job, p *Policy) Result {
	if p.Uncached {
		return runWith(m, s, j, p, nil)
	}
	need := Needs(m, s, j, p)
	return runWith(m, s, j, p, hostio.NewPageCache(need.PageCache()))
}

func runWith(m *Machine, s Shape, j Job, p *Policy, pages *hostio.PageCache) Result {
	if pages == nil {
		pages = hostio.NewPageCache(0)
	}
	r := newRun(m, s, j, p, pages)
	Schedule(s, j, p, r.step)
	if read := r.pages.Hits + r.pages.Misses - r.prefilled.read; read > 0 {
		r.result.FileHit = float64(r.pages.Hits-r.prefilled.hit) / float64(read)
	}
	r.result.TokensPerSecond = float64(p.Sequences()*j.Output) / r.result.seconds()
	return r.result
}

// run is a block under way.
type run struct {
	machine *Machine
	shape   Shape
	job     Job
	policy  *Policy
	pages   *hostio.PageCache
	result  Result

	prefilled struct{ read, hit int64 } // bytes of files, until decode begins

	kinds [2]sublayer     // attention, MLP
	files []hostio.FileID // of the operation at hand

	alone sim.Time            // of the operation at hand, so far
	busy  [resources]sim.Time // in the step at hand
	token int                 // of the last place computed
}

// sublayer is what all of a kind have.
type sublayer struct {
	weights float64
	homes   homes
}

// newRun returns a block before its first step.
func newRun(m *Machine, s Shape, j Job, p *Policy, pages *hostio.PageCache) *run {
	r := &run{machine: m, shape: s, job: j, policy: p, pages: pages}
	for i := range r.kinds {
		matrices := s.matrices(i == 0)
		r.kinds[i] = sublayer{sum(matrices), p.Weights.homes(matrices)}
	}
	return r
}

// step adds a step's time to its phase.
func (r *run) step(ops []Op) {
	var longest, sum sim.Time
	var of [kinds]sim.Time
	r.busy = [resources]sim.Time{}
	for _, op := range ops {
		r.alone = 0
		pinned := r.busy[Main]
		r.do(op)
		of[op.Kind] += r.alone
		sum += r.alone
		if op.Kind == Compute { // the main thread starts it when it has pinned the loads
			r.alone += pinned
		}
		longest = max(longest, r.alone)
		if op.Kind == Compute && op.Token != r.token {
			r.token = op.Token
			if op.Token == 1 {
				r.prefilled.read, r.prefilled.hit = r.pages.Hits+r.pages.Misses, r.pages.Hits
			}
		}
	}
	phase := &r.result.Prefill
	if r.token > 0 {
		phase = &r.result.Decode
	}
	for i, t := range r.busy {
		longest = max(longest, t)
		phase.Busy[i] += t
	}
	for i, t := range of {
		phase.Kinds[i] += t
	}
	if r.policy.Serial {
		longest = sum
	}
	phase.grow(longest)
}

// do adds up what an operation takes.
func (r *run) do(op Op) {
	switch op.Kind {
	case LoadWeights:
		r.loadWeights(op.Place)
	case LoadCache:
		r.loadCache(op.Place)
	case LoadHidden:
		r.hidden(op.Place, r.machine.Link.ToGPU, LinkIn, r.machine.diskToGPU.cold)
	case StoreHidden:
		r.hidden(op.Place, r.machine.Link.HiddenOut, LinkOut, r.machine.gpuToDisk)
	case StoreCache:
		r.storeCache(op.Place)
	case Compute:
		r.compute(op.Place)
	}
}

// on adds a part that keeps a resource busy for bytes (or operations) at a rate
// in 1e9 a second.
func (r *run) on(resource Resource, amount, rate float64) {
	t := sim.FromNanoseconds(amount / rate)
	r.alone += t
	r.busy[resource] += t
}

// through adds equal transfers along a path.
func (r *run) through(p *hostio.Path, bytes float64, transfers int) {
	each := int64(bytes/float64(transfers) + 0.5)
	if each == 0 {
		return
	}
	r.alone += p.Elapsed(each, transfers)
	for i := LinkIn; i < resources; i++ {
		r.busy[i] += sim.Time(transfers) * p.Busy(i.String(), each)
	}
}

// read adds equal transfers from files of so many bytes together, of which a
// share is read: what the page cache has of them, and the rest, in turns. What is
// read is spread over the file, and ages its pages as if it were all.
func (r *run) read(way route, bytes, share float64, files ...hostio.FileID) {
	if bytes == 0 {
		return
	}
	if way.held == nil {
		r.through(way.cold, share*bytes, len(files))
		return
	}
	each, hit := int64(bytes/float64(len(files))+0.5), int64(0)
	for _, f := range files {
		hit += r.pages.Read(f, each)
	}
	r.through(way.held, share*float64(hit), len(files))
	r.through(way.cold, share*float64(each*int64(len(files))-hit), len(files))
}

// weightFile and cacheFile number a place's files.
func weightFile(at Place, matrix int) hostio.FileID {
	return hostio.FileID(2*at.Sublayer<<32 + matrix)
}

func cacheFile(at Place, tensor int) hostio.FileID {
	return hostio.FileID((2*at.Sublayer+1)<<32 + cacheTensors*at.Batch + tensor)
}

// cacheFiles returns a place's files of keys and values.
func (r *run) cacheFiles(at Place) []hostio.FileID {
	r.files = r.files[:0]
	for tensor := range cacheTensors {
		r.files = append(r.files, cacheFile(at, tensor))
	}
	return r.files
}

// fourBit is the size of values of 4 bits with a scale and a least value of 16
// bits for every 64 of them, against 16 bits each.
const fourBit = (4 + 2*16/64.0) / 16

// Bytes that the GPU's memory moves to pack and to unpack a 4-bit value, counted
// from the runtime's kernels, one an operation (compression.py): least and
// greatest, subtract, multiply, clamp, round, convert, shift, join; and two
// shifts or masks into bytes, two conversions into every other 16-bit value,
// divide, add. Matrices alternate by row; the cache by value, so that each of its
// conversions writes whole sectors half filled.
const (
	packing         = 26.5
	unpackingMatrix = 13
	unpackingCache  = 15
)

// packed returns the size of bytes compressed or not.
func packed(bytes float64, compressed bool) float64 {
	if compressed {
		return bytes * fourBit
	}
	return bytes
}

// Tensors that copy threads take one by one, beside a sublayer's matrices: keys
// and values, hidden states.
const (
	cacheTensors  = 2
	hiddenTensors = 1
)

// sublayerOf returns what a place's sublayer has.
func (r *run) sublayerOf(at Place) *sublayer { return &r.kinds[at.Sublayer%2] }

// loadWeights brings a sublayer's matrices: copy threads those on disk and beside
// them the main thread those in host memory, until the later has ended and no
// resource has more to do.
func (r *run) loadWeights(at Place) {
	begin, busy := r.alone, r.busy
	h := &r.sublayerOf(at).homes
	r.files = r.files[:0]
	for _, matrix := range h.disk {
		r.files = append(r.files, weightFile(at, matrix))
	}
	r.read(r.toGPU(), packed(2*h.onDisk, r.policy.CompressWeights), 1, r.files...)
	fromDisk := r.alone
	r.alone = begin
	bytes := packed(2*h.cpu, r.policy.CompressWeights)
	if r.policy.PageableWeights {
		r.through(r.machine.cpuToGPU, bytes, max(1, h.onCPU))
	} else {
		r.on(LinkIn, bytes, r.machine.Link.ToGPU)
	}
	r.alone = max(r.alone, fromDisk)
	for i, before := range busy {
		r.alone = max(r.alone, begin+r.busy[i]-before)
	}
}

// fromHost is the way of the cache from host memory to the GPU: what is pinned
// takes only the last leg of the other.
func (r *run) fromHost() *hostio.Path {
	if r.policy.PinnedCache {
		return r.machine.pinnedToGPU
	}
	return r.machine.cpuToGPU
}

// toGPU is the policy's way from the drive to the GPU.
func (r *run) toGPU() route {
	if r.policy.Direct {
		return r.machine.directToGPU
	}
	return r.machine.diskToGPU
}

// context returns how many tokens a sequence has when a pass begins.
func (r *run) context(at Place) float64 { return float64(r.job.Prompt + at.Token - 1) }

// tokens returns how many tokens of a sequence a pass computes.
func (r *run) tokens(at Place) float64 {
	if at.Token == 0 {
		return float64(r.job.Prompt)
	}
	return 1
}

// batch returns how many tokens a place computes.
func (r *run) batch(at Place) float64 { return float64(r.policy.Batch) * r.tokens(at) }

// loadCache brings the cache to where attention is: that on the CPU stays if
// the CPU attends.
func (r *run) loadCache(at Place) {
	bytes, share := packed(r.shape.kvBytes(float64(r.policy.Batch)*r.context(at)), r.policy.CompressCache), r.policy.read()
	disk, host := bytes*r.policy.Cache.disk(), bytes*r.policy.Cache.cpu()
	r.result.CacheRead += share * disk
	if r.policy.onCPU() {
		r.read(r.machine.diskToCPU, disk, share, r.cacheFiles(at)...)
		return
	}
	r.result.CacheRead += share * host
	r.through(r.fromHost(), share*host, cacheTensors)
	r.read(r.toGPU(), disk, share, r.cacheFiles(at)...)
}

func (r *run) storeCache(at Place) {
	values := r.shape.kvBytes(r.batch(at)) / 2
	if r.policy.CompressCache {
		r.on(GPUTime, values*packing, r.machine.GPU.MemoryGBps)
	}
	bytes := packed(2*values, r.policy.CompressCache)
	r.on(LinkOut, bytes*r.policy.Cache.cpu(), r.machine.Link.CacheOut)
	disk := bytes * r.policy.Cache.disk()
	if disk == 0 {
		return
	}
	r.through(r.machine.gpuToDisk, disk, cacheTensors)
	for _, f := range r.cacheFiles(at) {
		r.pages.Write(f, int64(disk/cacheTensors))
	}
}

// hidden moves a place's hidden states between the GPU and where they lie.
func (r *run) hidden(at Place, rate float64, link Resource, disk *hostio.Path) {
	bytes := r.shape.hiddenBytes(r.batch(at))
	r.on(link, bytes*r.policy.Hidden.cpu(), rate)
	r.through(disk, bytes*r.policy.Hidden.disk(), hiddenTensors)
}

func (r *run) compute(at Place) {
	r.products(at)
	if at.attention() {
		r.attend(at)
	}
}

// products computes a place's tokens with its sublayer's weights, which are
// unpacked first if they are compressed.
func (r *run) products(at Place) {
	values := r.sublayerOf(at).weights
	gpu := &r.machine.GPU
	if r.policy.CompressWeights {
		r.on(GPUTime, values*unpackingMatrix, gpu.MemoryGBps)
	}
	rate := gpu.DecodeTFLOPS
	if at.Token == 0 {
		rate = gpu.PrefillTFLOPS
	}
	r.roofline(2*r.batch(at)*values, rate, 2*values)
}

// roofline adds what the GPU takes for operations and bytes.
func (r *run) roofline(flops, tflops, bytes float64) {
	gpu := &r.machine.GPU
	r.on(GPUTime, max(flops/(1000*tflops), bytes/gpu.MemoryGBps), 1)
}

// attend computes a place's attention.
func (r *run) attend(at Place) {
	if at.Token == 0 {
		r.roofline(r.shape.attentionFlops(r.batch(at), float64(r.job.Prompt)), r.machine.GPU.PromptTFLOPS, r.shape.kvBytes(r.batch(at)))
		return
	}
	cached := float64(r.policy.Batch) * (r.context(at) + 1)
	gpu := 1.0
	if r.policy.onCPU() {
		gpu = r.policy.Cache.gpu()
		r.attendOnCPU(at, cached*(1-gpu))
	}
	cached *= r.policy.read()
	bytes := r.shape.kvBytes(cached * gpu)
	if r.policy.CompressCache {
		r.on(GPUTime, bytes/2*unpackingCache, r.machine.GPU.MemoryGBps)
	}
	r.roofline(r.shape.attentionFlops(cached*gpu, 1), r.machine.GPU.CacheTFLOPS, bytes)
}

// attendOnCPU sends the queries down, attends to so many cached tokens, and
// brings the output up.
func (r *run) attendOnCPU(at Place, cached float64) {
	if cached == 0 {
		return
	}
	bytes := r.shape.hiddenBytes(r.batch(at))
	r.on(LinkOut, bytes, r.machine.Link.HiddenOut)
	r.on(CPUTime, r.shape.attentionFlops(cached, 1), r.machine.CPU.AttentionGFLOPS)
	r.on(LinkIn, bytes, r.machine.Link.ToGPU)
}
