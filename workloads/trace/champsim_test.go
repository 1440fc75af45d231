package trace

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
)

// record is ChampSim's record; fields lie in it as in the file.
type record struct {
	ip              uint64
	isBranch, taken uint8
	destRegs        [2]uint8
	srcRegs         [4]uint8
	destMem         [2]uint64
	srcMem          [4]uint64
}

func (r record) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(nil, r.ip)
	b = append(b, r.isBranch, r.taken)
	b = append(b, r.destRegs[:]...)
	b = append(b, r.srcRegs[:]...)
	for _, a := range append(r.destMem[:], r.srcMem[:]...) {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

func file(records ...record) string {
	var b []byte
	for _, r := range records {
		b = append(b, r.bytes()...)
	}
	return string(b)
}

// Instructions of x86: registers by Pin's numbers.
const (
	rdi, rsi, rsp, rbx, rax = 3, 4, stackPointer, 7, 10
)

func alu(dest uint8, src ...uint8) record {
	r := record{destRegs: [2]uint8{dest, flags}}
	copy(r.srcRegs[:], src)
	return r
}

func load(addr uint64, dest uint8, src ...uint8) record {
	r := record{destRegs: [2]uint8{dest}, srcMem: [4]uint64{addr}}
	copy(r.srcRegs[:], src)
	return r
}

func store(addr uint64, src ...uint8) record {
	r := record{destMem: [2]uint64{addr}}
	copy(r.srcRegs[:], src)
	return r
}

func TestChampSimAccesses(t *testing.T) {
	for name, test := range map[string]struct {
		records []record
		want    []cpu.Access
	}{
		"a load":               {[]record{load(0x41, rax)}, []cpu.Access{{Addr: 0x41}}},
		"a store":              {[]record{store(0x41)}, []cpu.Access{{Addr: 0x41, Write: true}}},
		"gaps":                 {[]record{alu(rax), alu(rax), load(1, rax), load(2, rax), alu(rax), store(3), alu(rax)}, []cpu.Access{{Addr: 1, Gap: 2}, {Addr: 2}, {Addr: 3, Gap: 1, Write: true}}},
		"loads before stores":  {[]record{alu(rax), {destMem: [2]uint64{1, 2}, srcMem: [4]uint64{3, 4, 5, 6}}}, []cpu.Access{{Addr: 3, Gap: 1}, {Addr: 4}, {Addr: 5}, {Addr: 6}, {Addr: 1, Write: true}, {Addr: 2, Write: true}}},
		"empty slots between":  {[]record{{destMem: [2]uint64{0, 2}, srcMem: [4]uint64{0, 4, 0, 6}}}, []cpu.Access{{Addr: 4}, {Addr: 6}, {Addr: 2, Write: true}}},
		"a program's highest":  {[]record{load(1<<57-1, rax)}, []cpu.Access{{Addr: 1<<57 - 1}}},
		"a kernel's addresses": {[]record{load(0xffff_8880_0000_1000, rax), load(math.MaxUint64, rax), load(0xff<<56, rax)}, []cpu.Access{{Addr: 0x1ff_8880_0000_1000}, {Addr: 1<<57 - 1}, {Addr: 1 << 56}}},
	} {
		got, err := read(file(test.records...), "champsim")
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got, name)
	}
}

