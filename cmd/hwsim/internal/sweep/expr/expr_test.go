package expr

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func values(name string) (any, bool) {
	v, ok := map[string]any{
		"kv.split.ddr": 0.1, "kv.split.cxl": 0.2, "batch": int64(32), "system": "a100", "on": true, "list": []any{},
	}[name]
	return v, ok
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"1 - kv.split.ddr - kv.split.cxl": 0.7,
		"kv.split.ddr + kv.split.cxl":     0.3,
		"batch * 2 / (4 - 2) + -1":        31,
		"1e3":                             1000,
	} {
		e, err := Parse(text)
		require.NoError(t, err)
		got, err := e.Number(values)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		"kv.split.ddr + kv.split.cxl == 0.3":   true,
		"batch > 16 && system == \"a100\"":     true,
		"batch >= 33 || !on":                   false,
		"system != \"h100\"":                   true,
		"on && batch < 8":                      false,
		"false && missing > 1":                 false, // the right side is not looked at
		"true || missing > 1":                  true,
		"batch <= 32 && (batch != 32 || true)": true,
	} {
		e, err := Parse(text)
		require.NoError(t, err)
		got, err := e.Bool(values)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
}

func TestWhatIsNoExpression(t *testing.T) {
	for _, text := range []string{"", "1 +", "f(x)", "a[0]", "a = 1", "x := 1", "&a", "a << 2", "'c'", "func() {}", "1i", strings.Repeat("1+", maxLength) + "1"} {
		_, err := Parse(text)
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestWhatHasNoValue(t *testing.T) {
	for text, want := range map[string]string{
		"missing + 1":   `"missing + 1": missing has no value`,
		"batch / 0":     `"batch / 0": the result is not finite`,
		"system + 1":    `"system + 1": a100 + 1`,
		"batch == on":   `"batch == on": 32 == true`,
		"batch && on":   `"batch && on": 32 && true`,
		"-on":           `"-on": - of true`,
		"list":          `"list": list is no number, string or boolean`,
		"batch > 1":     `"batch > 1" is true, not a number`,
		"1e300 * 1e300": `"1e300 * 1e300": the result is not finite`,
	} {
		e, err := Parse(text)
		require.NoError(t, err)
		_, err = e.Number(values)
		require.EqualError(t, err, want)
	}
}

func TestNamesAreWholeAndOnce(t *testing.T) {
	e, err := Parse("a.b.c + x * a.b.c > 2 && true")
	require.NoError(t, err)
	require.Equal(t, []string{"a.b.c", "x"}, e.Names())
}

func TestRoundDropsWhatArithmeticAdds(t *testing.T) {
	require.Equal(t, 0.3, Round(0.1+0.2))
	require.Equal(t, 0.333333333333, Round(1.0/3))
	require.True(t, math.Abs(Round(math.Pi)-math.Pi) < 1e-11)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1 - a.b", "a == \"x\" && !b", "((1))", "a.b.", "1//2", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		for _, n := range e.Names() {
			require.NotEmpty(t, n)
		}
		if v, err := e.Number(func(string) (any, bool) { return 2.0, true }); err == nil {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0))
		}
	})
}
