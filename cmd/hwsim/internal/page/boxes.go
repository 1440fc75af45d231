package page

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
)

// bar is a labelled width that parts share.
type bar struct {
	Name   string
	Figure string // to the right of the name
	Parts  []part
}

// part is a share of a bar's width.
type part struct {
	Class string // its colour
	Share float64
	Text  string // written into it if it is wide enough
	What  string // what it is, with its figure, for a pointer
}

// leastText is the share of a width that a word or two need.
const leastText = 0.12

func (p part) Width() template.CSS { return template.CSS(decimal(100*p.Share, 3) + "%") }
func (p part) Title() string       { return p.What }

// bars lays out bars whose parts have texts where these fit.
func bars(all []bar) template.HTML {
	for i := range all {
		for j := range all[i].Parts {
			if p := &all[i].Parts[j]; p.Share < leastText {
				p.Text = ""
			}
		}
	}
	return render("bars", all)
}

// lane is a strip of a picture whose horizontal axis it shares with others.
type lane struct {
	Name   string
	Figure string // to the right of the name
	Class  string
	Box    string // of the picture
	Body   template.HTML
}

// lanes are strips above one axis.
type lanes struct {
	Lanes []lane
	Ticks []tick
}

// tick is a mark of an axis at a share of its length.
type tick struct {
	Share float64
	Text  string
	Minor bool // not on small screens
}

// Class tells style.css where the text hangs.
func (t tick) Class() string {
	switch {
	case t.Share < 0.04:
		return "first"
	case t.Share > 0.96:
		return "last"
	case t.Minor:
		return "minor"
	}
	return ""
}

func (t tick) At() template.CSS { return template.CSS(decimal(100*t.Share, 2) + "%") }

func (l lanes) html() template.HTML { return render("lanes", l) }

// decimal writes v with at most so many digits behind the point.
func decimal(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// timeTicks are five marks of an axis from 0 to so many ns.
func timeTicks(ns float64) (ticks []tick) {
	for i := range 5 {
		t := tick{Share: float64(i) / 4, Text: units.Duration(ns * float64(i) / 4), Minor: i%2 == 1}
		if i == 0 {
			t.Text = "0"
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// box is a viewBox from 0.
func box(width, height float64) string {
	return fmt.Sprintf("0 0 %s %s", decimal(width, 3), decimal(height, 3))
}
