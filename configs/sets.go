package configs

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// applySet lays one key.path=value of the command line over the tree.
func applySet(root *node, set string) (*node, error) {
	pos := Pos{Set: set}
	parts, rest := splitKey(set)
	text, ok := strings.CutPrefix(rest, "=")
	if !ok || len(parts) == 0 || len(parts) > maxDepth || !utf8.ValidString(set) {
		return nil, fmt.Errorf("%v: want key.path=value", pos)
	}
	if parts[0] == "base" {
		return nil, fmt.Errorf("%v: base belongs in a file", pos)
	}
	value, err := parseValue(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%v: %w", pos, err)
	}
	key := ""
	for _, part := range parts {
		key = join(key, quoteKey(part))
	}
	over, err := grower{src: root.src, pos: pos}.grow(key, value)
	if err != nil {
		return nil, err
	}
	for _, part := range slices.Backward(parts) {
		over = &node{value: table{part: over}, pos: pos, src: root.src, path: true}
	}
	return merge(root, over)
}

// parseValue reads text as a TOML value. What TOML does not read is a bare
// string, so that -set model.use=llama needs no quotes, unless it begins as
// only TOML does: then it is a slip. Dates are strings, for want of dates.
func parseValue(text string) (any, error) {
	tree, _, err := parseTOML("value = " + text)
	if err == nil && len(tree) == 1 && !unsupported(tree["value"]) {
		return tree["value"], nil
	}
	if text != "" && strings.ContainsRune("[{\"'", rune(text[0])) {
		return nil, fmt.Errorf("%s is not a toml value", text)
	}
	return text, nil
}

func unsupported(v any) bool {
	switch v := v.(type) {
	case time.Time:
		return true
	case float64:
		return math.IsNaN(v)
	}
	return false
}
