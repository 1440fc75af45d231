package flexgen

import (
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
}

// Run predicts how long a block takes.
func Run(m *Machine, s Shape, j Job, p *Policy) Result {
	r := run{machine: m, shape: s, job: j, policy: p}
	Schedule(s, j, p, r.step)
	total := (r.result.Prefill.Time + r.result.Decode.Time).Seconds()
	r.result.TokensPerSecond = float64(p.Sequences()*j.Output) / total
	return r.result
}

// run is a block under way.
type run struct {
	machine *Machine
	shape   Shape
	job     Job
	policy  *Policy
	result  Result

	alone sim.Time            // of the operation at hand, so far
	busy  [resources]sim.Time // in the step at hand
	token int                 // of the last place computed
}

// step adds a step's time to its phase.
func (r *run) step(ops []Op) {
	var longest, sum sim.Time
	var of [kinds]sim.Time
	r.busy = [resources]sim.Time{}
	for _, op := range ops {
		r.alone = 0
		r.do(op)
		of[op.Kind] += r.alone
		longest, sum = max(longest, r.alone), sum+r.alone
		if op.Kind == Compute {
			r.token = op.Token
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
	phase.Time += longest
}

// do adds up what an operation takes.
func (r *run) do(op Op) {
	switch op.Kind {
	case LoadWeights:
		r.loadWeights(op.Place)
	case LoadCache:
		r.loadCache(op.Place)
	case LoadHidden:
		r.hidden(op.Place, r.machine.Link.ToGPU, LinkIn, r.machine.diskToGPU)
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

// through adds equal transfers along a path to or from the drive.
func (r *run) through(p *hostio.Path, bytes float64, transfers int) {
	if bytes == 0 {
		return
	}
	each := int64(bytes/float64(transfers) + 0.5)
	r.alone += p.Elapsed(each, transfers)
	for i := LinkIn; i < resources; i++ {
		r.busy[i] += sim.Time(transfers) * p.Busy(i.String(), each)
	}
}

// fourBit is the size of values of 4 bits with a scale and a least value of 16
// bits for every 64 of them, against 16 bits each.
const fourBit = (4 + 2*16/64.0) / 16

// Bytes that the GPU's memory moves to pack and to unpack a 4-bit value, by the
// kernels of an eager runtime, one an operation: least and greatest, subtract,
// multiply, clamp, round, convert, join; part, divide, add. Chosen: counted
// from what quantising needs, not from a profile.
const (
	packing   = 27
	unpacking = 9
)

// packed returns the size of bytes compressed or not.
func packed(bytes float64, compressed bool) float64 {
	if compressed {
		return bytes * fourBit
	}
	return bytes
}

// Tensors that copy threads take one by one: matrices of a sublayer, keys and
// values, hidden states.
const (
	attentionMatrices = 4
	mlpMatrices       = 2
	cacheTensors      = 2
	hiddenTensors     = 1
)

// weights returns how many weights a place's sublayer has, in how many
// matrices.
func (r *run) weights(at Place) (values float64, matrices int) {
	if at.attention() {
		return r.shape.attentionWeights(), attentionMatrices
	}
	return r.shape.mlpWeights(), mlpMatrices
}

func (r *run) loadWeights(at Place) {
	values, matrices := r.weights(at)
	bytes := packed(2*values, r.policy.CompressWeights)
	r.on(LinkIn, bytes*r.policy.Weights.cpu(), r.machine.Link.ToGPU)
	r.through(r.machine.diskToGPU, bytes*r.policy.Weights.disk(), matrices)
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
	bytes := packed(r.shape.kvBytes(float64(r.policy.Batch)*r.context(at)), r.policy.CompressCache)
	disk := bytes * r.policy.Cache.disk()
	if r.policy.onCPU() {
		r.through(r.machine.diskToCPU, disk, cacheTensors)
		return
	}
	r.through(r.machine.cpuToGPU, bytes*r.policy.Cache.cpu(), cacheTensors)
	r.through(r.machine.diskToGPU, disk, cacheTensors)
}

func (r *run) storeCache(at Place) {
	values := r.shape.kvBytes(r.batch(at)) / 2
	if r.policy.CompressCache {
		r.on(GPUTime, values*packing, r.machine.GPU.MemoryGBps)
	}
	bytes := packed(2*values, r.policy.CompressCache)
	r.on(LinkOut, bytes*r.policy.Cache.cpu(), r.machine.Link.CacheOut)
	r.through(r.machine.gpuToDisk, bytes*r.policy.Cache.disk(), cacheTensors)
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
	values, _ := r.weights(at)
	gpu := &r.machine.GPU
	if r.policy.CompressWeights {
		r.on(GPUTime, values*unpacking, gpu.MemoryGBps)
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
	bytes := r.shape.kvBytes(cached * gpu)
	if r.policy.CompressCache {
		r.on(GPUTime, bytes/2*unpacking, r.machine.GPU.MemoryGBps)
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
