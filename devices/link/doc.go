// Package link models a full-duplex point-to-point link: PCIe, NVLink, CXL,
// or a chip-to-chip link. All share one model:
//
//   - each direction is a wire of a fixed raw rate, first come first served;
//   - a message occupies the wire for its payload and what its protocol packs
//     around it: headers a packet (PCIe, NVLink) or slots of a flit (CXL.mem);
//   - a fixed fraction of the wire goes to the link layer (acknowledgements,
//     credit updates, ordered sets);
//   - every byte takes a fixed latency from end to end.
//
// Bandwidth is not an input: it follows from these sizes, and Ceiling gives
// its maximum for a mix of reads and writes in closed form.
//
// Header sizes are those of the PCIe specification as used by pcie-model
// (Neugebauer et al., SIGCOMM 2018); the CXL.mem slot counts reproduce the
// maximum of the Mess benchmark's CXL curve for 50 read-write mixes. Each
// preset names the source of its numbers.
//
// Left out are retries after transmission errors, power states, arbitration
// between virtual channels, and the way a receiver's buffers fill: whoever
// owns a link bounds what is in flight with a Window of tags or credits.
package link
