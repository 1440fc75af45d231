package configs

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSettingsHaveValuesAndTheCommentsBeside(t *testing.T) {
	presets := library(map[string]string{
		"a.toml":           "[system]\nuse = 'big'\n[system.host.card] # a comment of the table\nuse = 'card'\ncards = 2\n",
		"systems/big.toml": "# Big.\nsms = 7 # datasheet: \"#7\"\nname = 'a#b'\n[[links]]\nlanes = 16  # of 16\n[[links]]\nlanes = 8\nlist = [ # first\n  1, # one\n  2,\n]\n",
		"cards/card.toml":  "cards = 1 # one a board\n",
		"whole/file.toml":  "[object.one]\nread = 1\n[object.two]\nread = 2 # twice\n",
	})
	s, err := presets.settings()
	require.NoError(t, err)
	for key, want := range map[string][]Setting{
		"system.sms":             {{"system.sms", "7", Pos{File: "configs/systems/big.toml", Line: 2}, `datasheet: "#7"`}},
		"system.name":            {{"system.name", `"a#b"`, Pos{File: "configs/systems/big.toml", Line: 3}, ""}},
		"system.links.N.lanes":   {{"system.links.0.lanes", "16", Pos{File: "configs/systems/big.toml", Line: 5}, "of 16"}, {"system.links.1.lanes", "8", Pos{File: "configs/systems/big.toml", Line: 7}, ""}},
		"system.links.1.lanes":   {{"system.links.1.lanes", "8", Pos{File: "configs/systems/big.toml", Line: 7}, ""}},
		"system.links.1.list":    {{"system.links.1.list", "[1, 2]", Pos{File: "configs/systems/big.toml", Line: 8}, "first"}},
		"system.host.card.cards": {{"system.host.card.cards", "2", Pos{File: "configs/a.toml", Line: 5}, ""}, {"system.host.card.cards", "1", Pos{File: "configs/cards/card.toml", Line: 1}, "one a board"}},
		"whole.object.NAME.read": {{"whole.object.one.read", "1", Pos{File: "configs/whole/file.toml", Line: 2}, ""}, {"whole.object.two.read", "2", Pos{File: "configs/whole/file.toml", Line: 4}, "twice"}},
		"whole.object.two.read":  {{"whole.object.two.read", "2", Pos{File: "configs/whole/file.toml", Line: 4}, "twice"}},
		"system.none":            nil,
		"":                       nil,
	} {
		require.Equal(t, want, s.Of(key), key)
	}
}

// Whatever is in a preset is found by its key, with its value.
func TestSettingsFindAllOfEveryPreset(t *testing.T) {
	s, err := ReadSettings()
	require.NoError(t, err)
	for _, p := range s.all {
		p.root.leaves(p.table, func(key string, n *node) {
			require.True(t, slices.ContainsFunc(s.Of(key), func(one Setting) bool { return one.Pos == n.pos && one.Value == inline(n) }), "%s: %s", p.src.name, key)
		})
	}
}

// leaves calls f with every plain value below n.
func (n *node) leaves(key string, f func(key string, n *node)) {
	t, ok := n.value.(table)
	if !ok {
		f(key, n)
		return
	}
	for _, k := range t.keys() {
		t[k].leaves(join(key, quoteKey(k)), f)
	}
}
