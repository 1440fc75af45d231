package published

import (
	"errors"
	"fmt"

	"hwsim/configs"
	"hwsim/models"
	"hwsim/workloads"
	"hwsim/workloads/kv"
)

// element is the bytes of an element of 16 bits, as all papers here have.
const element = 2

// book collects rows, and what goes wrong with their inputs.
type book struct {
	rows []Row
	errs []error
}

func (b *book) add(r Row) { b.rows = append(b.rows, r) }

func (b *book) fail(err error) {
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("published figures: %w", err))
	}
}

func (b *book) policy(name string, sets ...string) *kv.Policy {
	p, err := kv.Load(name, sets)
	b.fail(err)
	if err != nil {
		return &kv.Policy{}
	}
	return p
}

func (b *book) engine(name string) *kv.Engine {
	e, err := kv.LoadEngine(name, nil)
	b.fail(err)
	if err != nil {
		return &kv.Engine{}
	}
	return e
}

// workload returns a preset of configs/workloads.
func (b *book) workload(name string) workloads.Workload {
	var c struct {
		Workload workloads.Workload `toml:"workload"`
	}
	d, err := configs.LoadTable("workload", name, nil)
	if err == nil {
		err = d.Decode(&c)
	}
	b.fail(err)
	return c.Workload
}

// subject is a model and what of it a policy sees.
type subject struct {
	models.Model
	kv.Shape
}

func (b *book) model(name string) *subject {
	var c struct {
		Model models.Model `toml:"model"`
	}
	d, err := configs.LoadTable("model", name, nil)
	if err == nil {
		err = d.Decode(&c)
	}
	b.fail(err)
	if err != nil {
		return &subject{}
	}
	return &subject{c.Model, kv.ShapeOf(&c.Model, element)}
}

// weights returns the bytes of weights that a step reads: all products and the
// head, without the table of embeddings, of which it reads a row.
func (m *subject) weights() float64 {
	n := m.Head().Weights()
	for layer := range m.Model.Layers {
		for _, l := range m.Linears(layer) {
			n += l.Weights()
		}
	}
	return element * float64(n)
}

// held returns the bytes that a policy keeps of a sequence in all layers.
func (m *subject) held(p *kv.Policy, c kv.Context, of func(h *kv.Held) bool) float64 {
	sum := 0.0
	for layer := range m.Shape.Layers {
		l := p.Layer(m.Shape, c, &kv.Engine{}, layer)
		for i := range l.Held {
			if of(&l.Held[i]) {
				sum += l.Held[i].Bytes
			}
		}
	}
	return sum
}

// all lets everything pass.
func all(*kv.Held) bool { return true }

// own lets what is a sequence's own pass: papers do not count what all share.
func own(h *kv.Held) bool { return !h.Common }

// less returns how many times less a policy keeps than a dense cache.
func (m *subject) less(p *kv.Policy, c kv.Context) float64 {
	return m.held(&kv.Policy{}, c, all) / m.held(p, c, own)
}

// moved returns the bytes that a policy moves to and from HBM for a sequence in
// a step, those of an engine among them.
func (m *subject) moved(p *kv.Policy, c kv.Context, e *kv.Engine) float64 {
	sum := 0.0
	for layer := range m.Shape.Layers {
		l := p.Layer(m.Shape, c, e, layer)
		read, written := l.Sum(func(f *kv.Flow) bool { return f.Tier == kv.HBM })
		sum += read + written
	}
	return sum
}

// step returns the bytes that a step of a batch moves to and from HBM.
func (m *subject) step(p *kv.Policy, c kv.Context, e *kv.Engine, batch float64) float64 {
	return m.weights() + batch*m.moved(p, c, e)
}

// ClosedForms returns the figures that need no simulation, in the order of
// their targets.
func ClosedForms() ([]Row, error) {
	b := &book{}
	for _, check := range []func(b *book){shadowKV, h2o, vAttention, instInfer, longContext, snapKV, packs, cake, kinetics} {
		check(b)
	}
	return b.rows, errors.Join(b.errs...)
}
