package trace

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
)

func TestLackey(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []cpu.Access
	}{
		"a load":                    {"I  04016b80,3\n L 1ffeffe7e0,8\n", []cpu.Access{{Addr: 0x1ffeffe7e0}}},
		"a store":                   {"I  04016b80,3\n S 1ffeffe7e0,8", []cpu.Access{{Addr: 0x1ffeffe7e0, Write: true}}},
		"a modify":                  {"I  1,3\nI  4,3\n M 40,4\n", []cpu.Access{{Addr: 0x40, Gap: 1}, {Addr: 0x40, Write: true}}},
		"gaps":                      {"I  1,1\nI  2,1\nI  3,1\n L 40,1\nI  4,1\n S 41,1\nI  5,1\nI  6,1\n L 42,1\nI  7,1\n", []cpu.Access{{Addr: 0x40, Gap: 2}, {Addr: 0x41, Write: true}, {Addr: 0x42, Gap: 1}}},
		"an instruction's second":   {"I  1,1\nI  2,1\n L 40,8\n S 80,8\nI  3,1\n L 40,8\n", []cpu.Access{{Addr: 0x40, Gap: 1}, {Addr: 0x80, Write: true}, {Addr: 0x40}}},
		"an access without any":     {" L 40,8\nI  1,1\n L 41,8\n", []cpu.Access{{Addr: 0x40}, {Addr: 0x41}}},
		"messages":                  {"==1== Lackey\r\n--1-- x\n**1** y\nI  1,3\n==1==\nI  2,3\n==1== \n L 40,8\n\n# z\n", []cpu.Access{{Addr: 0x40, Gap: 1}}},
		"up to the end of a line":   {" L 38,8\n", []cpu.Access{{Addr: 0x38}}},
		"beyond the end of a line":  {"I  1,1\nI  2,1\n S 3a,8\n", []cpu.Access{{Addr: 0x3a, Gap: 1, Write: true}, {Addr: 0x40, Write: true}}},
		"over three lines":          {" L 3f,66\n", []cpu.Access{{Addr: 0x3f}, {Addr: 0x40}, {Addr: 0x80}}},
		"a modify beyond its line":  {" M 7c,8\n", []cpu.Access{{Addr: 0x7c}, {Addr: 0x80}, {Addr: 0x7c, Write: true}, {Addr: 0x80, Write: true}}},
		"the highest byte":          {" L 1ffffffffffffff,1\n", []cpu.Access{{Addr: 1<<57 - 1}}},
		"code beyond data's limits": {"I  ffffffffff600000,3\n L 0,1\n", []cpu.Access{{}}},
	} {
		got, err := read(test.text, "")
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got, name)
	}
}

func TestLackeyLargestAccessFitsABatch(t *testing.T) {
	text := strings.Repeat(" M 3f,4096\n", 20)
	for _, batch := range []int{1, 64, mostOfModify, 10_000} {
		trace, err := New("t", strings.NewReader(text), "")
		require.NoError(t, err)
		require.Len(t, drain(trace, batch), 20*mostOfModify)
	}
}

func TestLackeyGapStaysAtItsMost(t *testing.T) {
	l := lackey{gap: math.MaxUint32 - 1}
	for range 4 {
		l.instruction()
	}
	assert.Equal(t, uint32(math.MaxUint32), l.gap)
}

func TestLackeyErrors(t *testing.T) {
	checkErrors(t, "lackey", map[string]string{
		"":                       "t: no accesses",
		"==1==\nI  1,3\n":        "t: no accesses",
		"I  1,3\nhello":          `t:2: "hello": want a line like "I  04016b80,3" or " L 1ffeffe7e0,8", or S or M (valgrind --log-file keeps`,
		"hello, world":           `t:1: "hello, world"`,
		" L 40":                  `t:1: "L 40": want a line like`,
		" L 40,":                 `t:1: "L 40,"`,
		" L ,8":                  `t:1: "L ,8"`,
		" L":                     `t:1: "L"`,
		" X 40,8":                `t:1: "X 40,8"`,
		" L 4g,8":                `t:1: "L 4g,8"`,
		" L 40,8,8":              `t:1: "L 40,8,8"`,
		" L 40,0x8":              `t:1: "L 40,0x8"`,
		"I,8":                    `t:1: "I,8"`,
		"I  12345678123456781,8": `t:1: "I  12345678123456781,8"`,
		" L 40,0":                `t:1: "L 40,0": want 1 to 4096 bytes below 2^57`,
		" S 40,4097":             `t:1: "S 40,4097": want 1 to 4096`,
		" S 200000000000000,1":   `t:1: "S 200000000000000,1": want`,
		" M 1ffffffffffffff,2":   `t:1: "M 1ffffffffffffff,2": want`,
		strings.Repeat("I  1,1\n", 3000) + " L 0,0": "t:3001: ",
	})
}
