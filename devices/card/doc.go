// Package card has the figures of a device that time does not tell: what its
// work costs in energy, what it draws at rest, and its price. They are tables of
// configurations, [energy] and [price] of a device, from the presets of
// configs/energy and configs/prices, where every figure names its source.
//
// Every table has a band, the half-width within which its figures are believed,
// relative. Bands are not standard deviations: where figures are added, the bands
// are added as well, as if all were wrong in the same direction.
//
// Energy is linear in what was counted: commands of DRAM, bits on wires and
// through caches, operations. Left out: that voltage and clock follow the load,
// the data's toggling, temperature, and the losses of supplies.
package card
