package flexgen

import (
	"fmt"

	"hwsim/devices/csd"
)

// Stored is what becomes of a run's cache on the drive with most heads. What has
// to do with flash is zero of a device with DRAM.
type Stored struct {
	Taken      float64 // bytes of keys and values, once
	Programmed float64 // bytes of full pages, those of second copies among them
	Copied     float64 // bytes of second copies' pages
	Erased     float64 // bytes of the blocks that sequences had, given up at the end

	Gathered     float64 // bytes in the drive's DRAM that fill no page yet, mean of the steps
	GatheredMost float64

	Lifetime Lifetime
}

// Lifetime counts the tokens, on all drives, until the blocks of the drive with
// most heads are worn.
type Lifetime struct {
	Once   float64 // if keys and values are all that is written
	Copied float64 // and second copies
	Erased float64 // and what stays empty in a sequence's blocks; 0: no page is filled
	Runs   float64 // likewise, runs like this one
}

// stored keeps account of one sequence; all are alike.
func (r *inStorage) stored() (Stored, error) {
	sequences, share := float64(r.policy.Sequences), r.share()
	tokens := sequences * float64(r.job.tokens())
	tokenBytes := float64(r.shape.Layers) * r.shape.kvBytes(1)
	s := Stored{Taken: share * tokens * tokenBytes}
	if r.drive.Flash == nil {
		return s, nil
	}
	_, most := r.heads()
	kv := csd.NewKV(r.drive.Layout, &r.drive.Flash.Geometry, r.shape.Layers, most)
	for step := range r.job.Output {
		added := 1
		if step == 0 {
			added = r.job.Prompt
		}
		if _, err := kv.Append(0, added); err != nil {
			return s, fmt.Errorf("in-storage policy: %w", err)
		}
		gathered := sequences * float64(kv.Buffered())
		s.Gathered += gathered / float64(r.job.Output)
		s.GatheredMost = max(s.GatheredMost, gathered)
	}
	s.Copied = sequences * float64(kv.Stats().CopyBytes)
	s.Programmed = sequences*float64(kv.Stats().HostBytes) + s.Copied
	s.Erased = sequences * float64(kv.Held())
	s.Lifetime.Once, s.Lifetime.Copied = r.drive.Endurance(1, share*tokenBytes)
	if s.Erased > 0 {
		s.Lifetime.Runs = float64(r.drive.PECycles) * r.drive.Capacity() / s.Erased
		s.Lifetime.Erased = s.Lifetime.Runs * tokens
	}
	return s, nil
}

// needs returns what the run wants at its most: of one GPU, and of the drive
// with most heads. The prompts of a layer are computed in turns, as many
// sequences at once as there is room for, while the cache of the turn before
// goes down.
func (r *inStorage) needs(kept *Stored) Need {
	m, s, p := r.gpu.machine, r.shape, r.policy
	n := Need{
		GPU:   Room{Name: "GPU memory", Capacity: gib * m.Memory.GPU},
		Host:  Room{Name: "host memory", Capacity: gib * m.Memory.Host},
		Drive: Room{Name: "fullest drive", Capacity: r.drive.Capacity()},
	}
	weights, _, _ := s.weightHomes(p.onGPU())
	n.GPU.add("weights", weights/float64(p.gpus()))
	n.GPU.add("hidden states", s.hiddenBytes(float64(p.Sequences*r.job.Prompt)))
	one := Policy{Batch: 1, Batches: 1}
	turn, way := s.prefillBytes(r.job, &one), s.kvBytes(float64(r.job.Prompt))
	together := min(float64(p.Sequences), max(1, float64(int((n.GPU.Capacity-n.GPU.Used())/(turn+way)))))
	n.GPU.add("KV on its way", together*way)
	n.GPU.add("prefill", together*turn)
	n.Host.add("system", gib*m.Memory.System)
	if r.drive.Flash == nil {
		n.Drive.add("KV", kept.Taken)
		return n
	}
	n.Drive.add("KV", kept.Programmed-kept.Copied)
	n.Drive.add("second copy", kept.Copied)
	n.Drive.add("empty pages", kept.Erased-kept.Programmed)
	return n
}
