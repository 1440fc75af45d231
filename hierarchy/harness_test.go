package hierarchy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// preset returns a shipped system with overrides below system.
func preset(t testing.TB, name string, sets ...string) *Config {
	t.Helper()
	d, err := configs.Load("testdata/system.toml", append([]string{"system.use=" + name}, sets...))
	require.NoError(t, err)
	var c struct {
		System Config `toml:"system"`
	}
	require.NoError(t, d.Decode(&c))
	return &c.System
}

func build(t testing.TB, c *Config) *System {
	t.Helper()
	s, err := Build(c)
	require.NoError(t, err)
	return s
}
