// Package program runs a program's accesses, generated (package synthetic) or
// recorded (package trace), on a core (package cpu), and reports what their
// translation costs: misses of each TLB, walks and where they find entries, what
// rivals of large TLBs answer, and the share of the time.
//
// Accesses before the counters begin warm up TLBs, caches and page tables; what is
// under way then is waited for. Pages are mapped where they are touched first, in no
// time. Every access is simulated.
//
// A recorded stream ends a run with an error at an address that the page tables do
// not reach.
//
// Left out: shootdowns and switches of contexts, which no stream asks for; programs
// on several cores.
package program
