// Package published holds policies, engines and models against figures that
// papers print: bytes, ratios, and times that follow from bytes or FLOP at a
// stated rate (ClosedForms), and times of decode steps that are simulated
// (Simulated). Nothing of ours is typed in: our figure comes from the presets of
// configs/policies, configs/engines and configs/models through packages kv,
// kvalloc and workloads, the published one and the inputs that a paper states are
// in the row.
//
// A row that falls short stays, with what is missing.
//
// Left out: accuracy, and figures of which the configuration is not published.
//
// Sources: the papers that the rows name. An ID is the number of a target (V), of
// a trap found while checking one (T), or of a method. Where a row says "derived"
// its published figure is arithmetic on a paper's formula or inputs.
package published
