// Package report writes a result as text for people, JSON for programs and
// CSV for tables. It computes nothing that the result does not hold, and
// equal results give equal bytes.
package report
