// Package validation compares predictions with measurements. A table of
// measurements is known by its columns; each of its rows becomes one or more
// comparisons of a measured figure with what a simulation of the same
// benchmark, copy or decode step predicts. Comparisons are summed up by table
// and by regime (bucket): rows that one mechanism decides, which has a bound
// of its own.
//
// Errors are of times, predicted over measured less one; a rate in GB/s
// counts as the time that its bytes take. Of n rows,
//
//	MAPE           mean of the errors' sizes
//	median, P90    quantiles of the errors' sizes, interpolated between rows
//	bias           mean of the errors with their signs
//	time weighted  sum of |predicted - measured| over sum of measured: every row
//	               counts by its time, and errors do not cancel
//	baseline       MAPE of the fixed time and rate that fit the same rows best,
//	               where rows move bytes and two figures do not always fit
//	repeat         MAPE of the same measurement on another machine of the kind
//
// A row whose rate is above what the machine's memory or links can move is
// not compared, but reported. Random or repeated accesses to a working set
// somewhat beyond the L2 may be that fast: the L2 serves its share of them at
// best, and only the rest is held against the pins.
//
// DEVIATIONS.md lists the known gaps, each held by a row that shows it.
//
// The measured tables of an H200 ship with the package, see h200/README.md.
package validation
