// Package plots draws validation reports as SVG: of each table the predicted
// times over the measured ones, and the curves that its rows make, measured as
// lines, predicted as points. Equal reports give equal bytes.
//
// A report of a sample has few points on each curve, and its lines are those
// of the sampled rows.
package plots
