// Package cxl models a CXL memory expander (type 3 device) as its host's root
// port sees it: a link, a controller, and DRAM channels behind it.
//
// A request crosses the link, then half of the controller's fixed latency,
// and waits for an entry of the read or the write queue. It holds the entry
// while the DRAM serves it; a full queue holds up what lies behind it in the
// link's receive buffer, which is the back-pressure the host feels. Reads
// return through the controller's read path, whose rate may lie below that
// of link and DRAM: real devices read most slowly when nothing is written.
// A write is acknowledged when it has its entry.
//
// The structure and queue sizes are those of CXL-DMSim (arXiv 2411.02282);
// the rates and latencies of the presets are measured ones and name their
// source.
//
// Left out are the host's side (core to root port, caches, the writes' own
// allocations), retries, load reports to the host, switches, and the rare
// long stalls of real devices. Reads and writes do not check each other's
// addresses: ordering is the host's affair.
package cxl
