package validation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
)

func TestAttentionIsToldApartByItsKernel(t *testing.T) {
	tab := read(t, `q_heads,kv_heads,head_dim,batch,context,page_tokens,layout,kv_dtype,splits,kv_bytes,us_median,us_median_repeat
32,8,128,1,1024,0,nhd,bf16,16,4194304,7.99,7.98
32,8,128,8,65536,16,hnd,bf16,9,2147483648,506.40,501.90
32,8,128,8,65536,0,nhd,int8,9,1107296256,554.06,557.97
`)
	var regimes []bucket
	for _, c := range tab.comparisons {
		regimes = append(regimes, c.bucket)
		require.Equal(t, hierarchy.HBM, c.route.tier)
	}
	require.Equal(t, []bucket{attentionContiguous, attentionPaged, attentionInt8}, regimes)
	require.EqualValues(t, 4194304, tab.comparisons[0].moved)
	require.EqualValues(t, 1107296256, tab.comparisons[2].moved, "with the scales")
	require.True(t, tab.comparisons[1].task.(attention).HND)
}

func TestRemoteAttentionIsToldApartByItsPlace(t *testing.T) {
	tab := read(t, `place,q_heads,kv_heads,head_dim,batch,context,page_tokens,layout,kv_bytes,us_median,us_median_repeat
host,32,8,128,1,8192,0,nhd,33554432,669.0,
peer,32,8,128,1,8192,0,nhd,33554432,107.1,
hbm,32,8,128,1,8192,16,nhd,33554432,25.0,
`)
	for i, want := range []struct {
		bucket
		tier hierarchy.TierID
	}{{attentionHost, hierarchy.DDR}, {attentionPeer, hierarchy.PeerHBM}, {attentionPaged, hierarchy.HBM}} {
		c := tab.comparisons[i]
		require.Equal(t, want.bucket, c.bucket)
		require.Equal(t, want.tier, c.task.(attention).Tier)
	}
}
