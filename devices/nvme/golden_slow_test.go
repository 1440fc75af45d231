//go:build slow

package nvme

func init() { allGolden = true }
