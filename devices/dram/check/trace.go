package check

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// columns are the header of a trace. -1 stands for all of a field.
var columns = []string{"tick", "cmd", "pc", "rank_or_sid", "bg", "bank", "row", "col_burst"}

// traceOps are the commands by the names traces use.
var traceOps = map[string]Op{
	"ACT": ACT, "PRE": PRE, "PREpb": PRE, "PREab": PREab, "PREsb": PREsb, "RD": RD, "WR": WR, "RDA": RD, "WRA": WR,
	"REF": REFab, "REFab": REFab, "REFpb": REFpb, "REFsb": REFsb,
}

// lastTick keeps sums of ticks within an int64.
const lastTick = int64(1) << 60

// Trace checks a trace in CSV with the columns tick, cmd, pc, rank_or_sid, bg,
// bank, row, col_burst. It returns what its commands broke and their number. An
// error names the line; what was found before it is returned too.
func Trace(r Rules, from io.Reader) (found []Violation, commands int, err error) {
	if err := r.validate(); err != nil {
		return nil, 0, err
	}
	rows := csv.NewReader(from)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = len(columns)
	header, err := rows.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("check: trace header: %w", err)
	}
	if !slices.Equal(header, columns) {
		return nil, 0, fmt.Errorf("check: trace line 1: columns %q, not %q", header, columns)
	}
	k := New(r)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return found, commands, nil
		}
		if err != nil {
			return found, commands, fmt.Errorf("check: trace: %w", err)
		}
		cmd, err := parse(&r, row)
		if err != nil {
			line, _ := rows.FieldPos(0)
			return found, commands, fmt.Errorf("check: trace line %d: %w", line, err)
		}
		found = append(found, k.Command(cmd)...)
		commands++
	}
}

// parse turns one row into a command.
func parse(r *Rules, row []string) (Command, error) {
	op, ok := traceOps[row[1]]
	if !ok {
		return Command{}, fmt.Errorf("no command %q", row[1])
	}
	var v [8]int64
	for i, field := range row {
		if i == 1 {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || n < -1 {
			return Command{}, fmt.Errorf("%s %q is no number from -1 on", columns[i], field)
		}
		v[i] = n
	}
	if v[0] < 0 || v[0] > lastTick {
		return Command{}, fmt.Errorf("tick %d is outside 0 to %d", v[0], lastTick)
	}
	for i, size := range []int{r.PseudoChannels, r.Ranks, r.BankGroups, r.BanksPerGroup} {
		if n := v[2+i]; n >= int64(size) {
			return Command{}, fmt.Errorf("%s %d, there are %d", columns[2+i], n, size)
		}
	}
	if v[2] < 0 || oneBank(op) && min(v[3], v[4], v[5]) < 0 || (op == ACT || op == RD || op == WR) && v[6] < 0 {
		return Command{}, fmt.Errorf("%v needs one place, not all", op)
	}
	return Command{At: v[0], Op: op, PseudoChannel: int(v[2]), Rank: int(max(v[3], 0)), Group: int(max(v[4], 0)),
		Bank: int(max(v[5], 0)), Row: int(v[6]), Column: int(v[7]), Banks: banks(r, v[3], v[4], v[5]), AutoPrecharge: row[1] == "RDA" || row[1] == "WRA"}, nil
}

func oneBank(op Op) bool { return op == ACT || op == PRE || op == RD || op == WR || op == REFpb }

// banks returns the mask of the banks at a place, -1 for all of a field.
func banks(r *Rules, rank, group, bank int64) (mask uint64) {
	for b := range r.Banks() {
		if (rank < 0 || rank == int64(r.rankOf(b))) &&
			(group < 0 || group == int64(r.groupOf(b)%r.BankGroups)) &&
			(bank < 0 || bank == int64(b%r.BanksPerGroup)) {
			mask |= 1 << uint(b)
		}
	}
	return mask
}
