// Package page writes outcomes as one HTML file each, for people: the answer, then
// figures, each with the table of what it shows. A page needs no other file and no
// network, and equal outcomes give equal bytes.
//
// A Page is sections of blocks; blocks are figures, tables and lines of text. Step,
// Program, Offload, Sweep and Validation build the pages of what hwsim does. The
// sections of a step are a list of functions, each of which returns a section, or none
// where the outcome has nothing for it: to add a section, add its function to the list.
//
// The head and foot of a page, and what has no figures of its own, are those of the text
// report. Figures are drawn as inline SVG, and as boxes whose shares of a width a
// browser lays out; a sweep's points, which may be thousands, by a script on a canvas.
// Colours, dark and light, print and phones are style.css. What is told by a colour is
// told by a text too.
//
// The tests open every page in a headless Chromium, where there is one; -screenshots DIR
// keeps what it shows.
package page
