// SPDX-License-Identifier: BSD-3-Clause

// Package watch measures known paths round after round: loss and delay of each
// path and each of its hops. It sends through a Prober, so it cannot open a
// socket, and it does not look for new paths: it says where flows have left the
// ones they were found on.
//
// # What a sample counts for
//
// A packet that expires at a TTL says something of the way to there. So what is
// counted is a way: the nodes that a path has up to a TTL (spot). Paths that
// begin with the same nodes share these spots, and a sample taken by a flow of
// one of them is as good for all: every such packet crossed the same routers,
// as far as routers can be seen, and expired at the same one. From where a
// path has parted from all others, its spots are its own, even where it meets
// others again: the destination is one node and as many spots as there are
// paths. Each spot is asked once in a round, shared ones by the flows of their
// paths in turn.
//
// The flows of one path take turns, too: one in each round, for all of the path
// that is its own. So what a path loses is what its flows lose, the links in
// parallel between two of its routers included, which no trace can see.
//
// # What is lost
//
// A packet is sent once: there are no retries within a round. It is lost if no
// reply has come when the engine stops waiting, which is after twice the longest
// round trip seen at that TTL and a little more; a reply that comes later counts
// as late (traceflow.Stats), and the packet stays lost. The engine learns from
// it, so a path that has become slower than that is slow from its next packet
// on, and not dead.
//
// Where the trace has seen a rate limit, the watch believes it: a limit is told
// by what a router answers at first, and that has passed.
//
// What another than the path's own router answers is no sample, and neither is
// what the same flow sent further in that round: the flow was on another path.
package watch
