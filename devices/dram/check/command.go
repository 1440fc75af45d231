package check

import "fmt"

// Op is a DRAM command.
type Op uint8

// The commands, as in JEDEC tables.
const (
	ACT   Op = iota
	PRE      // of one bank
	PREab    // of a rank, or an HBM pseudo-channel
	PREsb    // of one bank of every group (DDR5)
	RD
	WR
	REFab
	REFpb
	REFsb
	numOps
)

var opNames = [numOps]string{"ACT", "PRE", "PREab", "PREsb", "RD", "WR", "REFab", "REFpb", "REFsb"}

func (o Op) String() string {
	if o >= numOps {
		return fmt.Sprintf("Op(%d)", uint8(o))
	}
	return opNames[o]
}

// Command is one command as it goes over the command bus.
type Command struct {
	At            int64 // tick of its first edge
	Op            Op
	PseudoChannel int
	Rank          int    // DDR rank or HBM stack id
	Group, Bank   int    // of one bank; of several, of their first
	Row, Column   int    // column in bursts
	Banks         uint64 // all banks of the pseudo-channel it acts on: bit (rank, group, bank)
	AutoPrecharge bool   // of a column command: RDA, WRA
}

func (c Command) String() string {
	where := fmt.Sprintf("tick %d %v pc %d", c.At, c.Op, c.PseudoChannel)
	switch c.Op {
	case ACT:
		return fmt.Sprintf("%s rank %d bank %d.%d row %d", where, c.Rank, c.Group, c.Bank, c.Row)
	case RD, WR:
		return fmt.Sprintf("%s rank %d bank %d.%d row %d column %d", where, c.Rank, c.Group, c.Bank, c.Row, c.Column)
	case PRE, REFpb:
		return fmt.Sprintf("%s rank %d bank %d.%d", where, c.Rank, c.Group, c.Bank)
	}
	return fmt.Sprintf("%s banks %#x", where, c.Banks)
}

// Violation is one rule broken by one command.
type Violation struct {
	Rule          string  // JEDEC name ("tRCDRD", "tFAW"), or "row state", "row bus", ...
	First, Second Command // Second broke the rule; First is what it came too soon after
	Apart, Needed int64   // ticks between their effects; zero where the rule is not a distance
}

func (v Violation) String() string {
	if v.Needed == 0 {
		return fmt.Sprintf("%s: [%v] after [%v]", v.Rule, v.Second, v.First)
	}
	word := "needs"
	if v.Rule == refreshRule {
		word = "allowed"
	}
	return fmt.Sprintf("%s: [%v] is %d ticks after [%v], %s %d", v.Rule, v.Second, v.Apart, v.First, word, v.Needed)
}
