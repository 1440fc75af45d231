// Package graph replays a graph of kernels and copies on a machine: in every
// request, or sampled, which runs the same devices and leaps ahead inside long
// kernels and transfers once their rates have converged.
//
// Kernels follow each other on one stream; copies run beside them, as far as
// what they wait for has ended. The stream is accounted for in spans (a layer, a
// call), each of which may stand for several like it.
//
// A run that was told to Record has a Timeline: when each kernel and copy ran, and
// the rates of tiers and links between the times at which ops ended.
//
// Left out: several kernels on the SMs at once.
package graph
