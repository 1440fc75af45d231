// Package slurm runs a sweep's shards as the tasks of a Slurm job array.
//
// An [Array] writes the batch script: task I runs shard I into a store of its own. A
// [Follower] submits the tasks that no job works on, asks the queue how they are, and
// submits again those that ended without their shard whole. It keeps no state. What is
// done, the shards' stores say; what is under way, the queue says, in which all jobs of
// a sweep in a folder have one name of their own. So the same command goes on wherever
// an earlier one has stopped.
//
// It talks to sbatch, squeue and scontrol (Slurm's manual pages of these say what is
// relied on) and needs no accounting database. It takes for granted that the program,
// the configuration and the folder have the same paths on every node, as with a file
// system that nodes share.
//
// Slurm itself queues tasks again whose node failed or that were preempted: the script
// allows it, and a shard goes on where it stopped. What a user cancels stays cancelled.
package slurm
