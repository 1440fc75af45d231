package trace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
)

func TestCSV(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []cpu.Access
	}{
		"three columns": {"gap,addr,op\n0,0x40,R\n3,64,W\n", []cpu.Access{{Addr: 64}, {Addr: 64, Gap: 3, Write: true}}},
		"all columns":   {"gap,addr,op,space,after\n0,1,R,2047,0\n0,2,R,0,1\n0,3,R,1,2", []cpu.Access{{Addr: 1, Space: 2047}, {Addr: 2, After: 1}, {Addr: 3, Space: 1, After: 2}}},
		"other order":   {"gap,addr,op,after,space\n0,1,R,0,5\n", []cpu.Access{{Addr: 1, Space: 5}}},
		"after alone":   {"gap,addr,op,after\n0,1,R,0\n0,1,R,1\n", []cpu.Access{{Addr: 1}, {Addr: 1, After: 1}}},
		"comments":      {"# a\n\ngap, addr , op\r\n\t# b\n 0x10 , 0X1fF ,R \r\n\n", []cpu.Access{{Addr: 0x1ff, Gap: 16}}},
		"largest":       {"gap,addr,op\n4294967295,0x1ffffffffffffff,W\n", []cpu.Access{{Addr: 1<<57 - 1, Gap: 1<<32 - 1, Write: true}}},
		"zeros":         {"gap,addr,op\n000,0x" + strings.Repeat("0", 100) + "aB,R\n", []cpu.Access{{Addr: 0xab}}},
	} {
		got, err := read(test.text, "")
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got, name)
	}
}

func TestCSVErrors(t *testing.T) {
	checkErrors(t, "csv", map[string]string{
		"":                                      "t: no header; want gap,addr,op and after these space and after",
		"# x\n":                                 "t: no header",
		"gap,addr,op\n#x\n":                     "t: no accesses",
		"\ngap,addr":                            `t:2: header "gap,addr": want gap,addr,op`,
		"addr,gap,op":                           "t:1: header",
		"gap,addr,op,gap":                       "t:1: header",
		"gap,addr,op,space,after,space":         "t:1: header",
		"gap,addr,op,size":                      `t:1: header "gap,addr,op,size"`,
		"gap,addr,op,":                          "t:1: header",
		"gap,addr,op\n1 2,2,R":                  `t:2: gap "1 2"`,
		"gap,addr,op\n1,2,RW":                   `t:2: op "RW"`,
		"gap,addr,op\n1,2":                      "t:2: 2 cells; want 3",
		"gap,addr,op\n1,2,R,4":                  "t:2: 4 cells; want 3",
		"gap,addr,op,space\n1,2,R":              "t:2: 3 cells; want 4",
		"gap,addr,op\n-1,2,R":                   `t:2: gap "-1": want 0 to 4294967295, or in hex after 0x`,
		"gap,addr,op\n4294967296,2,R":           `t:2: gap "4294967296"`,
		"gap,addr,op\n,2,R":                     `t:2: gap ""`,
		"gap,addr,op\n1,0x,R":                   `t:2: addr "0x"`,
		"gap,addr,op\n1,2,R\n1,4g,R":            `t:3: addr "4g": want 0 to 144115188075855871`,
		"gap,addr,op\n1,0x200000000000000,R":    `t:2: addr "0x200000000000000"`,
		"gap,addr,op\n1,0x10000000000000000,R":  `t:2: addr "0x10000000000000000"`,
		"gap,addr,op\n1,18446744073709551617,R": `t:2: addr "18446744073709551617"`,
		"gap,addr,op\n1,2,r":                    `t:2: op "r": want R or W`,
		"gap,addr,op\n1,2,":                     `t:2: op ""`,
		"gap,addr,op,space\n1,2,R,2048":         `t:2: space "2048": want 0 to 2047`,
		"gap,addr,op,after\n1,2,R,1":            `t:2: after "1": want 0 to 0`,
		"gap,addr,op,after\n1,2,R,0\n1,2,R,2":   `t:3: after "2": want 0 to 1`,
		"gap,addr,op\n1," + strings.Repeat("9", 100) + ",R": `t:2: addr "` + strings.Repeat("9", 40) + `...": want`,
		"gap,addr,op\n" + strings.Repeat("0", readBytes):    "t:2: line of more than 65536 bytes",
	})
}
