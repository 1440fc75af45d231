package validation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
)

func TestOnlyFetchingDependsOnWhereTheCacheLies(t *testing.T) {
	tab := read(t, `q_heads,kv_heads,head_dim,batch,context,chunk_tokens,top_chunks,v_place,k_place,score_us,topk_us,fetch_us,attend_us,layer_us_graph,fetched_bytes,landmark_bytes
32,8,128,1,32768,8,64,host,hbm,17.9,29.4,31.2,16.1,69.9,2097152,8388608
32,8,128,1,32768,8,64,hbm,hbm,11.4,27.9,9.7,15.4,48.0,2097152,8388608
`)
	require.Len(t, tab.comparisons, 10)
	for i, want := range []bucket{retrievalScore, retrievalTop, retrievalFetch, retrievalAttend, retrievalLayer} {
		far, near := tab.comparisons[i], tab.comparisons[5+i]
		require.Equal(t, want, far.bucket)
		if want == retrievalFetch || want == retrievalLayer {
			require.Equal(t, hierarchy.DDR, far.task.(retrieval).Values)
			require.NotEqual(t, far.task, near.task)
		} else {
			require.Equal(t, far.task, near.task, "simulated once")
		}
	}
}