func TestChampSimDependences(t *testing.T) {
	call := record{isBranch: 1, taken: 1, destRegs: [2]uint8{instructionPointer, rsp}, srcRegs: [4]uint8{instructionPointer, rsp}, destMem: [2]uint64{8}}
	for name, test := range map[string]struct {
		records []record
		want    []uint32 // After of the accesses
	}{
		"none":                               {[]record{load(1, rax, rdi), load(2, rbx, rdi)}, []uint32{0, 0}},
		"a chain of pointers":                {[]record{load(1, rax, rax), load(2, rax, rax), load(3, rax, rax)}, []uint32{0, 1, 1}},
		"accesses between count":             {[]record{load(1, rax), store(2), load(3, rbx), load(4, rsi, rax)}, []uint32{0, 0, 0, 3}},
		"through arithmetic":                 {[]record{load(1, rax), alu(rbx, rax), alu(rdi, rbx, rsi), load(2, rsi, rdi)}, []uint32{0, 1}},
		"the youngest of several":            {[]record{load(1, rax), load(2, rbx), load(3, rsi), alu(rdi, rbx, rax), load(4, rsi, rdi)}, []uint32{0, 0, 0, 2}},
		"a register written anew":            {[]record{load(1, rax), alu(rax, rsi), load(2, rbx, rax)}, []uint32{0, 0}},
		"a second destination":               {[]record{{destRegs: [2]uint8{rax, rbx}, srcMem: [4]uint64{1}}, load(2, rsi, rbx)}, []uint32{0, 1}},
		"the last load of an instruction":    {[]record{{destRegs: [2]uint8{rax}, srcMem: [4]uint64{1, 2}}, store(3), load(4, rbx, rax)}, []uint32{0, 0, 0, 2}},
		"all accesses of one instruction":    {[]record{load(1, rax), {srcRegs: [4]uint8{0, rax}, srcMem: [4]uint64{2, 3}, destMem: [2]uint64{4}}}, []uint32{0, 1, 2, 3}},
		"a store of what it loads":           {[]record{{destRegs: [2]uint8{flags}, srcRegs: [4]uint8{rdi}, srcMem: [4]uint64{1}, destMem: [2]uint64{1}}}, []uint32{0, 0}},
		"a store's data":                     {[]record{load(1, rax), store(2, rdi, rax)}, []uint32{0, 1}},
		"nothing through memory":             {[]record{load(1, rax), store(2, rax), load(2, rbx, rdi), load(3, rsi, rbx)}, []uint32{0, 1, 0, 1}},
		"flags form no address":              {[]record{load(1, flags), load(2, rax, flags)}, []uint32{0, 0}},
		"flags pass on":                      {[]record{load(1, flags), alu(rax, flags), load(2, rbx, rax)}, []uint32{0, 1}},
		"flags loaded beside":                {[]record{load(1, rbx), load(2, rax, flags, rbx)}, []uint32{0, 1}},
		"no register is none":                {[]record{load(1, noRegister), load(2, rax)}, []uint32{0, 0}},
		"the program counter is predicted":   {[]record{load(1, instructionPointer), load(2, rax, instructionPointer)}, []uint32{0, 0}},
		"a pop":                              {[]record{{destRegs: [2]uint8{rax, rsp}, srcRegs: [4]uint8{rsp}, srcMem: [4]uint64{1}}, load(2, rbx, rsp)}, []uint32{0, 0}},
		"a call after a branch on data":      {[]record{load(1, flags), {isBranch: 1, destRegs: [2]uint8{instructionPointer}, srcRegs: [4]uint8{instructionPointer, flags}}, call, store(2, rsp)}, []uint32{0, 0, 0}},
		"a fixed frame":                      {[]record{load(1, flags), alu(rsp, rsp, flags), load(2, rax, rsp)}, []uint32{0, 0}},
		"a frame of computed size":           {[]record{load(1, rax), alu(rsp, rsp, rax), load(2, rbx, rsp)}, []uint32{0, 1}},
		"a call in a frame of computed size": {[]record{load(1, rax), alu(rsp, rsp, rax), call, load(2, rbx, rsp)}, []uint32{0, 1, 2}},
	} {
		got, err := read(file(test.records...), "champsim")
		require.NoError(t, err, name)
		var after []uint32
		for _, a := range got {
			after = append(after, a.After)
		}
		assert.Equal(t, test.want, after, name)
	}
}

func TestChampSimLoadTooFarBackIsNone(t *testing.T) {
	c := champsim{seen: 1<<32 + 1}
	assert.Zero(t, c.distance(1))
	assert.Equal(t, uint32(math.MaxUint32), c.distance(2))
}

func TestChampSimGapStaysAtItsMost(t *testing.T) {
	c := champsim{gap: math.MaxUint32 - 1}
	b := [recordBytes]byte(alu(rax).bytes())
	for range 3 {
		_, err := c.instruction(&b, nil)
		require.NoError(t, err)
	}
	assert.Equal(t, uint32(math.MaxUint32), c.gap)
}

func TestChampSimErrors(t *testing.T) {
	good := file(load(1, rax))
	checkErrors(t, "champsim", map[string]string{
		"":                                  "t: no accesses",
		file(alu(rax)):                      "t: no accesses",
		good[:13]:                           "t: record 1: ends after 13 of 64 bytes",
		good + good + good[:63]:             "t: record 3: ends after 63 of 64 bytes",
		good + file(record{isBranch: 2}):    "t: record 2: is_branch 2, branch_taken 0: want 0 or 1",
		file(record{taken: 255}):            "t: record 1: is_branch 0, branch_taken 255: want 0 or 1",
		good + file(load(1<<57, rax)):       "t: record 2: address 0x200000000000000: want one below 2^57, or with bits 56 to 63 set",
		file(store(0xfe << 56)):             "t: record 1: address 0xfe00000000000000",
		strings.Repeat("\xff", recordBytes): "t: record 1: is_branch 255, branch_taken 255",
	})
}
