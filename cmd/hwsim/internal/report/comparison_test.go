package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"hwsim/workloads"
)

// sampleComparison is the comparison that testdata/comparison.json holds: of a
// dense cache, a method with far memory and one that does not fit.
func sampleComparison(t *testing.T) *workloads.Comparison {
	t.Helper()
	text, err := os.ReadFile("testdata/comparison.json")
	require.NoError(t, err)
	var c workloads.Comparison
	require.NoError(t, json.Unmarshal(text, &c))
	return &c
}

func writeComparison(t *testing.T, format string, c *workloads.Comparison) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteComparison(&out, format, c))
	return out.String()
}

func TestComparisonFormatsMatchGoldenFiles(t *testing.T) {
	golden(t, "comparison.json", writeComparison(t, "json", sampleComparison(t)))
	golden(t, "comparison.csv", writeComparison(t, "csv", sampleComparison(t)))
	golden(t, "comparison.txt", writeComparison(t, "text", sampleComparison(t)))
}

func TestComparisonFitsAPage(t *testing.T) {
	for line := range strings.Lines(writeComparison(t, "text", sampleComparison(t))) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), columns+1)
	}
}

func TestComparisonSaysWhatIsUnknown(t *testing.T) {
	c := sampleComparison(t)
	c.Complete = false
	require.True(t, strings.HasPrefix(writeComparison(t, "text", c), "INTERRUPTED\n"))
	c.Rows = c.Rows[2:] // nothing ran
	text := writeComparison(t, "text", c)
	require.NotContains(t, text, "batch 0")
	require.Contains(t, text, "\n03_xquant: kv x: 2.08 GiB do not fit into hbm")
}

func TestComparisonCSVHasAColumnForEachField(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(writeComparison(t, "csv", sampleComparison(t)))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	for _, row := range rows {
		require.Len(t, row, len(rows[0]))
	}
}

// The drawing is XML, and the same from time to time.
func TestComparisonSVG(t *testing.T) {
	draw := func(c *workloads.Comparison) []byte {
		var out bytes.Buffer
		require.NoError(t, ComparisonSVG(&out, c))
		return out.Bytes()
	}
	c := sampleComparison(t)
	require.Equal(t, draw(c), draw(c))
	text := 0
	for d := xml.NewDecoder(bytes.NewReader(draw(c))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if chars, ok := token.(xml.CharData); ok && strings.Contains(string(chars), "shadowkv") {
			text++
		}
	}
	require.Equal(t, 1, text)
	c.Rows = nil
	require.NotEmpty(t, draw(c))
}

func TestAFailedWriteOfAComparisonIsAnError(t *testing.T) {
	for _, format := range Formats() {
		require.ErrorContains(t, WriteComparison(failing{}, format, sampleComparison(t)), "write "+format)
	}
	require.ErrorContains(t, ComparisonSVG(failing{}, sampleComparison(t)), "write svg")
}

// failing takes nothing.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }
