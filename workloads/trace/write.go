package trace

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"hwsim/devices/cpu"
)

// Write writes the next n accesses of a stream, or those left if fewer, in the
// csv format. A dependence that reaches back before the first of them is left
// out, and so are mispredicted branches, which a trace does not hold. An address or a space that a trace cannot hold is an error.
func Write(w io.Writer, s cpu.Stream, n int) error {
	out := bufio.NewWriterSize(w, readBytes)
	out.WriteString("gap,addr,op,space,after\n") // an error stays until Flush
	batch := make([]cpu.Access, bufferLen)
	row := make([]byte, 0, 64)
	for written := 0; written < n; {
		got := s.Fill(batch[:min(n-written, bufferLen)])
		if got == 0 {
			break
		}
		for _, a := range batch[:got] {
			if a.Addr >= addrEnd || a.Space >= spaces {
				return fmt.Errorf("write trace: access %d has address %#x in space %d; want one below 2^57, below %d", written, a.Addr, a.Space, spaces)
			}
			if uint64(a.After) > uint64(written) {
				a.After = 0
			}
			row = appendRow(row[:0], a)
			if _, err := out.Write(row); err != nil {
				return fmt.Errorf("write trace: %w", err)
			}
			written++
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	return nil
}

func appendRow(row []byte, a cpu.Access) []byte {
	op := ",R,"
	if a.Write {
		op = ",W,"
	}
	row = strconv.AppendUint(row, uint64(a.Gap), 10)
	row = append(row, ",0x"...)
	row = strconv.AppendUint(row, a.Addr, 16)
	row = append(row, op...)
	row = strconv.AppendUint(row, uint64(a.Space), 10)
	row = append(row, ',')
	row = strconv.AppendUint(row, uint64(a.After), 10)
	return append(row, '\n')
}
