//go:build invariants

package sim

// invariants turns on checks that cost too much for every run.
const invariants = true
