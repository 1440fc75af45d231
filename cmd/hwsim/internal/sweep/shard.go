package sweep

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is a part of a sweep's points: every Of-th, from the Index-th. Shards are
// counted from 0, as arrays of batch systems can be.
type Shard struct{ Index, Of int }

// ParseShard reads "i/n".
func ParseShard(text string) (Shard, error) {
	index, of, ok := strings.Cut(text, "/")
	i, errIndex := strconv.Atoi(index)
	n, errOf := strconv.Atoi(of)
	if !ok || errIndex != nil || errOf != nil || i < 0 || i >= n {
		return Shard{}, fmt.Errorf("%q: want i/n, i from 0 to n-1", text)
	}
	return Shard{i, n}, nil
}

// Has tells whether a point is of the shard.
func (s Shard) Has(point int) bool { return point%s.Of == s.Index }
