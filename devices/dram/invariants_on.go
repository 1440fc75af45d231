//go:build invariants

package dram

import "fmt"

// invariants says whether every command is checked against the rules.
const invariants = true

// checker replays the command stream and panics at the first command that
// breaks a rule. It shares nothing with the controller but the Spec: it
// keeps when each command last acted on each bank and compares every new
// command with all of them, pair by pair.
type checker struct {
	s       *Spec
	pcs     []history
	busTill [2]int64 // row bus, column bus (one where shared)
}

// history is what one pseudo-channel has seen.
type history struct {
	last    [maxBanks][numOps]int64 // effect tick of the last such command
	row     [maxBanks]int           // open row, -1 closed
	refresh [maxBanks]int64         // last refresh
	acts    [maxBanks][4]int64      // last four ACTs by rank, oldest first
	data    struct {
		till int64
		rank int
	}
}

func (k *checker) init(s *Spec) {
	k.s = s
	k.pcs = make([]history, s.PseudoChannels)
	for i := range k.pcs {
		h := &k.pcs[i]
		h.data.till = -never
		for b := range maxBanks {
			h.row[b] = -1
			for op := range h.last[b] {
				h.last[b][op] = -never
			}
			h.acts[b] = [4]int64{-never, -never, -never, -never}
		}
	}
}

// command checks one command and adds it to the history.
func (k *checker) command(cmd Command) {
	h := &k.pcs[cmd.PseudoChannel]
	k.checkBus(cmd)
	effect := cmd.At + k.delay(cmd.Op)
	for b := range k.s.Banks() {
		if cmd.Banks>>uint(b)&1 == 0 {
			continue
		}
		k.checkState(h, cmd, b)
		k.checkPairs(h, cmd, b, effect)
	}
	switch cmd.Op {
	case ACT:
		k.checkFAW(h, cmd, effect)
	case RD, WR:
		k.checkData(h, cmd, effect)
	}
	for b := range k.s.Banks() {
		if cmd.Banks>>uint(b)&1 != 0 {
			k.note(h, cmd, b, effect)
		}
	}
}

// note adds the command to bank b's history.
func (k *checker) note(h *history, cmd Command, b int, effect int64) {
	h.last[b][cmd.Op] = effect
	switch cmd.Op {
	case ACT:
		h.row[b] = cmd.Row
	case PRE, PREab, PREsb:
		h.row[b] = -1
	case REFab, REFpb, REFsb:
		if late := effect - h.refresh[b]; late > 9*k.s.T[TREFI]+k.s.T[TRFCAB] {
			k.fail(cmd, "bank %d waited %d ticks for its refresh, more than nine tREFI of %d", b, late, k.s.T[TREFI])
		}
		h.refresh[b] = effect
	}
}

func (k *checker) delay(op Op) int64 {
	switch op {
	case ACT:
		return k.s.ActDelay
	case RD, WR:
		return k.s.ColDelay
	}
	return 0
}

func (k *checker) fail(cmd Command, format string, args ...any) {
	panic(fmt.Sprintf("dram: %s: %v %+v: %s", k.s.Name, cmd.Op, cmd, fmt.Sprintf(format, args...)))
}

// checkBus checks that the command's bus is free and the edge allowed.
func (k *checker) checkBus(cmd Command) {
	bus, length := 0, k.s.RowTicks
	switch cmd.Op {
	case ACT:
		length = k.s.ActTicks
	case RD, WR:
		length = k.s.ColTicks
		if k.s.SplitBuses {
			bus = 1
		}
	}
	if cmd.At < k.busTill[bus] {
		k.fail(cmd, "command bus is taken until tick %d", k.busTill[bus])
	}
	rising := cmd.At%k.s.TicksPerCK == 0
	if !rising && (cmd.Op == ACT || cmd.Op >= RD) {
		k.fail(cmd, "not on a rising edge of CK")
	}
	k.busTill[bus] = cmd.At + length
}

// checkState checks the bank's row against the command.
func (k *checker) checkState(h *history, cmd Command, b int) {
	open := h.row[b] >= 0
	switch cmd.Op {
	case ACT, REFab, REFpb, REFsb:
		if open {
			k.fail(cmd, "bank %d has row %d open", b, h.row[b])
		}
	case PRE:
		if !open {
			k.fail(cmd, "bank %d is closed", b)
		}
	case RD, WR:
		if h.row[b] != cmd.Row {
			k.fail(cmd, "bank %d has row %d open, not %d", b, h.row[b], cmd.Row)
		}
	}
}

// checkPairs compares the command's action on bank b with every command
// every bank of the pseudo-channel has seen.
func (k *checker) checkPairs(h *history, cmd Command, b int, effect int64) {
	for other := range k.s.Banks() {
		for op := range numOps {
			before := h.last[other][op]
			if before == -never {
				continue
			}
			if rule, need := k.rule(op, cmd.Op, other, b); rule != "" && effect-before < need {
				k.fail(cmd, "%s: %d ticks after %v of bank %d, needs %d", rule, effect-before, op, other, need)
			}
		}
	}
}

