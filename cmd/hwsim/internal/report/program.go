package report

import (
	"io"
	"strings"

	"hwsim/workloads/program"
)

// ProgramText writes r on about a screen of 40 lines and 100 columns, the answer
// first.
func ProgramText(w io.Writer, r *program.Result) error { return programPage(r).write(w) }

// ProgramBlocks is Blocks for a program on a core.
func ProgramBlocks(r *program.Result) []Block { return programPage(r).blocks }

func programPage(r *program.Result) *page {
	p := &page{}
	programHeadline(p, r)
	p.line("")
	if r.Accesses > 0 {
		counted(p, r)
		p.line("")
	}
	p.line("exact: all accesses simulated; seed %d; config %s (%s)", r.Seed, r.Hash, r.Name)
	return p
}

// counted writes what a run has counted, if its warm-up came to an end.
func counted(p *page, r *program.Result) {
	cyclesWent(p, r)
	tlbs(p, &r.Translation)
	walks(p, &r.Translation)
	rivals(p, &r.Translation)
	caches(p, r)
}

func programHeadline(p *page, r *program.Result) {
	mark := ""
	if !r.Complete {
		mark = "INTERRUPTED  "
	}
	if r.Accesses == 0 {
		p.line("%sbefore anything was counted", mark)
		p.line("%s on %s", r.Stream, r.Core)
		return
	}
	p.line("%stime %s   %#.3g instructions a cycle   %s of the time in translation", mark, duration(r.TimeNs), r.IPC, percent(r.Translating))
	p.line("%s on %s, %s instructions, %s accesses", r.Stream, r.Core, count(r.Instructions), count(r.Accesses))
}

// cyclesWent says what the access that held the core up awaited while that took no
// more.
func cyclesWent(p *page, r *program.Result) {
	p.line("%-18s %8s            %s cycles", "time", duration(r.TimeNs), count(uint64(r.Cycles)))
	part := func(name string, share float64) {
		p.line("  %-16s %8s  %7s  %s", name, duration(share*r.TimeNs), percent(share), bar(share))
	}
	part("translation", r.Translating)
	part("data", r.Waiting)
	part("the rest", max(0, 1-r.Translating-r.Waiting))
}

// tlbs writes a row a level that was looked up. The hits, the misses and the
// merged are all of its lookups.
func tlbs(p *page, t *program.Translation) {
	table := [][]string{{"TLB", "hits", "misses", "miss ratio", "MPKI", "merged"}}
	row := func(name string, hits, misses uint64, missRatio float64, mpki, merged string) {
		table = append(table, []string{name, count(hits), count(misses), percent(missRatio), mpki, merged})
	}
	missRatio := func(hits, misses uint64) float64 { return ratio(float64(misses), float64(hits+misses)) }
	row("first level", t.L1Hits, t.L2Hits+t.L2Misses, t.L1MissRatio, number(t.L1MPKI), count(t.Merged))
	row("second level", t.L2Hits, t.L2Misses, missRatio(t.L2Hits, t.L2Misses), number(t.L2MPKI), "")
	if t.L3Hits > 0 {
		row("third level", t.L3Hits, t.Misses, missRatio(t.L3Hits, t.Misses), number(t.MPKI), "")
	}
	if t.NestedHits+t.NestedMisses > 0 {
		row("nested", t.NestedHits, t.NestedMisses, missRatio(t.NestedHits, t.NestedMisses), "", "")
	}
	p.line("")
	p.table(table)
}

// walks writes what misses cost, and where walks found entries.
func walks(p *page, t *program.Translation) {
	p.line("a miss of the second level takes %s cycles to its translation, mean", number(t.MissCycles))
	if t.Walks > 0 {
		q := &t.WalkCycles
		table := [][]string{{"walks, cycles", "walks", "mean", "p50", "p90", "p99", "max", "queued", "to memory"},
			{"own table", count(t.Walks), number(q.Mean), number(q.P50), number(q.P90), number(q.P99), number(q.Max), number(t.QueueCycles), share(t.DRAMWalks, t.Walks)}}
		if t.HostWalks > 0 {
			table = append(table, []string{"host's table", count(t.HostWalks)})
		}
		p.line("")
		p.table(table)
	}
	entries(p, t.Reads)
	walkCaches(p, t.WalkCaches)
}

// share writes part of total in percent.
func share(part, total uint64) string { return percent(ratio(float64(part), float64(total))) }

// entries writes a column for each place that has had entries of page tables.
func entries(p *page, rows []program.KindRow) {
	total := uint64(0)
	for _, k := range rows {
		total += k.Count
	}
	if total == 0 {
		return
	}
	table := [][]string{{"walks find entries in"}, {"  entries"}, {"  share"}}
	for _, k := range rows {
		if k.Count > 0 {
			column(table, k.Kind, count(k.Count), share(k.Count, total))
		}
	}
	p.line("")
	p.table(table)
}

func walkCaches(p *page, rows []program.WalkCacheRow) {
	if len(rows) == 0 {
		return
	}
	table := [][]string{{"page-walk cache of"}, {"  lookups"}, {"  miss ratio"}}
	for _, c := range rows {
		column(table, c.Entries, count(c.Hits+c.Misses), percent(c.MissRatio))
	}
	p.line("")
	p.table(table)
}

// column appends a cell to each row of a table.
func column(table [][]string, cells ...string) {
	for i := range table {
		table[i] = append(table[i], cells[i])
	}
}

// rivals writes what Victima's blocks and a POM-TLB did.
func rivals(p *page, t *program.Translation) {
	if t.Lines > 0 {
		p.line("")
		p.line("blocks of translations answer %s of the last TLB's misses, %s", share(t.BlockHits, t.Misses), count(t.BlockHits))
		if t.NestedMisses > 0 {
			p.line("  and %s of the nested TLB's, %s", share(t.NestedBlockHits, t.NestedMisses), count(t.NestedBlockHits))
		}
		p.line("  %s inserted, %s lines retagged, %s pages not worth it, %s walks in the background", count(t.BlocksInserted), count(t.Retagged),
			count(t.Rejected), count(t.Background))
		p.line("  at the end %d of %d lines; they reach %s MB, mean", t.Blocks, t.Lines, number(t.ReachBytes/1e6))
	}
	if t.POMReads > 0 {
		p.line("")
		p.line("the POM-TLB answers %s of the last TLB's misses, %s; %s sets read", share(t.POMHits, t.Misses), count(t.POMHits), count(t.POMReads))
	}
}

// caches writes a row for each kind of lines that a level was looked up for, and
// memory's.
func caches(p *page, r *program.Result) {
	table := [][]string{{"cache, lines of", "hits", "misses", "miss ratio", "MPKI"}}
	for _, c := range r.Caches {
		for _, k := range c.Kinds {
			table = append(table, []string{c.Level + " " + k.Kind, count(k.Hits), count(k.Misses), percent(k.MissRatio), number(k.MPKI)})
		}
	}
	p.line("")
	p.table(table)
	var reads []string
	for _, k := range r.Memory.Read {
		if k.Count > 0 {
			reads = append(reads, count(k.Count)+" of "+k.Kind)
		}
	}
	if reads == nil {
		reads = []string{"none"}
	}
	p.line("memory: lines read %s; written %s", strings.Join(reads, ", "), count(r.Memory.Written))
}
