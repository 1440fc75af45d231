// Package trace reads recorded memory accesses of programs as the stream of a
// core. It reads as it goes: a file of any length takes the same memory.
//
// The content tells the format, whatever the file is called: gzip and xz by
// their first bytes, ChampSim by a first record that no text can be, the others
// by the first line that is neither blank nor a comment (#). The name of a
// format (Formats) given to Open leaves out that last step.
//
// # csv
//
// A header, then an access a line:
//
//	gap,addr,op,space,after
//	3,0x7f001040,R,0,0
//
// gap is how many instructions before it touch no memory, since the access
// before; addr a virtual byte address; op R or W. The columns space and after
// can be left out, or stand in the other order; they are those of cpu.Access,
// and after counts no further back than to the first line. Numbers are decimal,
// or hex after 0x. An access has no size here: it lies within a line. Write
// writes this format.
//
// # champsim
//
// Records of 64 bytes, an instruction each, little endian: its address (8
// bytes), is_branch, branch_taken, 2 destination registers, 4 source registers
// (1 byte each), 2 destination and 4 source memory addresses (8 bytes each).
// Zero stands for none. An instruction loads from its source memory, then
// stores to its destination memory. There are no sizes: an access lies within a
// line.
//
// The dependence of an address is found through the registers. A register holds
// the data of the youngest load that it comes from: of the instruction's own
// last load, or, where that loads nothing, of the youngest behind its source
// registers. After points from an access to the youngest load behind the source
// registers of its instruction. What follows from the format, or is chosen:
//
//   - Address and data registers are not told apart, so that the address of a
//     store also waits for a load of its data.
//   - Of several loads only the youngest is kept, though an older one can be
//     the later to end.
//   - Flags (register 25) form no address, but pass on in what reads them.
//   - The instruction pointer (26) depends on nothing: it is predicted.
//   - The stack pointer (6) depends on nothing new where a branch or an
//     instruction with accesses writes it, or one that reads no register besides
//     6, 25 and 26: its value is known at decoding. This is ChampSim's own rule.
//   - Registers are the numbers in the file. The tracer for x86 gives a part of
//     a register (eax of rax) a number of its own: a dependence through a part
//     written and the whole read is lost. Idioms that clear a register, such as
//     xor of it with itself, keep its dependence.
//   - A load more than 2^32 - 1 accesses back is none.
//
// # lackey
//
// What valgrind --tool=lackey --trace-mem=yes writes, sizes in bytes:
//
//	I  0401ab73,5     an instruction
//	 L 1fff000758,8   a load of the instruction above it
//	 S 1fff000750,8   a store
//	 M 1fff000748,4   a load and then a store
//
// Lines of Valgrind's own (==pid==, --pid--, **pid**) are passed over. The gap
// counts the instructions since the access before that are followed by no
// access of theirs: neither the one whose access this is nor, in an
// instruction's second access, any. Dependences are not recorded: After is 0.
//
// An access that crosses lines of 64 bytes becomes one a line, in ascending
// order, the gap with the first; a modify that does so loads all and then
// stores all.
//
// # Addresses
//
// An address is below 2^57, the span of five levels of page table. ChampSim
// traces of kernels hold addresses whose bits 56 to 63 are set: of these the
// low 57 bits are kept, which keeps them apart from those of programs.
//
// # Left out
//
// Instructions after the last access; an instruction with several accesses counts
// as so many. A gap of more than 2^32 - 1 instructions
// in champsim and lackey counts as that many. ChampSim's other records
// (CloudSuite, with 4 destinations and an address space), branches and fetches.
// Address spaces other than 0 outside csv. Compressions other than gzip and xz.
//
// Sources: ChampSim inc/trace_instruction.h and src/ooo_cpu.cc (stack pointer),
// tracer/pin/champsim_tracer.cpp (register numbers); what lackey of Valgrind 3.19
// writes.
package trace
