// Package explain says what a key of a configuration means, by what the program
// itself is made of:
//
//   - which keys there are, and their types: the structs that configurations decode
//     into;
//   - what they mean, and what they are if nothing is written: the comments of the
//     structs' fields, which comments.txt has, written by go generate; a test fails
//     where it is not what the sources say;
//   - units: the last words of keys, as package configs reads them;
//   - what is allowed: values are tried on a preset, and what checks say is told;
//   - sources of values: the presets that set the key, with the comments beside.
//
// Checks that depend on other keys speak for the preset that they were tried on, and
// those that only a run makes, such as what fits into a memory, are not asked.
package explain
