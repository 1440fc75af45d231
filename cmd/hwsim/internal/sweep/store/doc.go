// Package store keeps the outcomes of a sweep's points on disk.
//
// A [Store] is a folder with one file of JSON lines: a header that says whose
// points they are, then a line for each point, only ever appended to. Append returns
// once its lines are on the disk (fsync); what was appended survives a kill at any
// instant. A kill may tear the last line: Open cuts it off. A line that is not whole
// anywhere else is an error, since no kill leaves one. The file is locked while it
// is open for writing, so that no two processes run one shard.
//
// A [Memo] is a folder of outcomes by what they are outcomes of, one file each,
// which any number of processes may share: files appear whole, by a rename, and
// equal keys have equal outcomes, so that it does not matter whose stays. It is a
// cache: nothing in it is synced, and what does not read is as if it were not there.
package store