func isPRE(op Op) bool { return op == PRE || op == PREab || op == PREsb }
func isREF(op Op) bool { return op >= REFab }
func isCol(op Op) bool { return op == RD || op == WR }

// rule returns the name and length of the rule between first on bank a and
// then on bank b: 0 where there is none.
func (k *checker) rule(first, then Op, a, b int) (string, int64) {
	t := &k.s.T
	rank := func(x int) int { return x / (k.s.BankGroups * k.s.BanksPerGroup) }
	same, group := a == b, a/k.s.BanksPerGroup == b/k.s.BanksPerGroup
	sameRank := rank(a) == rank(b)
	near := sameRank || !k.s.ActPerRank // within one tRRD and tRREFD scope
	switch {
	case isCol(first) && isCol(then):
		return k.columnRule(first, then, group, sameRank)
	case first == ACT && then == ACT && same:
		return "tRC", t[TRC]
	case first == ACT && then == ACT && group:
		return "tRRDL", t[TRRDL]
	case first == ACT && then == ACT && near:
		return "tRRDS", t[TRRDS]
	case first == ACT && isREF(then) && same:
		return "tRC", t[TRC]
	case first == ACT && (then == REFpb || then == REFsb) && near:
		return "tRRDS before refresh", t[TRRDS]
	case isPRE(first) && isPRE(then):
		return "tPPD", t[TPPD]
	case isREF(first) && (then == ACT || isREF(then)) && same:
		return "tRFC", map[Op]int64{REFab: t[TRFCAB], REFpb: t[TRFCPB], REFsb: t[TRFCSB]}[first]
	case (first == REFpb || first == REFsb) && (then == ACT || then == REFpb || then == REFsb) && near:
		return "tRREFD", t[TRREFD]
	case !same:
		return "", 0
	case first == ACT && then == RD:
		return "tRCDRD", t[TRCDRD]
	case first == ACT && then == WR:
		return "tRCDWR", t[TRCDWR]
	case first == ACT && isPRE(then):
		return "tRAS", t[TRAS]
	case isPRE(first) && (then == ACT || isREF(then)):
		return "tRP", t[TRP]
	case first == RD && isPRE(then):
		return "tRTP", t[TRTP]
	case first == WR && isPRE(then):
		return "tWR", t[TCWL] + k.s.Burst + t[TWR]
	}
	return "", 0
}

func (k *checker) columnRule(first, then Op, group, sameRank bool) (string, int64) {
	t := &k.s.T
	switch {
	case first == RD && then == WR:
		return "tRTW", t[TRTW]
	case first == WR && then == RD && group:
		return "tWTRL", t[TCWL] + k.s.Burst + t[TWTRL]
	case first == WR && then == RD && (sameRank || !k.s.ActPerRank):
		return "tWTRS", t[TCWL] + k.s.Burst + t[TWTRS]
	case first == WR && then == RD:
		return "tCS", t[TCWL] + k.s.Burst + t[TCS] - t[TCL]
	case !sameRank:
		return "tCCDR", t[TCCDR]
	case first == RD && group:
		return "tCCDL", t[TCCDL]
	case first == RD:
		return "tCCDS", t[TCCDS]
	case group:
		return "tCCDL_WR", t[TCCDLWR]
	}
	return "tCCDS_WR", t[TCCDSWR]
}

// checkFAW checks the ACT against the fourth before it.
func (k *checker) checkFAW(h *history, cmd Command, effect int64) {
	scope := 0
	if k.s.ActPerRank {
		scope = cmd.Rank
	}
	acts := &h.acts[scope]
	if effect-acts[0] < k.s.T[TFAW] {
		k.fail(cmd, "tFAW: fifth ACT in %d ticks, needs %d", effect-acts[0], k.s.T[TFAW])
	}
	copy(acts[:], acts[1:])
	acts[3] = effect
}

// checkData checks that the burst finds the data bus free.
func (k *checker) checkData(h *history, cmd Command, effect int64) {
	start := effect + k.s.T[TCL]
	if cmd.Op == WR {
		start = effect + k.s.T[TCWL]
	}
	free := h.data.till
	if cmd.Rank != h.data.rank {
		free += k.s.T[TCS]
	}
	if start < free {
		k.fail(cmd, "data from tick %d, bus taken until %d", start, free)
	}
	h.data.till, h.data.rank = start+k.s.Burst, cmd.Rank
}

// closed and skipped take what an idle channel did without timing it.
func (k *checker) closed(p *pseudo, c *Channel, banks uint64) {
	h := k.of(p, c)
	for b := range k.s.Banks() {
		if banks>>uint(b)&1 != 0 {
			h.row[b] = -1
		}
	}
}

func (k *checker) skipped(p *pseudo, c *Channel, banks uint64, at int64) {
	h := k.of(p, c)
	for b := range k.s.Banks() {
		if banks>>uint(b)&1 != 0 {
			h.refresh[b] = at
		}
	}
}

func (k *checker) of(p *pseudo, c *Channel) *history {
	for i := range c.pcs {
		if p == &c.pcs[i] {
			return &k.pcs[i]
		}
	}
	return nil
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
