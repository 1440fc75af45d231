package flexgen

import (
	"fmt"
	"math"

	"hwsim/devices/csd"
	"hwsim/sim"
)

// InStorage is InstInfer's policy: weights and hidden states on the GPU, the
// cache on drives that attend, heads of keys and values divided among them. Of
// several GPUs each has its part of the layers, and computes while the others
// wait.
type InStorage struct {
	Sequences int
	Drives    int
	GPUs      int     // 0: 1
	Sparse    bool    // SparF, else dense
	Precision float64 // of each simulated step, see csd.Load; 0: exact
}

// gpus returns how many there are.
func (p *InStorage) gpus() int { return max(1, p.GPUs) }

// onGPU is what the GPU has of it, as FlexGen's policy.
func (p *InStorage) onGPU() *Policy {
	return &Policy{Batch: p.Sequences, Batches: 1, GPUAttention: true, Weights: Shares{GPU: 100}, Hidden: Shares{GPU: 100}}
}

// Validate reports what a policy cannot be.
func (p *InStorage) Validate(report func(key, message string)) {
	for _, f := range []struct {
		key   string
		value int
	}{{"sequences", p.Sequences}, {"drives", p.Drives}} {
		if f.value < 1 || f.value > 1<<16 {
			report(f.key, fmt.Sprintf("must be 1 to 65536, is %d", f.value))
		}
	}
	if p.GPUs < 0 || p.GPUs > 1<<10 {
		report("gpus", fmt.Sprintf("must be 0 to 1024, is %d", p.GPUs))
	}
	if !(p.Precision >= 0 && p.Precision < 1) {
		report("precision", fmt.Sprintf("must be 0 to below 1, is %g", p.Precision))
	}
}

// LoadDrive reads a device that attends, a file or preset of configs/csd; the
// sets override its keys.
func LoadDrive(name string, sets []string) (*csd.Config, error) {
	doc, err := load("csd", name, sets)
	if err != nil {
		return nil, err
	}
	c := &csd.Config{}
	return c, doc.Decode(c)
}

// Decoded is the time of all tokens after the first, by what is under way.
// The parts follow each other and sum up to Time.
type Decoded struct {
	Time     sim.Time
	Access   sim.Time // the slowest drive reads its cache
	Exposed  sim.Time // its kernels work, and it reads nothing
	Command  sim.Time // the host's attend commands
	Transfer sim.Time // queries, keys, values and outputs
	GPU      sim.Time

	Layer csd.Result // of one layer and all drives, summed over the steps; its Time and parts are the slowest drive's
	Error float64    // relative difference of Time with a third of the contexts
}

// Prefilled is the time of the first token, in which a layer's cache goes to the
// drives while the next layer is computed.
type Prefilled struct {
	Time    sim.Time
	Compute sim.Time // of a layer, on the GPU
	Push    sim.Time // of a layer, to all drives: the slower of link and flash
	Bytes   float64  // of a layer, without second copies
}

// InStorageResult is a block's run.
type InStorageResult struct {
	Prefill         Prefilled
	Decode          Decoded
	Written, Copied float64 // bytes of a layer's pages in decode, on all drives: keys and values, second copies
	Stored          Stored
	Need            Need // whether it fits is Need's; the drive is the one that has most heads
	TokensPerSecond float64
}

// Seconds returns the time of the whole run.
func (r *InStorageResult) Seconds() float64 {
	return r.Prefill.Time.Seconds() + r.Decode.Time.Seconds()
}

// RunInStorage predicts how long the sequences take with their attention on
// drives.
func RunInStorage(m *Machine, c *csd.Config, s Shape, j Job, p *InStorage) (InStorageResult, error) {
	r := inStorage{drive: c, shape: s, job: j, policy: p}
	if err := r.check(); err != nil {
		return InStorageResult{}, err
	}
	r.gpu = newRun(m, s, j, p.onGPU(), nil)
	device, err := csd.New(c)
	if err != nil {
		return InStorageResult{}, err
	}
	var out InStorageResult
	out.Prefill = r.prefill(device)
	if out.Decode, err = r.decode(device); err != nil {
		return InStorageResult{}, err
	}
	out.Written, out.Copied = r.appended()
	if out.Stored, err = r.stored(); err != nil {
		return InStorageResult{}, err
	}
	out.Need = r.needs(&out.Stored)
	out.TokensPerSecond = float64(p.Sequences*j.Output) / out.Seconds()
	return out, nil
}

