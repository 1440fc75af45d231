// Package hierarchy builds a machine from its description: the GPU with its
// L2 and HBM, the links that leave it, and the memory behind them; the
// address space of its tiers; and what lies where.
//
// A physical address names its tier in its top bits, so a request finds its
// way without a table. Capacity is checked when an object is placed.
package hierarchy
