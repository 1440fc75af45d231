package trace

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"hwsim/devices/cpu"
	"hwsim/sim"
)

// drain reads a stream to its end in batches of so many accesses.
func drain(s cpu.Stream, batch int) []cpu.Access {
	var all []cpu.Access
	buffer := make([]cpu.Access, batch)
	for {
		n := s.Fill(buffer)
		if n == 0 {
			return all
		}
		all = append(all, buffer[:n]...)
	}
}

// read reads a whole trace, named t, and its error, be it at opening or later.
func read(content, format string) ([]cpu.Access, error) {
	trace, err := New("t", strings.NewReader(content), format)
	if err != nil {
		return nil, err
	}
	all := drain(trace, 100)
	return all, trace.Err()
}

// checkErrors checks the error of each content, in a line.
func checkErrors(t *testing.T, format string, tests map[string]string) {
	t.Helper()
	for content, want := range tests {
		_, err := read(content, format)
		require.Error(t, err, "%.60q", content)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

const (
	someCSV    = "gap,addr,op\n3,0x40,R\n"
	someLackey = "==1== Lackey\nI  04,3\nI  07,3\n L 40,8\n"
)

func TestFormatIsToldByContent(t *testing.T) {
	for content, want := range map[string]cpu.Access{
		someCSV:              {Addr: 0x40, Gap: 3},
		"\n# x\n" + someCSV:  {Addr: 0x40, Gap: 3},
		someLackey:           {Addr: 0x40, Gap: 1},
		"I  04,3\n L 40,8\n": {Addr: 0x40},
		" S 40,8":            {Addr: 0x40, Write: true},
		file(record{}, record{srcMem: [4]uint64{0x40}}): {Addr: 0x40, Gap: 1},
	} {
		for packing, packed := range packings(t, content) {
			got, err := read(packed, "")
			require.NoError(t, err, "%s %.60q", packing, content)
			require.Equal(t, []cpu.Access{want}, got)
		}
	}
}

// packings returns the content plain and compressed.
func packings(t testing.TB, content string) map[string]string {
	var gz, x bytes.Buffer
	xw, err := xz.NewWriter(&x)
	require.NoError(t, err)
	for _, w := range []io.WriteCloser{gzip.NewWriter(&gz), xw} {
		_, err := io.WriteString(w, content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	return map[string]string{"plain": content, "gzip": gz.String(), "xz": x.String()}
}

func TestUnknownContentAndFormats(t *testing.T) {
	checkErrors(t, "", map[string]string{
		"":             "t: nothing but comments in the first 0 bytes; want the csv header gap,addr,op, ChampSim records",
		"# x\n\n":      "t: nothing but comments in the first 5 bytes",
		"hello":        `t: "hello" begins no trace; want the csv header`,
		"0x40 R\n":     `t: "0x40 R" begins no trace`,
		"In the end":   `t: "In the end" begins no trace`,
		"\x28\xb5\x2f": `begins no trace`,
		"\x1f\x8b\x08": "t: unexpected EOF",
		"\xfd7zXZ\x00": "t: ",
	})
	checkErrors(t, "pin", map[string]string{someCSV: `t: format "pin": want csv, champsim, lackey`})
	checkErrors(t, "lackey", map[string]string{someCSV: `t:1: "gap,addr,op": want a line like`})
	checkErrors(t, "csv", map[string]string{someLackey: `t:1: header "==1== Lackey": want gap,addr,op`})
	checkErrors(t, "champsim", map[string]string{strings.Repeat(someCSV, 10): "t: record 1: is_branch 44, branch_taken 111: want 0 or 1"})
}

func TestErrorsOfTheReaderSayWhere(t *testing.T) {
	broken := errors.New("cable")
	for _, test := range []struct{ format, content, want string }{
		{"", "", "t: cable"},
		{"csv", "", "t:1: cable"},
		{"csv", someCSV, "t:3: cable"},
		{"lackey", someLackey, "t:5: cable"},
		{"champsim", file(record{}), "t: record 2: cable"},
		{"champsim", file(record{}) + "abc", "t: record 2: cable"},
	} {
		trace, err := New("t", io.MultiReader(strings.NewReader(test.content), iotest.ErrReader(broken)), test.format)
		if err == nil {
			drain(trace, 7)
			err = trace.Err()
		}
		require.ErrorIs(t, err, broken)
		assert.Equal(t, test.want, err.Error())
	}
}

func TestCompressedFileThatEndsEarly(t *testing.T) {
	content := "gap,addr,op\n" + strings.Repeat("1,0x40,R\n", 50_000)
	for packing, packed := range packings(t, content) {
		got, err := read(packed[:len(packed)-20], "csv")
		require.Error(t, err, packing)
		assert.Regexp(t, `^t:\d+: `, err.Error())
		assert.NotEmpty(t, got, packing)
	}
}

func TestAccessesBeforeAnErrorAreYielded(t *testing.T) {
	trace, err := New("t", strings.NewReader(someCSV+"4,5,R\nx"), "")
	require.NoError(t, err)
	assert.Equal(t, []cpu.Access{{Addr: 0x40, Gap: 3}, {Addr: 5, Gap: 4}}, drain(trace, 1))
	require.ErrorContains(t, trace.Err(), `t:4: gap "x": want 0 to`)
	assert.Zero(t, trace.Fill(make([]cpu.Access, 1)), "the end stays")
	assert.Error(t, trace.Err())
}

func TestOpenReadsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.champsimtrace.xz") // misnamed
	require.NoError(t, os.WriteFile(path, []byte(someCSV), 0o666))
	trace, err := Open(path, "")
	require.NoError(t, err)
	assert.Len(t, drain(trace, 3), 1)
	require.NoError(t, trace.Err())
	require.NoError(t, trace.Close())
	require.Error(t, trace.Close(), "closed")

	_, err = Open(path, "lackeys")
	require.ErrorContains(t, err, path+`: format "lackeys": want csv, champsim, lackey`)
	_, err = Open(path+"x", "")
	require.ErrorIs(t, err, os.ErrNotExist)

	trace, err = New("t", strings.NewReader(someCSV), "")
	require.NoError(t, err)
	require.NoError(t, trace.Close(), "nothing to close")
}

// random returns accesses that a csv trace can hold.
func random(r *sim.Rand, n int) []cpu.Access {
	all := make([]cpu.Access, n)
	for i := range all {
		all[i] = cpu.Access{
			Addr:  r.Uint64() % addrEnd >> (r.Uint64() % 57),
			Gap:   uint32(r.Uint64()) >> (r.Uint64() % 32),
			After: uint32(r.Uint64() % uint64(i+1)),
			Space: uint16(r.Uint64() % spaces),
			Write: r.Uint64()%2 == 0,
		}
	}
	return all
}

// slice is a stream of what it holds.
type slice []cpu.Access

func (s *slice) Fill(batch []cpu.Access) int {
	n := copy(batch, *s)
	*s = (*s)[n:]
	return n
}

func TestWhatIsWrittenReadsBackEqual(t *testing.T) {
	r := sim.NewRand(1)
	for _, n := range []int{1, 2, bufferLen - 1, bufferLen, bufferLen + 1, 10_000} {
		all := random(&r, n)
		left := slice(all)
		var text bytes.Buffer
		require.NoError(t, Write(&text, &left, math.MaxInt))
		for _, batch := range []int{1, 7, bufferLen, 2 * n} {
			trace, err := New("t", bytes.NewReader(text.Bytes()), "")
			require.NoError(t, err)
			require.Equal(t, all, drain(trace, batch))
			require.NoError(t, trace.Err())
		}
	}
}

func TestWriteTakesNoMoreThanAskedFor(t *testing.T) {
	r := sim.NewRand(2)
	all := random(&r, 3000)
	left := slice(all)
	var text bytes.Buffer
	require.NoError(t, Write(&text, &left, 2000))
	assert.Len(t, left, 1000)
	got, err := read(text.String(), "")
	require.NoError(t, err)
	assert.Equal(t, all[:2000], got)
}

func TestWriteLeavesOutDependencesOnWhatItDoesNotWrite(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, Write(&text, &slice{{After: 1}, {After: 2}, {After: 2, Addr: 0x40, Write: true, Gap: 5, Space: 7}}, 3))
	assert.Equal(t, "gap,addr,op,space,after\n0,0x0,R,0,0\n0,0x0,R,0,0\n5,0x40,W,7,2\n", text.String())
}

func TestWriteRejectsWhatNoTraceHolds(t *testing.T) {
	for _, a := range []cpu.Access{{Addr: addrEnd}, {Space: spaces}} {
		err := Write(io.Discard, &slice{{}, a}, 2)
		require.EqualError(t, err, fmt.Sprintf("write trace: access 1 has address %#x in space %d; want one below 2^57, below 2048", a.Addr, a.Space))
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestWriteReportsErrorsOfTheWriter(t *testing.T) {
	for _, n := range []int{1, 100_000} {
		all := slice(make([]cpu.Access, n))
		require.EqualError(t, Write(full{}, &all, n), "write trace: no room")
	}
}
