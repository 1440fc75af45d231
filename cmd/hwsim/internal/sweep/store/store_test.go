package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func header() Header {
	return Header{Schema: Schema, Sweep: "abc", Name: "run", Seed: 1, Fidelity: "exact", Points: 10}
}

func record(point int) Record {
	return Record{
		Point: point, Key: fmt.Sprintf("key%05d", point), Config: "c", Version: "v1", Set: map[string]any{"batch": float64(point)},
		Outcome: Outcome{Metrics: map[string]float64{"step_ns": 1.5 * float64(point)}},
	}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, header())
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAStoreHasWhatWasAppended(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s := open(t, dir)
	require.Empty(t, s.Records())
	require.NoError(t, s.Append(record(3), record(1)))
	require.NoError(t, s.Append(record(2)))
	require.NoError(t, s.Close())
	again := open(t, dir)
	require.Equal(t, []Record{record(3), record(1), record(2)}, again.Records())
	require.False(t, again.Torn())
	h, records, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, header(), h)
	require.Equal(t, again.Records(), records)
}

// Whatever a kill leaves of the last line, the lines before it stay, and the next
// ones follow them.
func TestALineTornAnywhereIsCutOff(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.NoError(t, s.Append(record(0), record(1)))
	require.NoError(t, s.Close())
	path := filepath.Join(dir, FileName)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	ends := []int{}
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	for cut := range whole {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o644))
		kept := 0
		for _, e := range ends[1:] {
			if cut >= e {
				kept++
			}
		}
		s := open(t, dir)
		require.Len(t, s.Records(), kept, cut)
		require.NoError(t, s.Append(record(5)))
		require.NoError(t, s.Close())
		_, records, err := Read(dir)
		require.NoError(t, err)
		require.Len(t, records, kept+1, cut)
		require.Equal(t, record(5), records[kept])
	}
}

// A crash of the machine may leave a block of zeros where the last lines were.
func TestABlockThatNeverCameToTheDiskIsCutOff(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.NoError(t, s.Append(record(0)))
	require.NoError(t, s.Close())
	path := filepath.Join(dir, FileName)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, tail := range [][]byte{bytes.Repeat([]byte{0}, 100), append(bytes.Repeat([]byte{0}, 100), '\n')} {
		require.NoError(t, os.WriteFile(path, append(bytes.Clone(text), tail...), 0o644))
		s := open(t, dir)
		require.True(t, s.Torn())
		require.Equal(t, []Record{record(0)}, s.Records())
		require.NoError(t, s.Close())
	}
}

func TestWhatNoKillLeavesIsAnError(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.NoError(t, s.Append(record(0), record(1)))
	require.NoError(t, s.Close())
	path := filepath.Join(dir, FileName)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for old, spoilt := range map[string]string{`"point":0`: `"pint":0`, `"point":0,`: `"point":99,`, `"schema":1`: `"schema":7`} {
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), old, spoilt, 1)), 0o644))
		_, err := Open(dir, header())
		require.ErrorContains(t, err, FileName+":", spoilt)
		var u *UserError
		require.ErrorAs(t, err, &u)
	}
}

func TestAStoreOfAnotherSweepIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, open(t, dir).Close())
	h := header()
	h.Seed = 2
	_, err := Open(dir, h)
	require.ErrorContains(t, err, "holds another sweep (run, 10 points, seed 1, exact, sweep abc): want another folder")
	_, err = Open(filepath.Join(dir, FileName), h)
	require.ErrorContains(t, err, "not a directory")
	_, _, err = Read(t.TempDir())
	require.ErrorContains(t, err, "no such file")
}

func TestAStoreThatOthersBeginHasNothingUntilThen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	for _, begin := range []func() error{
		func() error { return nil },
		func() error { return os.WriteFile(path, nil, 0o666) },
		func() error { return os.WriteFile(path, []byte(`{"schema":1`), 0o666) },
	} {
		require.NoError(t, begin())
		records, err := Begun(dir, header())
		require.NoError(t, err)
		require.Empty(t, records)
	}
	s := open(t, dir)
	require.NoError(t, s.Append(record(3)))
	records, err := Begun(dir, header())
	require.NoError(t, err)
	require.Equal(t, []Record{record(3)}, records)
	other := header()
	other.Seed = 2
	_, err = Begun(dir, other)
	require.ErrorContains(t, err, "holds another sweep (run, 10 points, seed 1, exact, sweep abc): want another folder")
	_, err = Begun(path, header())
	require.ErrorContains(t, err, "not a directory")
}

