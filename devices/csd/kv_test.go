package csd

import (
	"testing"

	"hwsim/devices/flash"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPagesAreProgrammedWhenTheirGroupIsFull(t *testing.T) {
	c := preset(t, "instinfer")
	k := NewKV(c.Layout, &c.Flash.Geometry, 2, 3)
	for i, want := range []struct{ tokens, host, copied, buffered int }{
		{15, 0, 0, 15*2 + 15}, {1, 2, 0, 16}, {111, 2 * 6, 0, 15*2 + 127}, {1, 2, 8, 0}, {256, 2 * 16, 16, 0},
	} {
		p, err := k.Append(7, want.tokens)
		require.NoError(t, err)
		assert.Equal(t, Pages{6 * want.host, 6 * want.copied}, p, i)
		assert.Equal(t, 6*256*want.buffered, k.Buffered(), i)
	}
	assert.Equal(t, uint64(6*384*512), k.Stats().HostBytes)
	assert.Equal(t, uint64(6*384*256), k.Stats().CopyBytes)
}

func TestBlocksOfAFinishedSequenceAreErasedWhole(t *testing.T) {
	c := preset(t, "instinfer")
	g := c.Flash.Geometry
	g.Blocks, g.Pages = 3, 16 // rows of 2048 pages
	k := NewKV(c.Layout, &g, 1, 40)
	for s := range 3 {
		_, err := k.Append(s, 128) // 40 x (16 + 8) pages
		require.NoError(t, err)
	}
	_, err := k.Append(3, 128)
	require.EqualError(t, err, "csd: drive is full: sequence 3 needs 1 more rows of blocks, 0 are free")
	_, err = k.Append(1, 128)
	require.NoError(t, err, "its row has room")
	assert.Equal(t, 3*2048*4096, k.Held(), "rows, full or not")
	_, err = k.Append(1, 128)
	require.Error(t, err, "but not for more than 2048")
	assert.Equal(t, 128, k.Reclaim(0))
	assert.Zero(t, k.Reclaim(0), "it is gone")
	_, err = k.Append(1, 128)
	require.NoError(t, err)
	assert.Equal(t, 256, k.Reclaim(1))
	assert.Equal(t, uint64(384), k.Stats().ErasedBlocks)
}

func TestWritesAndErasesTakeTheFlashsTime(t *testing.T) {
	d := device(t, "instinfer").(*Drive)
	const us = 1_000_000 // ps
	assert.InDelta(t, 361_000+2_925_714+75*us, float64(d.Write(8)), 1, "a page of each channel")
	assert.InDelta(t, 220_000+3500*us, float64(d.Erase(8)), 1)
	assert.Equal(t, uint64(8), d.Flash().Ops[flash.Program])
	assert.Equal(t, uint64(8), d.Flash().Ops[flash.Erase])
	assert.InEpsilon(t, 128*4096/78.29e3, d.ProgramGBps(), 0.01, "128 dies")
	before := attend(t, device(t, "instinfer"), Load{Heads: 40, Context: 512})
	assert.Equal(t, before, attend(t, d, Load{Heads: 40, Context: 512}), "then it attends as if new")
}

func TestCapacityIsTheFlashsOrTheMemorys(t *testing.T) {
	assert.Equal(t, float64(2<<40), preset(t, "instinfer").Capacity())
	assert.Equal(t, float64(256<<30), preset(t, "cxl_near_memory").Capacity())
}

func TestEnduranceAsPublished(t *testing.T) {
	const tokenBytes = 4 * 40 * 5120 // OPT-13B: keys and values of 40 layers, 16 bits
	once, withCopy := preset(t, "instinfer").Endurance(4, tokenBytes)
	t.Logf("4 drives: %.2f G tokens, published 32.26; with the second copy %.2f", once/1e9, withCopy/1e9)
	assert.InEpsilon(t, 32.263877e9, once, 0.005)
	assert.InEpsilon(t, once/1.5, withCopy, 1e-9)
}
