// Package page writes the outcome of a run as one HTML file for people: the answer,
// then figures, each with the table of what it shows. A page needs no other file and
// no network, and equal outcomes give equal bytes.
//
// A Page is sections of blocks; blocks are figures, tables and lines of text. Step,
// Program and Offload build the pages of the kinds of configurations, each from a list
// of functions that return a section, or none where the outcome has nothing for it. To
// add a section, add its function to the list.
//
// The words and tables of the head, and of what has no figures of its own, are those of
// the text report. Figures are drawn as inline SVG, and as boxes whose shares of a width
// a browser lays out; colours, dark and light, print and phones are style.css.
package page