// inStorage is a run with attention on drives.
type inStorage struct {
	drive  *csd.Config
	shape  Shape
	job    Job
	policy *InStorage
	gpu    *run
}

// check reports the first thing that cannot be.
func (r *inStorage) check() (err error) {
	r.policy.Validate(func(key, message string) {
		if err == nil {
			err = fmt.Errorf("in-storage policy: %s %s", key, message)
		}
	})
	if err == nil {
		err = r.shape.attendedBy(&r.drive.Layout)
	}
	if err == nil && (r.job.Prompt < 1 || r.job.Output < 1) {
		err = fmt.Errorf("in-storage policy: prompt and output must be positive, are %d and %d", r.job.Prompt, r.job.Output)
	}
	return err
}

// attendedBy reports why a device with that layout cannot attend for a model.
func (s Shape) attendedBy(l *csd.Layout) error {
	if size := s.qWidth() / s.heads(); size != float64(l.HeadDim) {
		return fmt.Errorf("in-storage policy: the model's heads have %g values, the drive's layout.head_dim is %d", size, l.HeadDim)
	}
	if kv := s.kvWidth(); math.Mod(kv, float64(l.HeadDim)) != 0 || math.Mod(s.qWidth(), kv) != 0 {
		return fmt.Errorf("in-storage policy: %g values of queries and %g of keys are no groups of heads of %d", s.qWidth(), kv, l.HeadDim)
	}
	return nil
}

// heads returns a layer's heads of keys and values, and those of the drive that
// has most.
func (r *inStorage) heads() (all, most int) {
	all = int(r.shape.kvWidth()) / r.drive.Layout.HeadDim
	return all, (all + r.policy.Drives - 1) / r.policy.Drives
}

// queries returns the heads of queries of each head of keys and values.
func (r *inStorage) queries() int { return int(r.shape.qWidth() / r.shape.kvWidth()) }

// share returns the most loaded drive's share of the heads.
func (r *inStorage) share() float64 {
	all, most := r.heads()
	return float64(most) / float64(all)
}

// computes returns what the GPU takes for a layer of a token's pass: all
// products, and in the prefill attention.
func (r *inStorage) computes(token int) sim.Time {
	g := *r.gpu
	g.products(Place{Token: token, Sublayer: 0})
	g.products(Place{Token: token, Sublayer: 1})
	if token == 0 {
		g.attend(Place{})
	}
	return g.alone
}

// moves returns the time of bytes between the GPU and the drives, of which the
// most loaded one has the share given: the slower of the GPU's link and that
// drive's.
func (r *inStorage) moves(bytes, gbps float64) sim.Time {
	return sim.FromNanoseconds(max(bytes/gbps, bytes*r.share()/r.drive.LinkGBps))
}

// programmer is a device whose medium limits writes.
type programmer interface{ ProgramGBps() float64 }

// prefill computes every layer while the cache of the one before goes down.
func (r *inStorage) prefill(device csd.Device) Prefilled {
	p := Prefilled{
		Compute: r.computes(0),
		Bytes:   r.shape.kvBytes(float64(r.policy.Sequences * r.job.Prompt)),
	}
	p.Push = r.moves(p.Bytes, r.gpu.machine.Link.ToGPU)
	if flash, ok := device.(programmer); ok {
		p.Push = max(p.Push, sim.FromNanoseconds(p.Bytes*r.drive.Layout.Copies()*r.share()/flash.ProgramGBps()))
	}
	p.Time = p.Compute + sim.Time(r.shape.Layers-1)*max(p.Compute, p.Push) + p.Push
	return p
}

// contexts is how many steps stand for all of them: midpoints of equal parts. A
// third of them are the midpoints of three parts, whose outcome shows how much
// the choice matters.
const (
	contexts = 9
	thirds   = 3
)

