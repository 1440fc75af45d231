package check

import "math/bits"

// Rules that are not distances between two commands of a list.
const (
	orderRule   = "order"
	addressRule = "address"
	edgeRule    = "clock edge"
	stateRule   = "row state"
	dataRule    = "data bus"
	refreshRule = "refresh"
)

// Checker checks the commands of one channel, in issue order.
type Checker struct {
	rules  Rules
	pairs  *table
	pcs    []history
	buses  [2]bus // column bus, row bus; one where they are shared
	last   Command
	begun  bool
	found  []Violation // broken by the command now checked
	window int64       // ticks after which a command's burst meets no later one's
}

// bus is a command bus.
type bus struct {
	last Command
	till int64 // busy before this tick
}

// history is what one pseudo-channel has seen.
type history struct {
	seen    [maxBanks]int             // set of Op
	last    [maxBanks][numOps]Command // where seen
	open    uint64
	row     [maxBanks]int   // of open banks
	refresh [maxBanks]int64 // last one
	closing [maxBanks]closing
	acts    [maxBanks][]Command
	bursts  []burst // recent ones
}

// closing is a column command with auto-precharge: the bank's own precharge
// begins at a tick.
type closing struct {
	by Command
	at int64
}

// burst is the data of one column command.
type burst struct {
	of    Command
	start int64
}

// New returns a checker of an idle channel at tick zero, all banks closed and
// refreshed. It panics where the geometry of the rules cannot be.
func New(r Rules) *Checker {
	if err := r.validate(); err != nil {
		panic(err)
	}
	t := &r.Timings
	return &Checker{rules: r, pairs: newTable(r.constraints()), pcs: make([]history, r.PseudoChannels),
		window: r.ColDelay + max(t.CL, t.CWL) + 2*r.Burst + t.CS}
}

// Command checks one command and adds it to the history. It returns every
// rule the command broke, each once, with the pair furthest below the
// distance needed; nil where there is none. A command before its predecessor,
// or of banks that do not exist, is reported and not added.
func (k *Checker) Command(cmd Command) []Violation {
	k.found = nil
	switch {
	case k.begun && cmd.At < k.last.At:
		k.report(orderRule, k.last, cmd, 0, 0)
		return k.found
	case !k.exists(cmd):
		k.report(addressRule, k.last, cmd, 0, 0)
		return k.found
	}
	h := &k.pcs[cmd.PseudoChannel]
	k.checkEdge(cmd)
	k.checkBus(cmd)
	for m := cmd.Banks; m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m)
		k.checkState(h, cmd, b)
		k.checkPairs(h, cmd, b)
		k.checkClosing(h, cmd, b)
		k.checkRefresh(h, cmd, b)
	}
	switch cmd.Op {
	case ACT:
		k.checkFAW(h, cmd)
	case RD, WR:
		k.checkData(h, cmd)
	}
	k.note(h, cmd)
	return k.found
}

// Closed tells the checker that the banks of pseudo-channel pc were precharged
// during an idle span, long enough ago to bind nothing any more.
func (k *Checker) Closed(pc int, banks uint64) {
	k.pcs[pc].open &^= banks
}

// Refreshed tells the checker that the banks of pseudo-channel pc were last
// refreshed by tick at of an idle span, long enough ago to bind nothing else.
func (k *Checker) Refreshed(pc int, banks uint64, at int64) {
	for m := banks; m != 0; m &= m - 1 {
		k.pcs[pc].refresh[bits.TrailingZeros64(m)] = at
	}
}

func (k *Checker) exists(cmd Command) bool {
	return cmd.Op < numOps && cmd.PseudoChannel >= 0 && cmd.PseudoChannel < len(k.pcs) &&
		cmd.Rank >= 0 && cmd.Rank < k.rules.Ranks && bits.Len64(cmd.Banks) <= k.rules.Banks()
}

// report adds a violation, or replaces a milder one of the same rule.
func (k *Checker) report(rule string, first, second Command, apart, needed int64) {
	v := Violation{rule, first, second, apart, needed}
	for i, f := range k.found {
		if f.Rule != rule {
			continue
		}
		if needed-apart > f.Needed-f.Apart {
			k.found[i] = v
		}
		return
	}
	k.found = append(k.found, v)
}

func (k *Checker) effect(cmd Command) int64 { return cmd.At + k.rules.delay(cmd.Op) }

// checkEdge checks that the command begins on a rising edge of CK; PRE may
// take a falling one.
func (k *Checker) checkEdge(cmd Command) {
	if pre>>cmd.Op&1 == 0 && (cmd.At-k.rules.RisingEdge)%k.rules.TicksPerCK != 0 {
		k.report(edgeRule, k.last, cmd, 0, 0)
	}
}

// checkBus checks that the command finds its bus free, and takes it.
func (k *Checker) checkBus(cmd Command) {
	i, name := 0, "command bus"
	if k.rules.SplitBuses {
		i, name = 1, "row bus"
		if cmd.Op == RD || cmd.Op == WR {
			i, name = 0, "column bus"
		}
	}
	b := &k.buses[i]
	if cmd.At < b.till {
		k.report(name, b.last, cmd, cmd.At-b.last.At, k.rules.length(b.last.Op))
	}
	b.last, b.till = cmd, cmd.At+k.rules.length(cmd.Op)
}

