// Package program runs a program's accesses, generated or recorded, on a core and
// reports what their translation costs.
package program
