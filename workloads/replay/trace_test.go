package replay

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTraces(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		timed bool
		want  []Request
	}{
		"own":            {"ns,addr,bytes,op\n0,0x40,64,R\n12.5, 128 ,32,W\n", true, []Request{{0, 64, 64, false}, {40, 128, 32, true}}},
		"own, comments":  {"# from nsys\n\nns,addr,bytes,op\r\n# half way\n1,0X10,1,R\r\n", true, []Request{{4, 16, 1, false}}},
		"ramulator":      {"R 0x40\nW 0x80\n", false, []Request{{0, 64, 0, false}, {0, 128, 0, true}}},
		"load and store": {"LD 0x40\nST 99\n", false, []Request{{0, 64, 0, false}, {0, 99, 0, true}}},
		"ramulator 1":    {"0x12340 R\n64 W", false, []Request{{0, 0x12340, 0, false}, {0, 64, 0, true}}},
		"dramsim3":       {"0xABC0 READ 10\nff WRITE 12\n", true, []Request{{20, 0xABC0, 0, false}, {24, 255, 0, true}}},
	} {
		got, err := Read("t", strings.NewReader(test.text), spec(t, "hbm3_6400"))
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got.Requests, name)
		assert.Equal(t, test.timed, got.Timed, name)
	}
}

func TestTraceErrorsSayWhereAndWhatIsAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    `t:1: no requests; want the header ns,addr,bytes,op, or a line like "R 0x40", "LD 0x40", "0x40 R" or "0x40 READ 120"`,
		"# nothing\n":                         `t:1: no requests; want `,
		"ns,addr,bytes,op\n":                  `t:1: no requests; want `,
		"hello":                               `t:1: "hello" is no trace; want the header ns,addr,bytes,op`,
		"\n1,2,3,R":                           `t:2: "1,2,3,R" is no trace`,
		"R 0,1,2,3":                           `t:1: "R 0,1,2,3": address vectors are not supported; want byte addresses, as in "R 0x40"`,
		"R 0x40\nX 0x40":                      `t:2: operation "X": want R or W or LD or ST`,
		"R 0x40\nR 0x4g":                      `t:2: address "0x4g": want a number below 2^62, in hex after 0x`,
		"R 0x40\nR":                           `t:2: "R": want an operation and an address, as in "R 0x40"`,
		"0x40 R\n0x40 READ":                   `t:2: operation "READ": want R or W`,
		"0x40 R\n0x40":                        `t:2: "0x40": want an address and an operation`,
		"0x40 READ 1\n0x40 READ":              `t:2: "0x40 READ": want address, operation and cycle`,
		"0x40 READ 1\n0x40 R 2":               `t:2: operation "R": want READ or WRITE`,
		"0x40 READ -1":                        `t:1: cycle "-1": want 0 to`,
		"zz READ 1":                           `t:1: address "0xzz": want a number`,
		"ns,addr,bytes,op\n1,2,3":             `t:2: 3 cells; want ns,addr,bytes,op`,
		"ns,addr,bytes,op\n-1,2,3,R":          `t:2: ns "-1": want a time from 0 to 1e12`,
		"ns,addr,bytes,op\nNaN,2,3,R":         `t:2: ns "NaN": want a time`,
		"ns,addr,bytes,op\n1,-2,3,R":          `t:2: address "-2"`,
		"ns,addr,bytes,op\n1,2,0,R":           `t:2: bytes "0": want 1 to 1048576`,
		"ns,addr,bytes,op\n1,2,3,r":           `t:2: operation "r": want R or W`,
		"R 0x" + strings.Repeat("0", maxLine): `t:1: line of more than 65536 bytes; want the header`,
		"R " + strings.Repeat("9", 100):       `t:1: address "` + strings.Repeat("9", 40) + `...": want a number`,
	} {
		_, err := Read("t", strings.NewReader(text), spec(t, "hbm3_6400"))
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func FuzzTrace(f *testing.F) {
	for _, seed := range []string{"ns,addr,bytes,op\n0,0x40,64,R\n12.5,128,32,W\n", "R 0x40\nW 0x80\n", "LD 1\nST 2", "0x12 R\n", "0xff READ 10\n", "R 1,2\n", "# x\n"} {
		f.Add(seed)
	}
	s := spec(f, "hbm3_6400")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := Read("t", strings.NewReader(text), s)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NotEmpty(t, trace.Requests)
		for _, r := range trace.Requests {
			require.True(t, r.Due >= 0 && r.Addr < maxAddr && r.Bytes <= maxBytes)
		}
		trace.Requests = trace.Requests[:min(len(trace.Requests), 8)]
		n := len(trace.Requests)
		require.EqualValues(t, n, Run(channel(t, "hbm3_6400"), trace, Pace{Load: Saturated}).Requests)
	})
}
