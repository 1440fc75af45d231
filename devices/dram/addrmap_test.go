package dram

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSlicesDecodeAsDigitsDo(t *testing.T) {
	for _, name := range Standards() {
		for _, order := range []string{"", "A", "B"} {
			s, err := Standard(name)
			require.NoError(t, err)
			m, err := newAddrMap(s, order, true)
			require.NoError(t, err)
			assert.True(t, m.sliced, "%s %q", name, order)
			r := splitmix(1)
			for range 1000 {
				x := r.next() >> (r.next() % 64)
				require.Equal(t, m.decodeDigits(x), m.decode(x), "%s %q burst %d", name, order, x)
			}
		}
	}
}

func TestOddMapsAreDecodedDigitByDigit(t *testing.T) {
	s, err := Standard("ddr4_3200aa")
	require.NoError(t, err)
	for order, sliced := range map[string]bool{
		"row col rank bank bankgroup pc":             true,
		"col row rank bank bankgroup pc":             false, // rows not on top
		"row col rank col:2 bank bankgroup pc col:2": false, // three runs of the column
	} {
		m, err := newAddrMap(s, order, false)
		require.NoError(t, err, order)
		assert.Equal(t, sliced, m.sliced, order)
	}
}
