package page

import (
	"fmt"
	"html/template"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/devices/dram"
	"hwsim/workloads"
)

// shades is how many shades a map has.
const shades = 8

// banks draws what each bank of each channel did.
func banks(r *workloads.Result) *Section {
	s := &Section{ID: "banks", Title: "Channels and banks",
		Text: "Every column is a channel, or a pseudo-channel of it, every line a bank, in the order of rank, group and bank. Counted while the machine was simulated in detail."}
	for i := range r.Banks {
		if g := gridOf(&r.Banks[i]); g.bursts > 0 {
			s.Blocks = append(s.Blocks, g.figures()...)
		}
	}
	if s.Blocks == nil {
		return nil
	}
	return s
}

// grid is a tier's banks by column.
type grid struct {
	tier    string
	columns [][]dram.BankStats
	bursts  uint64 // of all
	most    uint64 // of a bank
	mean    float64
}

func gridOf(row *workloads.BanksRow) *grid {
	g := &grid{tier: row.Tier}
	for _, channel := range row.Channels {
		each := len(channel) / max(1, row.PseudoChannels)
		for first := 0; first < len(channel); first += each {
			g.columns = append(g.columns, channel[first:first+each])
		}
	}
	for _, column := range g.columns {
		for _, b := range column {
			g.bursts, g.most = g.bursts+b.Bursts, max(g.most, b.Bursts)
		}
	}
	g.mean = ratio(float64(g.bursts), float64(len(g.columns)*len(g.columns[0])))
	return g
}

// figures are the maps of bursts and of row hits.
func (g *grid) figures() []Block {
	data := g.table()
	return []Block{
		Figure{Title: g.tier + ": bursts, against the mean bank's", Says: says(data), Body: g.picture(g.loadShade), Keys: loadKeys(), Note: g.spread(), Data: data},
		Figure{Title: g.tier + ": row hits", Says: "The share of bursts that found their row open; the table above has it by channel.", Body: g.picture(hitShade), Keys: hitKeys()},
	}
}

// spread says how evenly channels and banks are used.
func (g *grid) spread() string {
	channel := float64(g.bursts) / float64(len(g.columns))
	most := uint64(0)
	for _, c := range g.columns {
		most = max(most, sum(c).Bursts)
	}
	return fmt.Sprintf("%d channels or pseudo-channels of %d banks; the busiest has %s times the bursts of the mean, the busiest bank %s times the mean bank's.",
		len(g.columns), len(g.columns[0]), units.Number(float64(most)/channel), units.Number(float64(g.most)/g.mean))
}

func sum(banks []dram.BankStats) (all dram.BankStats) {
	for _, b := range banks {
		all.ACT, all.Bursts = all.ACT+b.ACT, all.Bursts+b.Bursts
	}
	return all
}

// picture draws the cells of each shade as one path, side by side ones of a column as
// one rectangle.
func (g *grid) picture(shadeOf func(dram.BankStats) int) template.HTML {
	var paths [shades]strings.Builder
	rows := len(g.columns[0])
	for x, column := range g.columns {
		for y := 0; y < rows; {
			shade := shadeOf(column[y])
			end := y + 1
			for end < rows && shadeOf(column[end]) == shade {
				end++
			}
			if shade >= 0 {
				fmt.Fprintf(&paths[shade], "M%d %dh1v%dh-1z", x, y, end-y)
			}
			y = end
		}
	}
	l := lanes{Lanes: []lane{{Class: "tall", Box: box(float64(len(g.columns)), float64(rows))}}}
	for shade := range paths {
		if paths[shade].Len() > 0 {
			l.Lanes[0].Body += template.HTML(fmt.Sprintf(`<path class="h%d" shape-rendering="crispEdges" d="%s"/>`, shade, paths[shade].String()))
		}
	}
	last := len(g.columns) - 1
	l.Lanes[0].Name, l.Lanes[0].Figure = fmt.Sprintf("bank 0 at the top, %d at the foot", rows-1), ""
	l.Ticks = []tick{{Share: 0, Text: "channel 0"}, {Share: 0.5, Text: fmt.Sprint(last / 2), Minor: true}, {Share: 1, Text: fmt.Sprint(last)}}
	return l.html()
}

// loads are where the shades of a bank's bursts begin, against the mean bank's.
var loads = [shades]float64{0, 0.5, 0.8, 0.95, 1.05, 1.25, 2, 4}

// loadShade returns the shade of a bank's bursts, -1 if it has none.
func (g *grid) loadShade(b dram.BankStats) int {
	if b.Bursts == 0 {
		return -1
	}
	load := float64(b.Bursts) / g.mean
	shade := 0
	for shade+1 < shades && load >= loads[shade+1] {
		shade++
	}
	return shade
}

// hitShade returns the shade of a bank's row hits, -1 if it has no bursts.
func hitShade(b dram.BankStats) int {
	if b.Bursts == 0 {
		return -1
	}
	return min(shades-1, int(rowHits(b)*shades))
}

// rowHits is the share of bursts that found their row open.
func rowHits(b dram.BankStats) float64 { return max(0, 1-ratio(float64(b.ACT), float64(b.Bursts))) }

func loadKeys() (keys []Key) {
	for i := range shades {
		text := "from " + decimal(loads[i], 2)
		if i == 0 {
			text = "below " + decimal(loads[1], 2)
		}
		keys = append(keys, Key{Class: fmt.Sprintf("h%d", i), Text: text})
	}
	return keys
}

func hitKeys() (keys []Key) {
	for i := range shades {
		keys = append(keys, Key{Class: fmt.Sprintf("h%d", i), Text: fmt.Sprintf("from %s %%", decimal(100*float64(i)/shades, 1))})
	}
	return keys
}

func (g *grid) table() *Table {
	t := &Table{Caption: g.tier + " by channel", Head: []string{"channel", "bursts", "of all", "activates", "row hits", "least bank", "busiest bank"}}
	for i, column := range g.columns {
		all, least, most := sum(column), column[0].Bursts, uint64(0)
		for _, b := range column {
			least, most = min(least, b.Bursts), max(most, b.Bursts)
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(i), units.Count(all.Bursts), units.Percent(ratio(float64(all.Bursts), float64(g.bursts))), units.Count(all.ACT),
			units.Percent(rowHits(all)), units.Count(least), units.Count(most)})
	}
	return t
}
