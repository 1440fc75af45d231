package kernels

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/gpu"
)

// library returns a preset's profiles.
func library(t testing.TB, name string) *Profiles {
	t.Helper()
	d, err := configs.Load("kernels/"+name, nil)
	require.NoError(t, err)
	var p Profiles
	require.NoError(t, d.Decode(&p))
	return &p
}

// part returns a GPU of so many SMs.
func part(sms int) *gpu.Config {
	return &gpu.Config{SMs: sms, ClockMHz: 1980, TensorTFLOPS: 790 * float64(sms) / 132}
}
