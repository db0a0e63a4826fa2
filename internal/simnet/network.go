// SPDX-License-Identifier: BSD-3-Clause

// Package simnet is a network in memory, made from a topology file: it takes
// whole IP packets and gives back the ICMP errors and other replies that the
// network would send, at the time when they would arrive. Wire is what the
// probing engine sends and receives through; TUN puts the same network behind
// a device of the kernel's. Time is that of package time, so a test in a
// testing/synctest bubble has exact virtual time, and chance comes from the
// topology's seed, so a run can be repeated.
//
// What becomes of a packet is settled when it is sent: the path, the losses,
// the answer and the delays. Only the delivery waits. So a limiter sees packets
// in the order of their sending, each with the time at which it gets there.
//
// The destination also answers for the rest of its /24 or /120 that is no
// node's own. Otherwise nothing is routed: packets to any other address draw no
// answer, whatever their TTL. The network does not fragment or reassemble, has no links
// that fill up, and takes any source address for the vantage point's.
//
// To add a behaviour: what happens to a packet on its way belongs in
// forward.go, what a node answers in answer.go and destination.go, what it
// quotes in quote.go and extension.go, how often it answers in limit.go. Its switch is a field
// of topology.Node or topology.Edge.
package simnet

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"traceflow/internal/topology"
)

// bufferSize holds every ICMP error: those of IPv6 are the longest.
const bufferSize = maxErrorIPv6

// Network is one simulated network. Its methods may be used by several
// goroutines at once. It owns no goroutine.
type Network struct {
	t          *topology.Topology
	table      *topology.Table
	extensions extensions
	addresses  map[netip.Addr]bool // of all nodes

	mu      sync.Mutex
	epoch   time.Time // virtual times below count from here; set by the first Open
	dice    *rand.PCG // what random draws from; thrown anew for each packet
	random  *rand.Rand
	seen    map[uint64]uint64 // how many packets alike were carried; nil where chance has no part
	turns   []uint64          // packets that each per-packet balancer has forwarded
	buckets [][2]bucket       // of each node, for IPv4 and IPv6
	queues  []*queue          // of every open wire
	free    [][]byte          // buffers for replies
	flight  flight            // the packet at hand
	rewrite []byte            // its bytes, once a node has changed them
	quote   []byte            // what is quoted of it
	message []byte            // what is answered, without the IP header
	options []byte            // TCP options of an answer
}

// New makes a network from a topology, which must not change from then on.
func New(t *topology.Topology) *Network {
	n := &Network{
		t:          t,
		table:      t.Table(),
		extensions: newExtensions(t),
		addresses:  make(map[netip.Addr]bool),
		dice:       rand.NewPCG(t.Seed, 0),
		turns:      make([]uint64, len(t.Nodes)),
		buckets:    make([][2]bucket, len(t.Nodes)),
	}
	for i := range t.Nodes {
		node := &t.Nodes[i]
		for _, address := range []netip.Addr{node.Address4, node.Address6, node.NATAddress4, node.NATAddress6} {
			n.addresses[address] = true
		}
	}
	n.random = rand.New(n.dice)
	lossy := func(node topology.Node) bool { return node.ReplyLoss > 0 || node.ForwardLoss > 0 }
	jittery := func(e topology.Edge) bool { return e.Jitter > 0 }
	if slices.ContainsFunc(t.Nodes, lossy) || slices.ContainsFunc(t.Edges, jittery) {
		n.seen = make(map[uint64]uint64)
	}
	return n
}

// maxSeen bounds the memory of a network that carries packets for long: past
// it, chance repeats itself.
const maxSeen = 1 << 16

// throw makes the chances of the packet at hand: those of the n-th packet of
// its flow and TTL, whatever else is sent before or between. So the same trace
// has the same luck every time, however its packets are interleaved.
func (n *Network) throw(f *flight) {
	if n.seen == nil {
		return
	}
	if len(n.seen) >= maxSeen {
		clear(n.seen)
	}
	kind := uint64(f.flow.SourcePort)<<48 | uint64(f.flow.DestinationPort)<<32 | uint64(f.flow.Protocol)<<24 |
		uint64(f.ttl)<<16 | uint64(f.flow.Label)&0xffff
	// The last bytes tell destinations of one prefix, and the families, apart.
	last := f.flow.Destination.As16()
	kind ^= uint64(last[15])<<40 | uint64(last[0])<<8
	n.dice.Seed(n.t.Seed, kind*0x9e3779b97f4a7c15+n.seen[kind])
	n.seen[kind]++
}

// begin sets the epoch. The caller holds mu.
func (n *Network) begin() {
	if n.epoch.IsZero() {
		n.epoch = time.Now()
	}
}

// chance is true in the given share of cases.
func (n *Network) chance(share float64) bool {
	return share > 0 && n.random.Float64() < share
}

// crossing is the time that one packet spends on an edge.
func (n *Network) crossing(e *topology.Edge) time.Duration {
	if e.Jitter <= 0 {
		return e.Delay
	}
	return e.Delay + time.Duration(n.random.Int64N(int64(e.Jitter)+1))
}

// buffer returns an empty buffer.
func (n *Network) buffer() []byte {
	if last := len(n.free) - 1; last >= 0 {
		b := n.free[last]
		n.free = n.free[:last]
		return b[:0]
	}
	return make([]byte, 0, bufferSize)
}

// release takes a buffer back.
func (n *Network) release(b []byte) { n.free = append(n.free, b) }
