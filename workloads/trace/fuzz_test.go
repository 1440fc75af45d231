package trace

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
)

// checkTrace checks what holds of every trace, good or bad, and returns its
// accesses; ok: it is a good one.
func checkTrace(t *testing.T, content []byte, format string) (all []cpu.Access, ok bool) {
	trace, err := New("t", bytes.NewReader(content), format)
	if err != nil {
		require.NotContains(t, err.Error(), "\n")
		return nil, false
	}
	all = drain(trace, 3)
	for i, a := range all {
		require.Less(t, a.Addr, uint64(addrEnd))
		require.Less(t, a.Space, uint16(spaces))
		require.LessOrEqual(t, int(a.After), i)
	}
	if err := trace.Err(); err != nil {
		require.NotContains(t, err.Error(), "\n")
		return all, false
	}
	require.NotEmpty(t, all)
	return all, true
}

// gaps sums those of a stream.
func gaps(all []cpu.Access) (sum uint64) {
	for _, a := range all {
		sum += uint64(a.Gap)
	}
	return sum
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{someCSV, "gap,addr,op,after,space\n0x1,2,W,0,4\n3,4,R,1,2\n", "gap,addr,op\n1,2\n", "#\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, ok := checkTrace(t, text, "csv")
		if !ok {
			return
		}
		left := slice(all)
		var again bytes.Buffer
		require.NoError(t, Write(&again, &left, len(all)))
		got, err := read(again.String(), "csv")
		require.NoError(t, err)
		require.Equal(t, all, got)
	})
}

func FuzzChampSim(f *testing.F) {
	f.Add([]byte(file(load(1, rax), alu(rbx, rax), store(2, rbx), alu(rsp, rbx))))
	f.Add([]byte(file(record{isBranch: 1, taken: 1, destMem: [2]uint64{1, 2}, srcMem: [4]uint64{3, 0, 4, 1 << 63}})))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, content []byte) {
		all, ok := checkTrace(t, content, "champsim")
		if !ok {
			return
		}
		accesses, bare, behind := countRecords(content)
		require.Equal(t, accesses, len(all))
		require.Equal(t, bare-behind, gaps(all))
		for i, a := range all {
			require.True(t, a.After == 0 || !all[i-int(a.After)].Write, "after a load")
		}
	})
}

// countRecords counts accesses, instructions without any, and those of them
// behind the last access.
func countRecords(content []byte) (accesses int, bare, behind uint64) {
	for ; len(content) > 0; content = content[64:] {
		n := 0
		for at := 16; at < 64; at += 8 {
			if binary.LittleEndian.Uint64(content[at:]) != 0 {
				n++
			}
		}
		accesses += n
		behind++
		if n == 0 {
			bare++
		} else {
			behind = 0
		}
	}
	return accesses, bare, behind
}

func FuzzLackey(f *testing.F) {
	for _, seed := range []string{someLackey, "I  1,3\nI  2,3\n M 7c,8\n S 80,4\nI  3,1\n", " L 0,0\n", "I  1,1\n L 1ffffffffffffff,2\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, ok := checkTrace(t, text, "lackey")
		if !ok {
			return
		}
		require.Equal(t, bareInstructions(string(text)), gaps(all))
	})
}

// bareInstructions counts the instructions of a lackey trace that have no
// access, up to the last access.
func bareInstructions(text string) uint64 {
	var before, since uint64 // the last access; since it, all instructions
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "I"):
			since++
		case line != "" && strings.Contains("LSM", line[:1]):
			if since > 0 {
				before += since - 1
			}
			since = 0
		}
	}
	return before
}

func FuzzDetect(f *testing.F) {
	for _, content := range []string{someCSV, someLackey, file(load(1, rax))} {
		for _, packed := range packings(f, content) {
			f.Add([]byte(packed))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		trace, err := New("t", bytes.NewReader(content), "")
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NoError(t, Write(io.Discard, trace, 1<<16))
		if err := trace.Err(); err != nil {
			require.NotContains(t, err.Error(), "\n")
		}
	})
}
