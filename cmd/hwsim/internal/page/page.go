package page

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"hwsim/cmd/hwsim/internal/report"
)

// Page is a document: the answer first.
type Page struct {
	Title      string   // of the browser's tab
	Answer     string   // the heading
	Of         []string // what was asked
	Sections   []*Section
	Provenance []string
	Script     string // JavaScript; empty: none
	Data       any    // what the script reads, as JSON, under the id "data"
}

// Section is a part with a heading.
type Section struct {
	ID     string // of its anchor
	Title  string
	Text   string // what it shows, in a sentence or two
	Blocks []Block
}

// Block is a figure, a table or lines of text.
type Block interface{ Kind() string }

// Figure is a picture, or boxes in its place, with what it shows as a table.
type Figure struct {
	Title string
	Says  string // for who cannot see it
	Body  template.HTML
	Wide  bool // wider than a phone: scrolled there
	Keys  []Key
	Note  string
	Data  *Table // nil: the body can be read aloud as it is
}

// Key is an entry of a legend.
type Key struct {
	Class string // of the mark, as style.css has it
	Mark  string // instead of a coloured box
	Text  string
}

// Table has headings at its top and in its first column.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// Lines are text whose columns align.
type Lines []string

// HTML is a block that a page's script fills.
type HTML struct{ Body template.HTML }

// Kind names the template.
func (Figure) Kind() string { return "figure" }

// Kind names the template.
func (Table) Kind() string { return "table" }

// Kind names the template.
func (Lines) Kind() string { return "lines" }

// Kind names the template.
func (HTML) Kind() string { return "html" }

//go:embed page.html
var document string

//go:embed style.css
var style template.CSS

var layout = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return style },
	"json":  func(v any) (template.JS, error) { text, err := json.Marshal(v); return template.JS(text), err },
	"js":    func(s string) template.JS { return template.JS(s) },
}).Parse(document))

// render executes one of the document's templates. What is drawn is made of figures
// that the caller has; that it fails is a mistake in the template.
func render(name string, data any) template.HTML {
	var out bytes.Buffer
	if err := layout.ExecuteTemplate(&out, name, data); err != nil {
		panic(fmt.Sprintf("page: template %s: %v", name, err))
	}
	return template.HTML(out.String())
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	var out bytes.Buffer
	if err := layout.Execute(&out, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// newPage is a page with the head and foot of a text report.
func newPage(title string, blocks []report.Block) *Page {
	head := blocks[0].Lines
	p := &Page{Title: title, Answer: head[0], Of: head[1:]}
	if len(blocks) > 1 {
		p.Provenance = blocks[len(blocks)-1].Lines
	}
	return p
}

// rest turns what lies between the head and the foot of a text report into blocks.
func rest(blocks []report.Block) (all []Block) {
	for _, b := range blocks[1:max(1, len(blocks)-1)] {
		if b.Table == nil {
			all = append(all, Lines(b.Lines))
			continue
		}
		all = append(all, Table{Caption: b.Table[0][0], Head: b.Table[0], Rows: b.Table[1:]})
	}
	return all
}

// add appends the section if there is one.
func (p *Page) add(s *Section) {
	if s != nil {
		p.Sections = append(p.Sections, s)
	}
}
