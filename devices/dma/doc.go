// Package dma models a GPU's end of a link (PCIe, NVLink): the port through
// which SMs read and write remote memory in place, and the copy engines that
// move bytes between it and the GPU's own memory, each one copy at a time.
//
// SM requests hold one of the link's tags each, and are translated by a unit
// with a TLB and walkers if there is one (devices/tlb); an engine keeps a
// window of bytes in flight, pays a fixed cost for every copy it starts, in a
// front end that all engines share, and waits for the translation of where it
// begins. Both share the wire, in the order of their requests.
//
// Left out: page faults, walks within a copy, and copies between two remote
// places.
package dma