// checkState checks the bank's row against the command.
func (k *Checker) checkState(h *history, cmd Command, b int) {
	open := h.open>>uint(b)&1 != 0
	good := true
	switch cmd.Op {
	case ACT, REFab, REFpb, REFsb:
		good = !open
	case PRE:
		good = open
	case RD, WR:
		good = open && h.row[b] == cmd.Row
	}
	if !good {
		k.report(stateRule, h.latest(b), cmd, 0, 0)
	}
}

// latest returns the last row command of bank b.
func (h *history) latest(b int) (found Command) {
	for op := range numOps {
		if h.seen[b]>>op&1 != 0 && op != RD && op != WR && h.last[b][op].At >= found.At {
			found = h.last[b][op]
		}
	}
	return found
}

// checkPairs compares the command's effect on bank b with the last of every
// command of every bank.
func (k *Checker) checkPairs(h *history, cmd Command, b int) {
	effect := k.effect(cmd)
	for other := range k.rules.Banks() {
		at := k.place(other, b)
		for m := uint(h.seen[other]); m != 0; m &= m - 1 {
			first := Op(bits.TrailingZeros(m))
			for _, l := range k.pairs[first][cmd.Op][at] {
				apart := effect - h.last[other][first].At - k.rules.delay(first)
				if apart < l.need {
					k.report(l.rule, h.last[other][first], cmd, apart, l.need)
				}
			}
		}
	}
}

// checkClosing checks that bank b's own precharge is over before the command
// needs it closed.
func (k *Checker) checkClosing(h *history, cmd Command, b int) {
	c := &h.closing[b]
	if (1<<cmd.Op)&(act|refEvery) == 0 || c.at == 0 {
		return
	}
	if apart := k.effect(cmd) - c.at; apart < k.rules.Timings.RP {
		k.report("tRP", c.by, cmd, apart, k.rules.Timings.RP)
	}
}

// close notes a column command with auto-precharge: the precharge begins as
// soon as one could be issued.
func (k *Checker) close(h *history, cmd Command, b int) {
	t := &k.rules.Timings
	at := k.effect(cmd) + t.RTP
	if cmd.Op == WR {
		at = k.effect(cmd) + t.CWL + k.rules.Burst + t.WR
	}
	h.open &^= 1 << uint(b)
	h.closing[b] = closing{cmd, max(at, k.effect(h.last[b][ACT])+t.RAS)}
}

func (k *Checker) place(a, b int) place {
	switch r := &k.rules; {
	case a == b:
		return sameBank
	case r.groupOf(a) == r.groupOf(b):
		return sameGroup
	case r.rankOf(a) == r.rankOf(b):
		return sameRank
	}
	return otherRank
}

// checkRefresh checks that bank b did not wait too long for its refresh:
// eight may be postponed, so that the next comes within nine tREFI.
func (k *Checker) checkRefresh(h *history, cmd Command, b int) {
	t := &k.rules.Timings
	if refEvery>>cmd.Op&1 == 0 || t.REFI == 0 {
		return
	}
	if late, allowed := cmd.At-h.refresh[b], 9*t.REFI+t.RFCab; late > allowed {
		first := Command{At: h.refresh[b], Op: cmd.Op, PseudoChannel: cmd.PseudoChannel, Banks: 1 << uint(b)}
		k.report(refreshRule, first, cmd, late, allowed)
	}
}

// checkFAW checks the ACT against the fourth before it.
func (k *Checker) checkFAW(h *history, cmd Command) {
	scope := 0
	if k.rules.ActPerRank {
		scope = cmd.Rank
	}
	acts := h.acts[scope]
	if len(acts) == 4 {
		if apart := cmd.At - acts[0].At; apart < k.rules.Timings.FAW {
			k.report("tFAW", acts[0], cmd, apart, k.rules.Timings.FAW)
		}
		copy(acts, acts[1:])
		acts = acts[:3]
	}
	h.acts[scope] = append(acts, cmd)
}

// checkData checks that the command's burst meets no other on the data bus,
// nor comes within tCS of one of another rank.
func (k *Checker) checkData(h *history, cmd Command) {
	b := burst{cmd, k.effect(cmd) + k.rules.Timings.CL}
	if cmd.Op == WR {
		b.start = k.effect(cmd) + k.rules.Timings.CWL
	}
	recent := h.bursts[:0]
	for _, o := range h.bursts {
		if o.of.At+k.window < cmd.At {
			continue
		}
		recent = append(recent, o)
		apart := max(b.start-o.start, o.start-b.start)
		if apart < k.rules.Burst {
			k.report(dataRule, o.of, cmd, apart, k.rules.Burst)
		}
		if gap := k.rules.Burst + k.rules.Timings.CS; o.of.Rank != cmd.Rank && k.rules.Timings.CS > 0 && apart < gap {
			k.report("tCS", o.of, cmd, apart, gap)
		}
	}
	h.bursts = append(recent, b)
}

// note adds the command to the history.
func (k *Checker) note(h *history, cmd Command) {
	k.last, k.begun = cmd, true
	for m := cmd.Banks; m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m)
		h.last[b][cmd.Op] = cmd
		h.seen[b] |= 1 << cmd.Op
		if cmd.Op == ACT {
			h.row[b] = cmd.Row
		}
		if refEvery>>cmd.Op&1 != 0 {
			h.refresh[b] = cmd.At
		}
		if cmd.AutoPrecharge {
			k.close(h, cmd, b)
		}
	}
	switch {
	case cmd.Op == ACT:
		h.open |= cmd.Banks
	case pre>>cmd.Op&1 != 0:
		h.open &^= cmd.Banks
	}
}
