package dram

// Directions of a column command, indices of every [2] below.
const (
	read  = 0
	write = 1
)

const (
	never = int64(1) << 62
	none  = int32(-1) // no entry, no row
)

// entry is a run of bursts of one request in one row of one bank: what the
// scheduler sees. Entries of a bank form a FIFO per direction.
type entry struct {
	seq  int64 // age: lower is older
	req  int32
	row  int32
	left int32 // bursts not yet issued
	col  int32 // of the next burst (traces only)
	next int32 // younger entry of the same bank and direction
}

// holds reports whether the burst at is one of the entry's.
func (e *entry) holds(at place) bool {
	return e.row == at.row && e.col <= at.col && at.col < e.col+e.left
}

// maxBanks is how many banks one mask word can name.
const maxBanks = 64

// bank is one bank's queue and row. What it may issue when is in pseudo.
type bank struct {
	head, tail, hit [2]int32 // entries by direction; hit: the oldest of the open row
	row             int32    // open row, none when closed
	queued          int32    // entries of both directions
	columns         int32    // column commands since the row was opened
	over            int32    // younger hits served over an older conflict
	dir             uint8    // direction of the entry the row was opened for
	conflicted      bool     // that entry found another row open

	begun            int64 // when the commands for that entry began
	refFrom, refTill int64 // the last refresh, from its blocking the bank
	used             int64 // last column command

	sum BankStats // without the open row's columns
}

// scope is where tRRD_S and tFAW count: a rank, or an HBM pseudo-channel.
type scope struct {
	nextACT int64
	nextREF int64 // ACT to REFpb of another bank
	acts    [4]int64
	oldest  int
}

// pseudo is one pseudo-channel: its banks and the command it would issue
// next. Arrays by bank lie side by side because choosing a command reads
// one of them for many banks.
type pseudo struct {
	// Sets of banks, one bit each.
	open    uint64
	hits    [2]uint64                    // an entry of this direction hits the open row
	wantACT [2]uint64                    // closed with entries of this direction
	wantPRE [2]uint64                    // another row open than the oldest entry's
	idle    uint64                       // open, and to be closed though nobody queued wants another row
	fresh   uint64                       // opened for an entry whose column has not issued yet
	freshOf [2]uint64                    // those whose entry is of this direction: its hits wait behind it
	blocked uint64                       // waiting for its refresh
	barred  struct{ row, column uint64 } // by an all-bank refresh in preparation, or as it is not their turn (FCFS)

	col, act, pre, ref candidate

	// Earliest issue by bank: tRCD; tRP, tRC, tRFC; tRAS, tRTP, tWR.
	nextCol [2][maxBanks]int64
	nextACT [maxBanks]int64
	nextPRE [maxBanks]int64

	// Ages by bank, as keys: of the oldest entry that hits the open row, and
	// of the oldest entry.
	hitKey  [2][maxBanks]int64
	headKey [2][maxBanks]int64

	// Earliest issue by bank group of all ranks (tCCD_L, tRRD_L), by rank
	// (tCCD_S, tCCD_R, turnarounds), and of any PRE (tPPD).
	groupCol [2][maxBanks]int64
	groupACT [maxBanks]int64
	rankCol  [2][maxBanks]int64
	anyPRE   int64

	groupOf, rankOf, scopeOf [maxBanks]uint8

	banks  []bank
	scopes []scope
	refs   []refresher

	lastDir  uint8
	lastCol  int64  // issue of the last column command
	ahead    uint64 // banks of refreshers that prepare a refresh ahead of its time
	refsWait bool   // a refresh is due and waits for an idle bank
}

// candidate is the command a pseudo-channel would issue next of one kind.
type candidate struct {
	at    int64
	key   int64 // among commands of one instant the least wins
	bank  int32 // none where there is no candidate; of ref, the refresher
	dirty bool  // to be chosen anew
}

