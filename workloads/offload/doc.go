// Package offload runs offloaded generation as a configuration describes it: a
// system (FlexGen or one of its rivals, package flexgen) on a machine with a
// model, under a policy that is given or searched for. It reports tokens a second,
// where the time goes by kind of operation and by resource, and what lies where;
// of InstInfer (attention on drives, devices/csd) also what drives read and write
// for what is wanted, gather in DRAM, and how long they last.
//
// What a machine's memories cannot hold is an error, but for the systems that
// swap or recompute it.
package offload
