package link

import (
	"maps"
	"slices"
)

// Preset returns the named link and whether it exists.
func Preset(name string) (Config, bool) {
	c, ok := presets[name]
	if c.Packets != nil {
		p := *c.Packets // the caller may alter its copy
		c.Packets = &p
	}
	if c.Slots != nil {
		s := *c.Slots
		c.Slots = &s
	}
	return c, ok
}

// Presets returns the names that Preset knows, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// "Our H200" below is the pair of H200 SXM measured with links.csv and
// latency.csv of the reference data.
var presets = map[string]Config{
	// A V100 copies 12.35 GB/s from pinned memory (gpu-benches README): 9 %
	// below the 13.6 of 128-byte completions. Tags: 8-bit extended tags.
	"pcie3-x16": pcie(8, 0.09, 256, 128),

	// An A100 copies 26.0 GB/s (nvbandwidth README), an A6000 26.3 (issue
	// 50): 5 % below the 27.2 of 128-byte completions.
	"pcie4-x16": pcie(16, 0.05, 768, 128),

	// Our H200 copies 55.5 GB/s from and 55.4 to the host, 101.6 in both
	// directions at once, and its SMs read 51.4 with 128-byte requests. The
	// 5 % is fitted to the first figure and gives 55.5, 54.7, 100.8, 51.8.
	// Part of it is acknowledgement and credit packets, which pcie-model
	// puts at 1 to 2 %.
	"pcie5-x16": pcie(32, 0.05, 768, 256),

	// 12 links of 25 GB/s a direction. An A100's copy engine reaches 276
	// GB/s (nvbandwidth README), to which the 2 % is fitted. Its SMs are
	// reported at 230 to 240 (nccl-tests issue 149), 10 % below what 128-byte
	// packets give here.
	"nvlink3-x12": nvlink(12, 0.02),

	// 18 links of 25 GB/s a direction. Our H200's SMs read the peer at 376
	// GB/s in 128-byte packets, to which the 6 % is fitted; its copy engine
	// then gets 398 (measured 395), both directions 752 (742 to 749 on an
	// H100, nccl issue 1264).
	"nvlink4-x18": nvlink(18, 0.06),

	// CXL 2.0: 32 GT/s, flits of 68 bytes with 4 slots. CXL 3: 64 GT/s,
	// flits of 256 bytes with 15 slots.
	"cxl2-x8":  cxl(32, 17.0),
	"cxl2-x16": cxl(64, 17.0),
	"cxl3-x8":  cxl(64, 256.0/15),
	"cxl3-x16": cxl(128, 256.0/15),
}

// pcie returns 16 lanes of gtps GT/s with 128b/130b coding. Memory requests
// take 24 bytes with framing, sequence number and CRC, completions 20
// (pcie-model 40703cf). A copy engine asks for 256 bytes a request: with
// that, both directions of our H200 at once come out within 1 %.
func pcie(gtps, overhead float64, tags, maxPayload int) Config {
	const lanes, coding = 16, 128.0 / 130
	return Config{
		Kind:     "pcie",
		RawGBps:  gtps * lanes / 8 * coding,
		Overhead: overhead,
		// A pointer chase by our H200 takes 1157 ns over host memory. Less
		// the way through the GPU (146, a near L2 hit) and host DRAM (110),
		// each way takes 450.
		LatencyNs: 450,
		Tags:      tags,
		Packets: &Packets{
			RequestHeaderBytes: 24, ReadHeaderBytes: 20, WriteHeaderBytes: 24,
			MaxPayloadBytes: maxPayload, ReadRequestBytes: 256, GranuleBytes: 4,
		},
	}
}

// nvlink returns so many links of 25 GB/s a direction, behind a switch. A
// packet is a header flit and up to 16 data flits of 16 bytes (NVIDIA's
// Pascal whitepaper); the overhead is the link layer's CRC, acknowledgements
// and credits.
func nvlink(links int, overhead float64) Config {
	return Config{
		Kind:     "nvlink",
		RawGBps:  25 * float64(links),
		Overhead: overhead,
		// A pointer chase by our H200 takes 860 ns over the peer's memory
		// and 355 over its own: 252 each way.
		LatencyNs: 252,
		Packets: &Packets{
			RequestHeaderBytes: 16, ReadHeaderBytes: 16, WriteHeaderBytes: 16, AckBytes: 16,
			MaxPayloadBytes: 256, ReadRequestBytes: 256, GranuleBytes: 16,
		},
	}
}

// cxl returns a CXL.mem link. A read takes 1 slot of request and 4.5 of
// data (4, and half a header slot), a write 5 of data and a third of an
// acknowledgement. 4.5 and 5 follow from the slot formats; 1 and 1/3 are
// fitted to the Mess benchmark's curve of Micron's device model.
func cxl(rawGBps, slotBytes float64) Config {
	return Config{
		Kind:    "cxl",
		RawGBps: rawGBps,
		// 80 ns for both ports and the wire, both ways: 250 ns load to use of
		// an ASIC expander (CacheLib's OCP demonstration) less 60 from the
		// core to the port and 110 in the device.
		LatencyNs: 40,
		Slots: &Slots{
			SlotBytes: slotBytes, LineBytes: 64,
			ReadRequest: 1, ReadData: 4.5, WriteData: 5, WriteAck: 1.0 / 3,
		},
	}
}
