package hostio

import "fmt"

// Check reports lists that do not add up.
func (c *PageCache) Check() error {
	var total int64
	for in := range c.lists {
		l := &c.lists[in]
		var bytes int64
		var last *cachedFile
		for f := l.head; f != nil; f = f.older[in] {
			if f.in[in] <= 0 || f.newer[in] != last {
				return fmt.Errorf("list %d: a file of %d bytes is not where it says", in, f.in[in])
			}
			bytes, last = bytes+f.in[in], f
		}
		if bytes != l.bytes || last != l.tail {
			return fmt.Errorf("list %d holds %d bytes, says %d", in, bytes, l.bytes)
		}
		total += bytes
	}
	if total > c.capacity {
		return fmt.Errorf("%d bytes in a cache of %d", total, c.capacity)
	}
	return nil
}
