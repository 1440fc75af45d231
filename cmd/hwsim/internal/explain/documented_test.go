package explain

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// counts are the words for what numbers without a unit in their keys count, or are a
// part of.
var counts = regexp.MustCompile(`(?i)\b(` +
	`ns|µs|percent|bytes?|GB|GB/s|FLOP|pJ|W|relative|share|fraction|probability|exponent|log2|energy of|time of|K|` +
	`accesses|accumulators|address|banks?|blocks?|buckets|budgets|buses|bursts?|cards|channels?|chunks|chips|clusters|columns?|commands?|copies|cores|count|counts|CTAs|` +
	`depth|dies|dimensions?|directions|drives|edges|elements?|energies|entries|erases|experts|fetches|GPUs?|halves|heads?|hits|indices|instructions|isotopes|iterations|keys?|` +
	`layers?|level|levels|lines?|loads?|multiply-adds|multiprocessors|number of|pages?|pairs|parts?|planes|points|processors|queries|rank|ranks|reads|registers|requests|retries|rows?|` +
	`scores|seed|sequences|slots|SMs|spread|stages|steps?|tables?|threads|tiles?|tokens?|transfers|translations|tREFI|values?|vertices|walks?|warps|weights?|widths?)\b`)

// Every key has a comment of its own field, a table at least its struct's; and every
// number says its unit, in the key or in the comment, or what it counts.
func TestEveryKeyHasACommentAndEveryNumberAUnit(t *testing.T) {
	for _, k := range keys() {
		if isTable(k.Type) {
			require.NotEmpty(t, comment(k), "%s: neither its field nor its struct has a comment", k.Name)
			continue
		}
		own := comments()[fieldName(k.Key)]
		require.NotEmpty(t, own, "%s: %s has no comment", k.Name, fieldName(k.Key))
		if kind := typeText(element(k.Type)); kind == "integer" || kind == "number" {
			assert.True(t, configs.Unit(k.Name) != "" || counts.MatchString(own),
				"%s: neither the key nor %q says a unit or what is counted", k.Name, own)
		}
	}
}
