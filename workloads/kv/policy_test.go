package kv

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// llama3 is Llama-3-8B's shape in 16 bits.
var llama3 = Shape{Layers: 32, Hidden: 4096, KVHeads: 8, Group: 4, KeyDim: 128, ValueDim: 128, Element: 2}

func TestEveryPresetIsAPolicy(t *testing.T) {
	names := configs.Presets("policies")
	require.NotEmpty(t, names)
	for _, name := range names {
		p, err := Load(name, nil)
		require.NoError(t, err, name)
		assert.NotEmpty(t, p.Name, name)
		l := p.Layer(llama3, Context{Prompt: 4096, Generated: 64}, &Engine{}, 0)
		assert.Positive(t, l.Attended, name)
	}
}

func TestNothingSaidIsDense(t *testing.T) {
	l := (&Policy{}).Layer(llama3, Context{Prompt: 1000, Generated: 24}, &Engine{}, 0)
	assert.Equal(t, []Held{{Object: "keys", Tier: HBM, Bytes: 8 * 1024 * 256}, {Object: "values", Tier: HBM, Bytes: 8 * 1024 * 256}}, l.Held)
	read, written := l.Sum(func(*Flow) bool { return true })
	assert.EqualValues(t, 2*8*1024*256, read)
	assert.EqualValues(t, 2*8*256, written)
	assert.EqualValues(t, 4*32*1024*128, l.FLOPs[AttendS])
}

func TestFrameworkCopiesAreElevenTimesTheCache(t *testing.T) { // a query group of 4: 2 to join, 1+4 to repeat, 4 to attend
	l := (&Policy{}).Layer(llama3, Context{Prompt: 1024}, &Engine{JoinsCache: true, RepeatsHeads: true}, 0)
	read, written := l.Sum(func(f *Flow) bool { return f.Stage != Append })
	assert.EqualValues(t, 11*llama3.kv(8*1024), read+written)
}
