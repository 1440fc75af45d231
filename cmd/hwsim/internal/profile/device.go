package profile

import (
	"strings"

	"hwsim/devices"
)

// found says in which device a cause is found. Of those that are not here it is
// the memory.
var found = map[string]string{
	devices.Translate.String(): "tlbs",
	devices.Cache.String():     "caches and crossbar",
	devices.Serialise.String(): "link",
	devices.Credit.String():    "link",
}

// device names that which a cause is found in, of a kernel that moves bytes from
// or to these tiers.
func device(cause string, tiers []string) string {
	if d, ok := found[cause]; ok {
		return d
	}
	if cause == devices.Queue.String() {
		return "caches and " + memory(tiers)
	}
	return memory(tiers)
}

// memory names tiers as one device.
func memory(tiers []string) string {
	if len(tiers) == 0 {
		return "memory"
	}
	return strings.Join(tiers, "+")
}
