// Package operators runs one operator of a model alone, the way it is
// measured: as the calls of a CUDA graph, over buffers in turn where the
// measurement has several, so that none is in the L2.
//
// What is simulated is a window: a few calls to warm up, then as many as it
// takes to know the mean. From event to event a graph takes its host's graph_ns
// more than its calls, of which each bears its part.
//
// Source: measure/llm.py.
package operators
