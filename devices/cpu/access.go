package cpu

// Access is one memory access of an instruction stream. It stays within a
// cache line.
type Access struct {
	Addr  uint64 // virtual byte address
	Gap   uint32 // instructions since the access before that touch no memory
	After uint32 // its address is the data of the access so many back; 0: of none
	Space uint16 // address space, below MaxSpaces
	Write bool
	Flush bool // a branch on its data goes another way than predicted: what follows is dispatched when they are there
}

// Stream yields the accesses of a core's instructions in program order.
type Stream interface {
	// Fill writes the next accesses into batch and returns how many; 0 means that
	// the stream has ended.
	Fill(batch []Access) int
}
