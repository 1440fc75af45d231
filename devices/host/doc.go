// Package host models the far side of a GPU's link as its requests see it:
// a root complex with DDR channels and CXL expanders behind it, or a peer
// GPU with its HBM.
//
// Each memory tier spreads its addresses over its units (channels,
// expanders); every request travels through the unit's own device model, and
// answers share the link's way back in the order in which they are ready.
// A fabric can make reads late at random (Jitter).
//
// Left out: the host's own traffic, its caches (DMA reads of pinned memory
// miss them), NUMA hops, and page translation in the IOMMU.
package host
