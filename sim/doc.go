// Package sim is the engine: an integer-picosecond clock, domains with their
// own event queues that advance together in lookahead windows, statistics,
// latency attribution, recording, and seeded random streams. It knows no
// device and imports nothing of ours.
package sim
