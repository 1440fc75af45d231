package flexgen

// Kind says what an operation does.
type Kind uint8

// Kinds of operations.
const (
	LoadWeights Kind = iota
	LoadCache
	LoadHidden
	Compute
	StoreHidden
	StoreCache
	kinds
)

// String returns the kind's name.
func (k Kind) String() string {
	return [kinds]string{"load weights", "load cache", "load hidden", "compute", "store hidden", "store cache"}[k]
}

// Place is a batch in a sublayer of a token's pass. Token 0 is the prefill;
// even sublayers are attention, odd ones MLPs.
type Place struct {
	Token, Sublayer, Batch int
}

func (p Place) attention() bool { return p.Sublayer%2 == 0 }

// Op is an operation for a place. That of weights is for all batches.
type Op struct {
	Kind Kind
	Place
}

// order is the zig-zag order of a job's places: all batches of a block pass a
// sublayer before any passes the next.
type order struct {
	tokens, sublayers, batches int
}

func orderOf(s Shape, j Job, p *Policy) order { return order{j.Output, 2 * s.Layers, p.Batches} }

// at returns the n-th place.
func (o order) at(n int) Place {
	return Place{n / o.batches / o.sublayers, n / o.batches % o.sublayers, n % o.batches}
}

func (o order) len() int { return o.tokens * o.sublayers * o.batches }

// step appends what runs together with the n-th place's computing: the load of
// the next sublayer's weights while its first batch computes, the loads for the
// next place, the stores of the one before.
func (o order) step(ops []Op, n int) []Op {
	now := o.at(n)
	if first := n + o.batches; now.Batch == 0 && first < o.len() {
		ops = append(ops, Op{LoadWeights, o.at(first)})
	}
	if n+1 < o.len() {
		next := o.at(n + 1)
		if next.attention() && next.Token > 0 {
			ops = append(ops, Op{LoadCache, next})
		}
		ops = append(ops, Op{LoadHidden, next})
	}
	ops = append(ops, Op{Compute, now})
	return o.stores(ops, n-1)
}

// stores appends what the n-th place leaves behind.
func (o order) stores(ops []Op, n int) []Op {
	if n < 0 {
		return ops
	}
	done := o.at(n)
	ops = append(ops, Op{StoreHidden, done})
	if done.attention() {
		ops = append(ops, Op{StoreCache, done})
	}
	return ops
}

// Schedule calls step with the operations that run together, in the order of
// the steps: the first weights, every place, the last stores. The slice is
// reused.
func Schedule(s Shape, j Job, p *Policy, step func(ops []Op)) {
	o := orderOf(s, j, p)
	ops := []Op{{LoadWeights, o.at(0)}}
	step(ops)
	for n := range o.len() {
		ops = o.step(ops[:0], n)
		step(ops)
	}
	step(o.stores(ops[:0], o.len()-1))
}
