// Package devices holds what every device shares: the message that travels
// between simulation domains and the causes among which its time is divided.
// Each device lives in a folder of its own; none of them knows a workload or
// a model.
package devices
