package dram

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gddr is a channel with or without inline ECC, map A, without hash.
func gddr(t *testing.T, ecc int) *Channel {
	no := false
	return newChannel(t, Config{Standard: "gddr6_14000", Map: "A", Hash: &no, Refresh: "none", InlineECC: ecc})
}

func TestInlineECCTakesItsShareOfTheCapacity(t *testing.T) {
	assert.Equal(t, gddr(t, 0).Spec().Bytes()*15/16, gddr(t, 16).Spec().Bytes())
	assert.Equal(t, gddr(t, 0).Spec().Bytes()*7/8, gddr(t, 8).Spec().Bytes())
}

func TestInlineECCMustDivideARow(t *testing.T) {
	for _, n := range []int{-1, 1, 3, 128} {
		_, err := New(Config{Standard: "gddr6_14000", InlineECC: n})
		require.ErrorContains(t, err, "inline_ecc", n)
	}
}

func TestInlineECCMovesCheckBits(t *testing.T) {
	for _, x := range []struct {
		name             string
		addr             uint64
		bytes            uint32
		write            bool
		checkRD, checkWR uint64
	}{
		{"one burst read", 0, 32, false, 1, 0},
		{"a group read", 0, 15 * 32, false, 1, 0},
		{"parts of two groups read", 14 * 32, 64, false, 2, 0},
		{"one burst written", 32, 32, true, 1, 1},
		{"a group written whole", 15 * 32, 15 * 32, true, 0, 1},
		{"a row read", 0, 60 * 32, false, 4, 0},
	} {
		c := gddr(t, 16)
		c.Enqueue(0, Request{Addr: x.addr, Bytes: x.bytes, Write: x.write})
		drain(c)
		st := c.Stats()
		assert.Equal(t, x.checkRD, st.CheckRD, x.name)
		assert.Equal(t, x.checkWR, st.CheckWR, x.name)
		assert.Equal(t, uint64(x.bytes), st.BytesRead+st.BytesWritten, x.name)
		assert.Equal(t, uint64(1), st.ACT, "%s: check bits lie in the row", x.name)
	}
}

func TestInlineECCCostsAStreamItsShareAndScatterMore(t *testing.T) {
	plain, ecc := gddr(t, 0), gddr(t, 16)
	share := load(ecc, 4000, 15*32, sequential(ecc.Spec(), 15*32)) / load(plain, 4000, 15*32, sequential(plain.Spec(), 15*32))
	assert.InDelta(t, 15.0/16, share, 0.02)
	plain, ecc = gddr(t, 0), gddr(t, 16)
	share = load(ecc, 8000, 32, half(random(ecc.Spec(), 32))) / load(plain, 8000, 32, half(random(plain.Spec(), 32)))
	assert.Less(t, share, 0.8, "a write reads and rewrites its check bits")
}

func TestWaitingCheckBitsAreShared(t *testing.T) {
	c := gddr(t, 16)
	for i := range uint64(15) {
		c.Enqueue(0, Request{Addr: i * 32, Bytes: 32})
	}
	drain(c)
	assert.Equal(t, uint64(1), c.Stats().CheckRD)
}
