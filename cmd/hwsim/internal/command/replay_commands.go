package command

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"hwsim/devices/dram"
)

// commandLog writes a channel's commands to a file, if there is one.
type commandLog struct {
	path string
	file *os.File
	w    *bufio.Writer
}

// createCommandLog makes the file, which must not exist, and hooks it up.
func createCommandLog(path string, c *dram.Channel) (*commandLog, error) {
	if path == "" {
		return &commandLog{}, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return nil, userErrorf("%s exists; -commands does not overwrite it", path)
	}
	if err != nil {
		return nil, userError{err}
	}
	l := &commandLog{path, f, bufio.NewWriter(f)}
	fmt.Fprintln(l.w, "tick,cmd,pc,rank_or_sid,bg,bank,row,col_burst")
	ranked := c.Spec().ActPerRank || c.Spec().Ranks == 1
	c.Trace = func(cmd dram.Command) { l.write(cmd, ranked) }
	return l, nil
}

// write appends one command. Errors are kept until close.
func (l *commandLog) write(c dram.Command, ranked bool) {
	name, rank, group, bank, row, column := c.Op.String(), c.Rank, c.Group, c.Bank, -1, -1
	switch c.Op {
	case dram.ACT, dram.RD, dram.WR:
		row, column = c.Row, c.Column
		if c.AutoPrecharge {
			name += "A"
		}
	case dram.PRE:
		name = "PREpb"
	case dram.PREab, dram.REFab:
		group, bank = -1, -1
		if !ranked { // all stack ids of the pseudo-channel
			rank = -1
		}
	case dram.PREsb, dram.REFsb:
		group = -1
	}
	fmt.Fprintf(l.w, "%d,%s,%d,%d,%d,%d,%d,%d\n", c.At, name, c.PseudoChannel, rank, group, bank, row, column)
}

// close ends the file; a file that is not whole is removed.
func (l *commandLog) close() error {
	if l.file == nil {
		return nil
	}
	if err := errors.Join(l.w.Flush(), l.file.Close()); err != nil {
		os.Remove(l.path)
		return userError{err}
	}
	return nil
}