// classify sets the bank's bits in the sets of direction d and lets the
// bank compete with the candidates chosen before.
func (c *Channel) classify(p *pseudo, b int32, d int) {
	k, bit := &p.banks[b], uint64(1)<<uint(b)
	p.hits[d] &^= bit
	p.wantACT[d] &^= bit
	p.wantPRE[d] &^= bit
	switch h := k.head[d]; {
	case h == none:
	case k.row == none:
		p.wantACT[d] |= bit
	default:
		full := c.full(k)
		if k.hit[d] != none && (!full || c.autoPre) {
			p.hits[d] |= bit
		}
		if full || c.entries[h].row != k.row && (k.hit[d] == none || k.over >= c.hitCap) {
			p.wantPRE[d] |= bit
		}
	}
	if d == c.mode {
		c.compete(p, b)
	}
}

// full reports whether the row has served as many columns as it may.
func (c *Channel) full(k *bank) bool { return c.pageCap > 0 && k.columns >= c.pageCap }

// classifyBoth sets all bits of the bank after its row or queue changed.
func (c *Channel) classifyBoth(p *pseudo, b int32) {
	if c.closes || c.pageCap > 0 {
		c.classifyIdle(p, b)
	}
	c.classify(p, b, read)
	c.classify(p, b, write)
}

func (c *Channel) classifyIdle(p *pseudo, b int32) {
	k, bit := &p.banks[b], uint64(1)<<uint(b)
	p.idle &^= bit
	if k.row != none && (c.full(k) || c.closes && k.hit[read] == none && k.hit[write] == none) {
		p.idle |= bit
	}
	p.pre.dirty = true
}

// findHit sets the bank's oldest entry of direction d that hits the open
// row, looking from entry e on.
func (c *Channel) findHit(p *pseudo, b int32, d int, e int32) {
	k := &p.banks[b]
	for e != none && c.entries[e].row != k.row {
		e = c.entries[e].next
	}
	k.hit[d] = e
	if e != none {
		p.hitKey[d][b] = ageKey(c.entries[e].seq, b)
	}
}

// push appends entry e to the bank's queue.
func (c *Channel) push(p *pseudo, b int32, d int, e int32) {
	k, en := &p.banks[b], &c.entries[e]
	en.next = none
	k.queued++
	if p.ahead>>uint(b)&1 != 0 {
		c.yield(p, b)
	}
	if k.head[d] != none && (k.hit[d] != none || k.row != en.row) { // one more behind others: the bank's sets stay
		c.entries[k.tail[d]].next = e
		k.tail[d] = e
		return
	}
	if k.head[d] == none {
		k.head[d], p.headKey[d][b] = e, ageKey(en.seq, b)
	} else {
		c.entries[k.tail[d]].next = e
	}
	k.tail[d] = e
	if k.row == en.row && k.hit[d] == none {
		k.hit[d], p.hitKey[d][b] = e, ageKey(en.seq, b)
		if c.closes {
			c.classifyIdle(p, b)
		}
	}
	c.classify(p, b, d)
}

// release makes entry e's place free.
func (c *Channel) release(e int32) {
	c.entries[e].next = c.freeEntry
	c.freeEntry = e
}

// remove takes the hit entry of direction d out of the bank's queue.
func (c *Channel) remove(p *pseudo, b int32, d int) {
	c.writes -= int32(d)
	k := &p.banks[b]
	e := k.hit[d]
	after := c.entries[e].next
	if k.head[d] == e {
		k.head[d] = after
		k.over = 0
		if after != none {
			p.headKey[d][b] = ageKey(c.entries[after].seq, b)
			if c.entries[after].row == k.row && !c.full(k) { // the next in line hits too: the bank's sets stay
				k.hit[d], p.hitKey[d][b] = after, p.headKey[d][b]
				k.queued--
				c.release(e)
				return
			}
		}
	} else {
		before := k.head[d]
		for c.entries[before].next != e {
			before = c.entries[before].next
		}
		c.entries[before].next = after
		if k.tail[d] == e {
			k.tail[d] = before
		}
		k.over++
	}
	k.queued--
	c.findHit(p, b, d, after)
	c.release(e)
	c.classifyBoth(p, b)
	if k.queued == 0 && p.refsWait {
		c.chooseUnits(p)
	}
}
