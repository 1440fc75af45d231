// Package validation compares predictions with measurements: of decode steps
// and their kernels on an H200, so far. The measured tables ship with it, see
// h200/README.md; every error is shown beside what a two-parameter fit to the
// same rows reaches, and beside how well the measurement repeats.
package validation
