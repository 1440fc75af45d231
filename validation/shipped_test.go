package validation

import (
	"context"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTablesOfTheH100AreRecognised(t *testing.T) {
	data, err := fs.Sub(embedded, "h100")
	require.NoError(t, err)
	tables, err := readAll(data)
	require.NoError(t, err)
	comparisons := map[string]int{"bandwidth.csv": 115, "gather.csv": 53, "interfere.csv": 4 * 12, "latency.csv": 94, "launch.csv": 9, "links.csv": 86, "pages.csv": 60, "span.csv": 176}
	for _, tab := range tables {
		require.NotNil(t, tab.layout, tab.file)
		require.NotEmpty(t, tab.rows, tab.file)
		if want, ok := comparisons[tab.file]; ok {
			require.Len(t, tab.comparisons, want, tab.file)
		}
	}
	require.Len(t, tables, 16)
}

func TestSystemsAreComparedWithTheirOwnTables(t *testing.T) {
	for config, chases := range map[string]int{"h100": 94, "h100_sxm": 94, "h200": 104, "a100_80gb_sxm": 104} {
		stopped, stop := context.WithCancel(context.Background())
		stop()
		var latency int
		_, err := Run(stopped, Options{Config: config, Rows: func(r Row) bool {
			if r.File == "latency.csv" {
				latency++
			}
			return false
		}})
		require.NoError(t, err)
		require.Equal(t, chases, latency, config)
	}
}
