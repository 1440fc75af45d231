// Package configs loads strict TOML configuration with embedded presets.
//
// A configuration is a tree that [Load] puts together from
//
//   - the file itself, named by path or as a preset of this folder;
//   - the files it names in base = ["a.toml", ...], laid under its own keys;
//   - what the command line sets: -set system.links.0.lanes=16;
//   - the presets that tables name: [system] use = "h200_sxm" lays
//     systems/h200_sxm.toml under the keys written in [system].
//
// Tables merge; scalars and arrays replace; the later wins. Presets are
// looked up last, so the last word on use, be it of -set, picks the preset,
// and every key written by hand survives the change. Any table may say use,
// in a preset too, but not the top of a run's own file, which has base.
// [LoadTable] reads a preset, or a file like one, as the table that it is.
//
// Every value remembers where it was written. [Document.Decode] fills a
// struct from the tree, accepts no unknown key, asks each part of the struct
// to Validate itself, and returns all problems at once, a line each:
//
//	a.toml:14: system.hbm.chanels: unknown key (did you mean "channels"?)
//	a.toml:31: workload.batch: "many" is not an integer
//
// [Document.Print] writes the tree back as one plain file, with origins.
// [Document.With] returns a variant: the same files under more sets.
//
// Values are strings, integers, floats, booleans, arrays and tables. Dates
// and nan are refused: no part of a machine is described by either.
package configs
