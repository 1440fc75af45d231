// Package flash models NAND flash behind its channels, from the page operation
// down: channels shared by chips, chips of dies, dies of planes, planes of
// blocks of pages.
//
// An operation is one page read or programmed or one block erased. It waits in
// the queue of its unit, the part that runs one command at a time: a die, or
// without die interleave a whole chip. When the channel and the unit are free
// the first operation is issued, and with it those of the same die's other
// planes at the same page, as one multi-plane command. A read occupies the
// channel for command and address, the die for tR, and the channel again for
// its data, which go before new commands, or after them. A program brings its
// data with the command and then occupies the die for tPROG; an erase only
// sends a command. Units of a channel take turns. Within a unit reads go
// before programs before erases, and among these the mapping's operations
// before urgent garbage collection's before the host's before other
// collection's. Programs of one plane and class keep their order.
//
// tR and tPROG depend on the kind of page (which of a cell's bits it holds).
// With cache reads a die reads on while the page before leaves by the second
// register. Programs and erases may be suspended for reads: each read then
// waits for the suspension first, and the rest runs once no read waits. A read may need
// retries: with a given probability, a uniform number of steps of a given
// length.
//
// What ends at a time ends before channels look for work at that time, so that
// work which follows from it is among what they choose from.
//
// Sources: command and data phases of the Open NAND Flash Interface (ONFI)
// specification, NV-DDR2; the order of page kinds in a block and chip-serial
// units and programs that leave a block's order from MQSim (Tavakkol et al.,
// FAST 2018), for comparison with it only.
//
// Left out: read disturb, retention and wear as causes of retries, bad blocks,
// on-die ECC, partial page programs, copyback, one-shot programs of several
// pages, power.
package flash