// decode adds up all passes after the prefill.
func (r *inStorage) decode(device csd.Device) (Decoded, error) {
	passes := r.job.Output - 1
	if passes == 0 {
		return Decoded{}, nil
	}
	fine, coarse, attended, err := r.attend(device, passes)
	if err != nil {
		return Decoded{}, err
	}
	all, _ := r.heads()
	layers := sim.Time(r.shape.Layers)
	rows := float64(r.policy.Sequences * passes)
	link := r.gpu.machine.Link.ToGPU
	d := Decoded{
		Transfer: layers * (r.moves(r.shape.queryBytes(rows)+r.shape.kvBytes(rows), link) + r.moves(r.shape.queryBytes(rows), link)),
		GPU:      layers * sim.Time(passes) * r.computes(1),
		Layer:    scaled(fine, 1/r.share()),
	}
	commands := 1000 * r.drive.CommandUs * rows * float64(all) // ns
	if float64(layers)*(attended+1000*commands)+float64(d.Transfer+d.GPU) > float64(endOfTime) {
		return Decoded{}, ErrTooLong
	}
	d.Access, d.Exposed, d.Command = layers*fine.Access, layers*fine.Exposed, layers*sim.FromNanoseconds(commands)
	d.Time = d.Access + d.Exposed + d.Command + d.Transfer + d.GPU
	if coarse.Time > 0 {
		d.Error = float64(layers) * float64(coarse.Time-fine.Time) / float64(d.Time)
	}
	return d, nil
}

// attend adds up a layer's attention over the passes, of all contexts and of a
// third of them, none if there are too few passes; and its time once more as
// picoseconds that cannot overflow. Every layer is alike, so one is simulated; a
// pass is linear in its context but for what does not fill a page, so some are
// simulated.
func (r *inStorage) attend(device csd.Device, passes int) (fine, coarse csd.Result, ps float64, err error) {
	_, most := r.heads()
	points := min(contexts, passes)
	for i := range points {
		context := r.job.Prompt + 1 + passes*(2*i+1)/(2*points)
		one, err := device.Attend(csd.Load{
			Heads: r.policy.Sequences * most, Queries: r.queries(), Context: context, Sparse: r.policy.Sparse, Precision: r.policy.Precision,
		})
		if err != nil {
			return fine, coarse, ps, err
		}
		weight := float64(passes) / float64(points)
		fine = plus(fine, one, weight)
		ps += weight * float64(one.Time)
		if points == contexts && i%thirds == thirds/2 {
			coarse = plus(coarse, one, thirds*weight)
		}
	}
	return fine, coarse, ps, nil
}

// plus returns a result and weight times another.
func plus(a, b csd.Result, weight float64) csd.Result {
	times := func(t sim.Time) sim.Time { return sim.Time(weight*float64(t) + 0.5) }
	a.Time += times(b.Time)
	a.Access += times(b.Access)
	a.Exposed = a.Time - a.Access
	a.Simulated += b.Simulated
	a.Bound = max(a.Bound, b.Bound)
	a.Columns = traffic(a.Columns, b.Columns, weight)
	a.Keys = traffic(a.Keys, b.Keys, weight)
	a.Values = traffic(a.Values, b.Values, weight)
	return a
}

func traffic(a, b csd.Traffic, weight float64) csd.Traffic {
	return csd.Traffic{Pieces: a.Pieces + weight*b.Pieces, Bytes: a.Bytes + weight*b.Bytes, Wanted: a.Wanted + weight*b.Wanted}
}

// scaled returns a result whose traffic is so many times as much.
func scaled(a csd.Result, by float64) csd.Result {
	none := csd.Traffic{}
	a.Columns, a.Keys, a.Values = traffic(none, a.Columns, by), traffic(none, a.Keys, by), traffic(none, a.Values, by)
	return a
}

// appended returns the bytes of a layer's pages that the passes fill.
func (r *inStorage) appended() (written, copied float64) {
	all, _ := r.heads()
	p := r.drive.Layout.Filled(r.job.Prompt, r.job.Prompt+r.job.Output-1)
	vectors := float64(r.policy.Sequences * all)
	return vectors * float64(p.Host*r.drive.Layout.TokenBytes()), vectors * float64(p.Copy*r.drive.Layout.ColumnBytes())
}
