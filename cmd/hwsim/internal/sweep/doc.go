// Package sweep runs a configuration over many values of some of its keys.
//
// The table [sweep] of a configuration ([Config]) says which: axes of listed values,
// ranges, logarithmic ranges or presets, some only under conditions; values derived
// from them; constraints; and the objectives by which points are compared. A design
// picks the points: the whole grid, random, Latin hypercube or Halton samples (those
// two by gonum's stat/samplemv), one axis at a time, or the rows that Sobol indices
// are estimated from. A [Design] depends on the table and the seed alone, so every
// process that has these knows every point by its number: that is what makes a shard
// pure.
//
// A [Runner] runs points that are not done, each distinct configuration once, and
// appends their outcomes to a store. [Analyse] compares what the store holds: the
// front, its hypervolume, and how much each axis matters.
//
// What is remembered is the outcome of a whole effective configuration; windows of a
// simulation that several points have in common are simulated in each of them.
package sweep
