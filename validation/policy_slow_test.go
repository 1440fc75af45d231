//go:build slow

package validation

func init() { everyRetrieval = true }
