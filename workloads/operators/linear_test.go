package operators

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
)

// A product's call is one kernel, one more to add up parts of K, and one more
// to clear the counter by which CTAs take more than two tiles each.
func TestACallOfAProductHasItsLibrarysKernels(t *testing.T) {
	var c hierarchy.Config
	var p kernels.Profiles
	for path, v := range map[string]any{"systems/h200_sxm": &c, "kernels/hopper_triton": &p} {
		d, err := configs.Load(path, nil)
		require.NoError(t, err)
		require.NoError(t, d.Decode(v))
	}
	for _, o := range []struct {
		LinearOptions
		classes []string
	}{
		{LinearOptions{1, 6144, 4096}, []string{"linear"}},
		{LinearOptions{1, 4096, 4096}, []string{"linear", "splitk_reduce"}},
		{LinearOptions{1024, 4096, 4096}, []string{"linear"}},
		{LinearOptions{4096, 4096, 4096}, []string{"memset", "linear"}},
	} {
		var classes []string
		for _, k := range new(bench).product(&c.GPU, &p, kernels.Matrix{}, kernels.Matrix{}, kernels.Matrix{}, 0, o.LinearOptions) {
			classes = append(classes, k.class)
		}
		require.Equal(t, o.classes, classes, "%+v", o.LinearOptions)
	}
}
