package trace

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"hwsim/devices/cpu"
)

// Where the fields of a ChampSim record begin, in bytes.
const (
	isBranchAt  = 8
	takenAt     = 9
	destRegsAt  = 10
	srcRegsAt   = 12
	destMemAt   = 16
	srcMemAt    = 32
	recordBytes = 64

	mostOfRecord = (recordBytes - destMemAt) / 8 // accesses
)

// Registers that ChampSim names.
const (
	noRegister         = 0
	stackPointer       = 6
	flags              = 25
	instructionPointer = 26
)

// champsim reads ChampSim's records.
type champsim struct {
	from    *bufio.Reader
	name    string
	record  uint64 // number of the last, from 1
	gap     uint32
	seen    uint64      // accesses so far
	sources [256]uint64 // of a register: number of the youngest load behind it, from 1; 0: none
}

// isRecord says whether a file may begin with a record: its flags are no
// characters of a text.
func isRecord(head []byte) bool {
	return len(head) > takenAt && head[isBranchAt] <= 1 && head[takenAt] <= 1
}

func (c *champsim) decode(out []cpu.Access) (int, error) {
	n := 0
	for n+mostOfRecord <= len(out) {
		block, err := c.peek((len(out) - n) / mostOfRecord)
		if err != nil {
			return n, c.end(len(block), err)
		}
		for at := 0; at < len(block); at += recordBytes {
			accesses, err := c.instruction((*[recordBytes]byte)(block[at:]), out[n:])
			if err != nil {
				return n, err
			}
			n += accesses
		}
		c.from.Discard(len(block))
	}
	return n, nil
}

// peek returns as many of the next records as are at hand, at least one and at
// most so many; with an error, what there is of one.
func (c *champsim) peek(most int) ([]byte, error) {
	if b, err := c.from.Peek(recordBytes); err != nil {
		return b, err
	}
	return c.from.Peek(min(most, c.from.Buffered()/recordBytes) * recordBytes)
}

// end returns the error of a file that ends so many bytes into a record.
func (c *champsim) end(bytes int, err error) error {
	if err == io.EOF && bytes == 0 {
		return io.EOF
	}
	c.record++
	if err == io.EOF {
		return c.errorf("ends after %d of %d bytes", bytes, recordBytes)
	}
	return c.errorf("%w", err)
}

func (c *champsim) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: record %d: %w", c.name, c.record, fmt.Errorf(format, args...))
}

// instruction decodes a record into its accesses and returns how many.
func (c *champsim) instruction(b *[recordBytes]byte, out []cpu.Access) (int, error) {
	c.record++
	if !isRecord(b[:]) {
		return 0, c.errorf("is_branch %d, branch_taken %d: want 0 or 1", b[isBranchAt], b[takenAt])
	}
	address, data := c.behind(b)
	if !touchesMemory(b) {
		if c.gap < math.MaxUint32 {
			c.gap++
		}
		c.produce(b, data, false)
		return 0, nil
	}
	loads, err := c.accesses(b[srcMemAt:], address, false, out)
	if err != nil {
		return 0, err
	}
	if loads > 0 {
		data = c.seen
	}
	stores, err := c.accesses(b[destMemAt:srcMemAt], address, true, out[loads:])
	if err != nil {
		return 0, err
	}
	c.produce(b, data, true)
	return loads + stores, nil
}

func touchesMemory(b *[recordBytes]byte) bool {
	any := uint64(0)
	for at := destMemAt; at < recordBytes; at += 8 {
		any |= binary.LittleEndian.Uint64(b[at:])
	}
	return any != 0
}

// behind returns the youngest load behind the registers that may form an
// instruction's addresses, and behind all that it computes with.
func (c *champsim) behind(b *[recordBytes]byte) (address, data uint64) {
	for _, r := range (*[destMemAt - srcRegsAt]uint8)(b[srcRegsAt:]) {
		if r != flags {
			address = max(address, c.sources[r])
		}
		data = max(data, c.sources[r])
	}
	return address, data
}

// accesses decodes the addresses in memory, whose dependence is after.
func (c *champsim) accesses(memory []byte, after uint64, write bool, out []cpu.Access) (n int, err error) {
	for ; len(memory) > 0; memory = memory[8:] {
		recorded := binary.LittleEndian.Uint64(memory)
		if recorded == 0 {
			continue
		}
		addr, ok := canonical(recorded)
		if !ok {
			return 0, c.errorf("address %#x: want one below 2^57, or with bits 56 to 63 set", recorded)
		}
		c.seen++
		out[n] = cpu.Access{Addr: addr, Gap: c.gap, After: c.distance(after), Write: write}
		c.gap = 0
		n++
	}
	return n, nil
}

// canonical returns the low bits of a user's or a kernel's address.
func canonical(addr uint64) (uint64, bool) {
	const kernel = 0xff << 56
	return addr & (addrEnd - 1), addr < addrEnd || addr >= kernel
}

// distance returns how many accesses the last is behind a load.
func (c *champsim) distance(load uint64) uint32 {
	if load == 0 || c.seen-load > math.MaxUint32 {
		return 0
	}
	return uint32(c.seen - load)
}

// produce notes the youngest load behind what an instruction writes.
func (c *champsim) produce(b *[recordBytes]byte, load uint64, hasAccess bool) {
	for _, r := range b[destRegsAt:srcRegsAt] {
		folded := r == stackPointer && (hasAccess || b[isBranchAt] == 1 || !readsOther(b))
		if r != noRegister && r != instructionPointer && !folded {
			c.sources[r] = load
		}
	}
}

// readsOther says whether an instruction reads a register from which decoding
// could not tell the stack pointer.
func readsOther(b *[recordBytes]byte) bool {
	for _, r := range b[srcRegsAt:destMemAt] {
		if r != noRegister && r != stackPointer && r != flags && r != instructionPointer {
			return true
		}
	}
	return false
}
