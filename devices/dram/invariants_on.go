//go:build invariants

package dram

import (
	"fmt"

	"hwsim/devices/dram/check"
)

// invariants says whether every command is checked against the rules.
const invariants = true

// checker panics at the first command that breaks a rule.
type checker struct {
	name  string
	trace *check.Checker
}

func (k *checker) init(s *Spec) { k.name, k.trace = s.Name, check.New(s.rules()) }

func (k *checker) command(cmd Command) {
	for _, v := range k.trace.Command(cmd.checked()) {
		panic(fmt.Sprintf("dram: %s: %v", k.name, v))
	}
}

// closed and skipped take what an idle channel did without timing it.
func (k *checker) closed(p *pseudo, c *Channel, banks uint64) { k.trace.Closed(c.number(p), banks) }

func (k *checker) skipped(p *pseudo, c *Channel, banks uint64, at int64) {
	k.trace.Refreshed(c.number(p), banks, at)
}

// number returns the place of p among the channel's pseudo-channels.
func (c *Channel) number(p *pseudo) int {
	for i := range c.pcs {
		if p == &c.pcs[i] {
			return i
		}
	}
	return -1
}

// candidates checks that what was kept is what choosing anew would find.
func (k *checker) candidates(c *Channel, p *pseudo) {
	kept := [4]candidate{p.ref, p.col, p.act, p.pre}
	c.pickRefresh(p)
	c.pickColumn(p)
	c.pickACT(p)
	c.pickPRE(p)
	if anew := [4]candidate{p.ref, p.col, p.act, p.pre}; anew != kept {
		panic(fmt.Sprintf("dram: candidates kept at tick %d are stale: %+v, anew %+v", c.now, kept, anew))
	}
}
