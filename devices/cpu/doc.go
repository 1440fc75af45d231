// Package cpu models a core that runs a stream of memory accesses.
package cpu
