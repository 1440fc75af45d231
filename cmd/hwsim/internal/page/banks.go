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
	return g
}

// figures are the maps of bursts and of row hits.
func (g *grid) figures() []Block {
	data := g.table()
	hits := func(b dram.BankStats) (float64, bool) {
		return 1 - ratio(float64(b.ACT), float64(b.Bursts)), b.Bursts > 0
	}
	return []Block{
		Figure{Title: g.tier + ": bursts by channel and bank", Says: says(data), Body: g.picture(func(b dram.BankStats) (float64, bool) { return ratio(float64(b.Bursts), float64(g.most)), b.Bursts > 0 }),
			Keys: shadeKeys("none", "most, "+units.Count(g.most)), Note: g.spread(), Data: data},
		Figure{Title: g.tier + ": row hits by channel and bank", Says: "The share of bursts that found their row open; the table above has it by channel.", Body: g.picture(hits), Keys: shadeKeys("0 %", "100 %")},
	}
}

// spread says how evenly channels and banks are used.
func (g *grid) spread() string {
	mean := float64(g.bursts) / float64(len(g.columns))
	most := uint64(0)
	for _, c := range g.columns {
		most = max(most, sum(c).Bursts)
	}
	banks := len(g.columns) * len(g.columns[0])
	return fmt.Sprintf("%d channels or pseudo-channels of %d banks; the busiest has %s times the bursts of the mean, the busiest bank %s times the mean bank's.",
		len(g.columns), len(g.columns[0]), units.Number(float64(most)/mean), units.Number(float64(g.most)*float64(banks)/float64(g.bursts)))
}

func sum(banks []dram.BankStats) (all dram.BankStats) {
	for _, b := range banks {
		all.ACT, all.Bursts = all.ACT+b.ACT, all.Bursts+b.Bursts
	}
	return all
}

// picture draws the cells of each shade as one path, side by side ones of a column as
// one rectangle.
func (g *grid) picture(value func(dram.BankStats) (float64, bool)) template.HTML {
	var paths [shades]strings.Builder
	rows := len(g.columns[0])
	for x, column := range g.columns {
		for y := 0; y < rows; {
			shade := shadeOf(value(column[y]))
			end := y + 1
			for end < rows && shadeOf(value(column[end])) == shade {
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
	l.Ticks = []tick{{Share: 0, Text: "channel 0"}, {Share: 0.5, Text: fmt.Sprint(last / 2), Class: "minor"}, {Share: 1, Text: fmt.Sprint(last)}}
	return l.html()
}

// shadeOf returns the shade of a share, -1 where there is nothing to tell.
func shadeOf(share float64, known bool) int {
	if !known {
		return -1
	}
	return min(shades-1, int(share*shades))
}

func shadeKeys(least, most string) (keys []Key) {
	for i := range shades {
		k := Key{Class: fmt.Sprintf("h%d", i)}
		switch i {
		case 0:
			k.Text = least
		case shades - 1:
			k.Text = most
		}
		keys = append(keys, k)
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
			units.Percent(max(0, 1-ratio(float64(all.ACT), float64(all.Bursts)))), units.Count(least), units.Count(most)})
	}
	return t
}
