package program

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/cpu"
)

// recorded is a stream that ends.
type recorded []cpu.Access

func (r *recorded) Fill(batch []cpu.Access) int {
	n := copy(batch, *r)
	*r = (*r)[n:]
	return n
}

// pages returns a stream of n accesses, each to the next page.
func pages(n int) *recorded {
	r := make(recorded, n)
	for i := range r {
		r[i] = cpu.Access{Addr: 1<<32 + uint64(i)<<12}
	}
	return &r
}

func core(t *testing.T, sets ...string) *cpu.Config {
	t.Helper()
	d, err := configs.LoadTable("core", "victima_baseline", append([]string{"core.pages.huge_share=0"}, sets...))
	require.NoError(t, err)
	var c struct {
		Core cpu.Config `toml:"core"`
	}
	require.NoError(t, d.Decode(&c))
	return &c.Core
}

// user tells errors that are of the configuration's values.
type user interface{ UserError() bool }

func requireUsers(t *testing.T, err error, want string) {
	t.Helper()
	require.EqualError(t, err, want)
	var u user
	require.ErrorAs(t, err, &u)
	require.True(t, u.UserError())
}

func TestReplayCountsWhatFollowsTheWarmUp(t *testing.T) {
	for _, test := range []struct {
		warm, n, want uint64
	}{
		{0, 0, 10_000}, {0, 5000, 5000}, {3000, 0, 7000}, {3000, 5000, 5000}, {3000, 1 << 40, 7000}, {10_000, 0, 0},
	} {
		r, err := Replay(context.Background(), core(t), pages(10_000), "pages", test.warm, test.n, Options{})
		require.NoError(t, err)
		require.True(t, r.Complete)
		require.Equal(t, test.want, r.Accesses)
		require.Equal(t, test.want, r.Translation.Walks, "a page is walked for once")
		require.Equal(t, "pages", r.Stream)
	}
}

func TestReplayRefusesAddressesThatNoTableMaps(t *testing.T) {
	stream := func() *recorded {
		r := pages(3000)
		(*r)[2500].Addr = 1 << 48
		return r
	}
	_, err := Replay(context.Background(), core(t), stream(), "t.csv", 0, 0, Options{})
	requireUsers(t, err, "t.csv: access 2501: address 0x1000000000000 is not below 2^48, all that mmu.levels = 4 translate")
	r, err := Replay(context.Background(), core(t, "core.mmu.levels=5"), stream(), "t.csv", 0, 0, Options{})
	require.NoError(t, err)
	require.EqualValues(t, 3000, r.Accesses)
}

func TestWhatACoreRefusesIsTheUsersError(t *testing.T) {
	c := core(t)
	c.MMU.WalkLevel = 7
	_, err := Replay(context.Background(), c, pages(1), "pages", 0, 0, Options{})
	requireUsers(t, err, "core: mmu.walk_level: 7: want 0 to 2, the last cache")
	_, err = Run(context.Background(), &Config{Core: *core(t)}, Options{})
	require.ErrorContains(t, err, "stream: kind: ")
	var u user
	require.ErrorAs(t, err, &u)
}

// Memory that is full ends a run whether it counts or not, and however late.
func TestFullMemoryIsTheUsersError(t *testing.T) {
	for _, n := range []int{1025, 5000} {
		for _, warm := range []uint64{0, 1 << 40} {
			_, err := Replay(context.Background(), core(t, "core.pages.memory_bytes=6291456"), pages(n), "pages", warm, 0, Options{})
			require.ErrorContains(t, err, "stream: pagetable: 6291456 bytes of memory are full")
			var u user
			require.ErrorAs(t, err, &u)
		}
	}
}

// cancelling cancels a context in its course.
type cancelling struct {
	recorded
	left   int
	cancel func()
}

func (c *cancelling) Fill(batch []cpu.Access) int {
	n := c.recorded.Fill(batch)
	if c.left -= n; c.left <= 0 {
		c.cancel()
	}
	return n
}

func TestInterruptedRunReportsWhatItKnows(t *testing.T) {
	for _, warm := range []uint64{0, 20_000} {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := Replay(ctx, core(t), &cancelling{*pages(20_000), 10_000, cancel}, "pages", warm, 0, Options{})
		require.NoError(t, err)
		require.False(t, r.Complete)
		require.Less(t, r.Accesses, uint64(12_000))
		require.Equal(t, warm == 0, r.Accesses > 0)
		require.Equal(t, r.Accesses, r.Translation.Walks)
	}
}
