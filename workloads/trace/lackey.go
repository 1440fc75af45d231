package trace

import (
	"math"

	"hwsim/devices/cpu"
)

const (
	mostBytes    = 4096 // of an access; chosen: above any instruction's
	mostOfModify = 2 * (mostBytes/lineBytes + 1)
)

// lackey reads what Valgrind's lackey writes.
type lackey struct {
	lines
	gap  uint32
	bare bool // the last instruction has had no access yet
}

// isLackey says whether a line without the blanks around it may be of lackey.
func isLackey(line []byte) bool {
	if isMessage(line) {
		return true
	}
	return len(line) > 2 && line[1] == ' ' && (line[0] == 'I' || line[0] == 'L' || line[0] == 'S' || line[0] == 'M')
}

// isMessage says whether a line is one of Valgrind's own.
func isMessage(line []byte) bool {
	return len(line) > 1 && line[0] == line[1] && (line[0] == '=' || line[0] == '-' || line[0] == '*')
}

func (l *lackey) decode(out []cpu.Access) (int, error) {
	n := 0
	for n+mostOfModify <= len(out) {
		line, err := l.next()
		if err != nil {
			return n, err
		}
		if isMessage(line) {
			continue
		}
		addr, size, ok := operand(line)
		if !ok {
			return n, l.errorf(`%s: want a line like "I  04016b80,3" or " L 1ffeffe7e0,8", or S or M (valgrind --log-file keeps the program's own output apart)`, quote(line))
		}
		if line[0] == 'I' {
			l.instruction()
			continue
		}
		if addr >= addrEnd || size < 1 || size > mostBytes || addr+size > addrEnd {
			return n, l.errorf("%s: want 1 to %d bytes below 2^57", quote(line), mostBytes)
		}
		n += l.access(line[0], addr, size, out[n:])
	}
	return n, nil
}

// operand reads the address and the size of a line.
func operand(line []byte) (addr, size uint64, ok bool) {
	if !isLackey(line) {
		return 0, 0, false
	}
	digits := line[2:]
	if digits[0] == ' ' {
		digits = digits[1:]
	}
	addr, n := hex(digits)
	if n == 0 || n == len(digits) || digits[n] != ',' {
		return 0, 0, false
	}
	digits = digits[n+1:]
	size, n = decimal(digits)
	return addr, size, n > 0 && n == len(digits)
}

func (l *lackey) instruction() {
	if l.bare && l.gap < math.MaxUint32 {
		l.gap++
	}
	l.bare = true
}

// access writes the accesses of an operation into out and returns how many.
func (l *lackey) access(op byte, addr, size uint64, out []cpu.Access) int {
	n := 0
	if op != 'S' {
		n = split(addr, size, false, out)
	}
	if op != 'L' {
		n += split(addr, size, true, out[n:])
	}
	out[0].Gap = l.gap
	l.gap, l.bare = 0, false
	return n
}

// split cuts an access where lines end.
func split(addr, size uint64, write bool, out []cpu.Access) int {
	n := 0
	for end := addr + size; addr < end; addr = addr&^(lineBytes-1) + lineBytes {
		out[n] = cpu.Access{Addr: addr, Write: write}
		n++
	}
	return n
}
