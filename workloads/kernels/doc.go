// Package kernels knows how libraries' kernels use memory: their grids, what
// each CTA reads and writes and in which order, how many tiles it has in
// flight, and the rules by which the library chooses all that. A kernel is a
// gpu.Program; the facts about a library are its Profiles (configs/kernels).
//
// Left out: values (what is computed), and everything of a kernel's code that
// is not its loads, its stores and a time a tile.
package kernels
