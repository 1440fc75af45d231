package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Those that wait for the same data begin in program order, as schedulers pick the oldest: of three walks
// with one walker the first is done first.
func TestTheOldestOfThoseThatWaitBeginsFirst(t *testing.T) {
	k := newCore(t, func(c *Config) { c.MMU.Walkers = 1 })
	k.run(t, 5, func(i int) Access { // four pages wait for the data of a fifth
		return Access{Addr: uint64(i) << 30, After: uint32(i)}
	})
	for i := 2; i < 5; i++ {
		require.Less(t, k.ops[i-1].translated, k.ops[i].translated, "%d", i)
	}
}
