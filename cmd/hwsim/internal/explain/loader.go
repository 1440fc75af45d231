package explain

import (
	"strings"

	"hwsim/configs"
)

// The keys that the loader of configurations takes for itself.
const (
	useKey  = "use"
	baseKey = "base"
)

// loadersKey explains the keys that no struct has: base, on top, and use, of tables.
func loadersKey(name string) (*Explanation, bool) {
	if name == baseKey {
		return &Explanation{
			Key: baseKey, Type: "array, each: string", Default: "none", Field: "hwsim/configs",
			Comment: "files or presets that the configuration is laid over, in order",
		}, true
	}
	name, ok := strings.CutSuffix(name, "."+useKey)
	if !ok {
		return nil, false
	}
	k, err := find(name)
	if err != nil || typeText(k.Type) != "table" {
		return nil, false
	}
	e := &Explanation{
		Key: join(k.Name, useKey), Type: "string", Default: "none", Field: "hwsim/configs",
		Comment: "the preset or file that lies under the table's own keys",
	}
	folder := configs.Folder(k.Name)
	if folder == "" {
		return e, true
	}
	for _, preset := range configs.Presets(folder) {
		e.Words = append(e.Words, Word{preset, configs.Summary(folder + "/" + preset)})
	}
	return e, true
}
