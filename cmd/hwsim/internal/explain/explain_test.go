package explain

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every key is explained, and whatever is tried on it is taken or refused with a line.
// Keys that are the same field of a root are tried once.
func TestEveryKeyIsExplained(t *testing.T) {
	tried := map[string]bool{}
	for _, k := range keys() {
		e := explain(k)
		if at := k.root.table + " " + e.Field; !tried[at] {
			tried[at] = true
			var err error
			e, err = Key(k.Name)
			require.NoError(t, err, k.Name)
			require.Equal(t, isTable(k.Type), e.Default == "", k.Name)
		}
		require.Equal(t, k.Name, e.Key)
		require.NotEqual(t, "any value", e.Type+e.Comment, k.Name)
		require.NotEmpty(t, e.Type, k.Name)
		require.NotEmpty(t, e.Field, k.Name)
		require.Equal(t, isTable(k.Type), len(e.Keys) > 0, k.Name)
		require.True(t, e.Comment != "" || e.Table != "", "%s: neither its field nor its struct has a comment", k.Name)
		for _, r := range e.Refused {
			require.NotEmpty(t, r.Message, k.Name)
			require.NotContains(t, r.Message, "\n", k.Name)
		}
		var text bytes.Buffer
		require.NoError(t, e.Write(&text))
		require.Contains(t, text.String(), k.Name)
	}
}

// Whatever a preset of a root says can be explained.
func TestEveryKeyOfAPresetIsKnown(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range roots {
		require.NotEmpty(t, r.examples(), r.holds)
		for _, x := range r.examples() {
			tables, _ := x.document.Get("")
			leaves("", tables, func(key string) {
				if seen[key] {
					return
				}
				seen[key] = true
				_, err := find(key)
				require.NoError(t, err, "%s: %s", x.name, key)
			})
		}
	}
}

// leaves calls f with the key of every plain value.
func leaves(key string, v any, f func(key string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, one := range v {
			leaves(join(key, k), one, f)
		}
	case []any:
		for i, one := range v {
			leaves(join(key, strconv.Itoa(i)), one, f)
		}
	default:
		f(key)
	}
}

func TestExplanationsSay(t *testing.T) {
	for key, want := range map[string]Explanation{
		"kv.copy_bytes":             {Key: "kv.copy_bytes", Type: "integer", Unit: "bytes", Default: "0: as large as the pieces are contiguous"},
		"hbm.channels":              {Key: "system.hbm.channels", Type: "integer", Default: "none: 0 is refused"},
		"workload.steps":            {Key: "workload.steps", Type: "integer", Default: "0: 1"},
		"sweep.axes":                {Key: "sweep.axes", Type: "array, each: table"},
		"sweep.axes.3":              {Key: "sweep.axes", Type: "array, each: table"},
		"sweep.axes.name":           {Key: "sweep.axes.N.name", Type: "string", Default: `"": the key`},
		"policy.object.scores.read": {Key: "policy.object.NAME.read", Type: "number", Default: "0"},
		"run.warm_accesses":         {Key: "run.warm_accesses", Type: "integer", Default: "none: 4 million"},
		"drive.flash.page_bytes":    {Key: "drive.flash.page_bytes", Type: "integer", Unit: "bytes", Default: "none: 0 is refused"},
		"system.use":                {Key: "system.use", Type: "string", Default: "none"},
		"base":                      {Key: "base", Type: "array, each: string", Default: "none"},
	} {
		e, err := Key(key)
		require.NoError(t, err, key)
		require.Equal(t, want, Explanation{Key: e.Key, Type: e.Type, Unit: e.Unit, Default: e.Default}, key)
	}
}

func TestExplanationsHaveWordsRangesAndSources(t *testing.T) {
	e, err := Key("kv.access")
	require.NoError(t, err)
	require.Contains(t, e.Words, Word{"zerocopy", "read where it lies"})
	require.Contains(t, e.Refused, Refusal{`"?"`, "must be prefetch, ondemand or zerocopy"})
	e, err = Key("offload.drives")
	require.NoError(t, err)
	require.Equal(t, []Refusal{{"0", "must be 1 to 65536"}}, e.Refused)
	require.Equal(t, "instinfer_a6000_1csd", e.Tried)
	e, err = Key("system.hbm.channels")
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, e.Write(&text))
	require.Contains(t, e.Like, "system.peer.hbm.channels")
	require.Contains(t, text.String(), "128  datasheet: eight stacks of 1024 bits, in 64-bit channels\n")
}

func TestUnknownKeysNameTheNearest(t *testing.T) {
	for key, want := range map[string]string{
		"system.hbm.chanels":  `"system.hbm.chanels": unknown key (did you mean "system.hbm.channels"?)`,
		"sweep.axis":          `"sweep.axis": unknown key (did you mean "sweep.axes"?)`,
		"chanels":             `"chanels": unknown key (did you mean "system.hbm.channels"?)`,
		"kv.split.hbm.x":      `"kv.split.hbm.x": unknown key: kv.split.hbm has none in it`,
		"offload.serial.xxxx": `"offload.serial.xxxx": unknown key: offload.serial has none in it`,
		"kv.split.zzzzzz":     `"kv.split.zzzzzz": unknown key (allowed in kv.split: hbm, ddr, cxl, peer)`,
		"":                    `"": unknown key (allowed: `,
		"kv..split":           `"kv..split": unknown key (`,
		"kv.copy_bytes=3":     `"kv.copy_bytes=3": unknown key (did you mean "kv.copy_bytes"?)`,
		"link.name":           `"link.name": unknown key`,
		"page_bytes":          `"page_bytes" could be `,
	} {
		_, err := Key(key)
		require.Error(t, err, key)
		require.Contains(t, err.Error(), want)
		require.NotContains(t, err.Error(), "\n")
	}
}