func save(t *testing.T, h Header, records ...Record) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir, h)
	require.NoError(t, err)
	require.NoError(t, s.Append(records...))
	require.NoError(t, s.Close())
	return dir
}

func version(r Record, v string) Record {
	r.Version, r.Key = v, r.Key+v
	return r
}

func TestMergeJoinsShards(t *testing.T) {
	other := header()
	other.Sweep = "def"
	changed := record(1)
	changed.Metrics = map[string]float64{"step_ns": 9}
	h, records, err := Merge([]string{save(t, header(), record(2), record(0)), save(t, header(), record(1), record(2))})
	require.NoError(t, err)
	require.Equal(t, header(), h)
	require.Equal(t, []Record{record(0), record(1), record(2)}, records, "in order, each once")
	for want, dirs := range map[string][]string{
		"holds another sweep":                {save(t, header()), save(t, other)},
		"point 1 has two outcomes":           {save(t, header(), record(1)), save(t, header(), changed)},
		"point 0 is of another version (v1)": {save(t, header(), record(0)), save(t, header(), version(record(1), "v2"))},
		"no such file":                       {save(t, header()), t.TempDir()},
	} {
		_, _, err := Merge(dirs)
		require.ErrorContains(t, err, want)
	}
	_, records, err = Merge([]string{save(t, header(), record(1), version(record(1), "v2"))})
	require.NoError(t, err)
	require.Equal(t, []Record{version(record(1), "v2")}, records, "run again by a later version")
}

func TestAMemoHasWhatWasPut(t *testing.T) {
	m, err := OpenMemo(filepath.Join(t.TempDir(), "memo"))
	require.NoError(t, err)
	require.False(t, m.Get("0123", &Outcome{}))
	want := Outcome{Metrics: map[string]float64{"a": 1}}
	require.NoError(t, m.Put("0123", want))
	require.NoError(t, m.Put("0124", Outcome{Problem: "too large"}))
	var got Outcome
	require.True(t, m.Get("0123", &got))
	require.Equal(t, want, got)
	for _, text := range []string{"", "{", `{"key":"0999","value":{}}`, `{"key":"0123"}`, "\x00\x00"} {
		require.NoError(t, os.WriteFile(m.path("0123"), []byte(text), 0o644))
		require.False(t, m.Get("0123", &Outcome{}), "what does not read is not there")
	}
	require.NoError(t, m.Put("0123", want))
	require.True(t, m.Get("0123", &Outcome{}))

	var none Memo
	require.NoError(t, none.Put("0123", want))
	require.False(t, none.Get("0123", &Outcome{}))
}

// Readers see a whole outcome or none while others write it.
func TestWritersOfAMemoDoNotDisturbReaders(t *testing.T) {
	m, err := OpenMemo(t.TempDir())
	require.NoError(t, err)
	want := Outcome{Metrics: map[string]float64{}}
	for i := range 200 {
		want.Metrics[fmt.Sprint(i)] = float64(i)
	}
	var all sync.WaitGroup
	errs := make(chan error, 8)
	for range 4 {
		all.Go(func() {
			for range 50 {
				if err := m.Put("0123", want); err != nil {
					errs <- err
					return
				}
			}
		})
		all.Go(func() {
			seen := false
			for range 200 {
				var o Outcome
				ok := m.Get("0123", &o)
				if seen && !ok || ok && len(o.Metrics) != 200 {
					errs <- fmt.Errorf("read %d metrics", len(o.Metrics))
					return
				}
				seen = ok
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	names, err := filepath.Glob(filepath.Join(m.dir, "*", "*"))
	require.NoError(t, err)
	require.Len(t, names, 1, "no temporary files are left")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"schema":1,"sweep":"a","name":"n","seed":1,"fidelity":"exact","points":2}` + "\n" + `{"point":1,"key":"k","config":"c","version":"v","set":{}}` + "\n{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parse("f", text)
		require.LessOrEqual(t, c.whole, len(text))
		if err != nil {
			return
		}
		again, err := parse("f", text[:c.whole])
		require.NoError(t, err)
		require.Equal(t, c, again, "what is kept reads the same")
	})
}
