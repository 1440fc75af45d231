// Package published holds policies, engines and models against figures that
// papers print: bytes, ratios, and times that follow from bytes or FLOP at a
// stated rate. Nothing is simulated here, and nothing of ours is typed in: our
// figure comes from the presets of configs/policies, configs/engines and
// configs/models through packages kv and kvalloc, the published one and the
// inputs that a paper states are in the row.
//
// A row that falls short stays, with what is missing. Rows of simulated figures
// have the same type, and [Table] prints any.
//
// Left out: accuracy, and figures of which the configuration is not published.
//
// Sources: the papers that the rows name. An ID is the number of a target (V), of
// a trap found while checking one (T), or of a method. Where a row says "derived"
// its published figure is arithmetic on a paper's formula or inputs.
package published
