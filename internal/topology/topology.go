// SPDX-License-Identifier: BSD-3-Clause

// Package topology reads the files that describe test networks: who forwards
// to whom, how each node balances, and what each node does wrong. One file
// drives the simulated network (package simnet), the same network behind a
// TUN device, and real kernels in namespaces (package netlab).
//
// It describes, validates and predicts (Truth); it carries no packet and opens
// nothing but the files it is given. To add a behaviour, add a field to Node or
// Edge, its key to the table in keys.go, its row to docs/lab.md, and its effect
// in simnet (and in netlab if a kernel can do it).
//
// # The format
//
// A file is a txtar archive: free text first, which is the network's comment,
// then a section named "topology", and maybe one named "prefixes", which is kept
// as it is. Sections with other names are left to whoever wrote them. The
// topology is read line by line; "#" starts a remark.
//
//	seed 1
//	family 4 6
//	default limit=6/1s delay=2ms
//	node src source
//	node a2 silent
//	node dst destination drop-udp
//	link src > r1 > a1 a2*2 w[1..64] > c > dst
//	link c > dst jitter=100us
//
// "seed" (default 1) makes all chance repeatable. "family" (default both)
// says which of IPv4 and IPv6 the nodes have addresses for. "default" gives
// keys to every node or link that the lines below it create. "node" gives keys
// to one or more nodes; what it says replaces the default. "link" joins every
// node of one group to every node of the next; "*2" is the weight of the links
// into a node, and the keys at the end are those of all links of the line.
// "w[1..64]" stands for w1 to w64, on node and link lines alike. A node that
// only links name is a plain router.
//
// Exactly one node is the source and exactly one the destination; every other
// node lies on a path between them, and no path comes back to where it was.
//
// # Addresses
//
// Node number i, counted from 0 in the order in which the file first names the
// nodes, has the IPv4 address 198.18.(i/250).(i%250+1), out of the range for
// benchmarks (RFC 2544), and the IPv6 address 2001:db8::(i+1), out of the
// range for documentation (RFC 3849), unless the file gives it others.
package topology

import (
	"net/netip"
	"time"
)

// Topology is one network, seen from one vantage point towards one
// destination. Edges form a directed acyclic graph from Source to Destination;
// replies travel back along reversed edges.
type Topology struct {
	// Name is the file's base name without its ending.
	Name string
	// Comment is the free text before the first section.
	Comment string
	// Prefixes is the section of that name: a table of who owns the addresses and
	// where they are, in the form of the user's own (enrich.ParsePrefixes). It
	// changes nothing about the network, and is not checked here.
	Prefixes []byte
	// Seed makes every random choice of the simulated network repeatable.
	Seed uint64
	// IPv4 and IPv6 say for which families nodes have addresses.
	IPv4, IPv6 bool
	// Source and Destination are indices into Nodes.
	Source, Destination int
	Nodes               []Node
	Edges               []Edge
}

// Node is the vantage point, a router or the destination.
type Node struct {
	Name string
	// Address4 and Address6 are what the node answers from. Invalid for a
	// family that the topology does not have.
	Address4, Address6 netip.Addr

	// Balance says how the node spreads packets over its next hops.
	Balance Balance
	// Hash is the hash family used by PerFlow and PerDestination.
	Hash Hash
	// HashSeed differs from node to node, or consecutive nodes polarise.
	HashSeed uint64
	// Fields are what the hash reads.
	Fields Fields

	// Silent nodes forward but never answer.
	Silent bool
	// ReplyLoss is the share of answers that are lost, 0 to 1.
	ReplyLoss float64
	// ForwardLoss is the share of packets on their way to the destination that
	// the node drops, 0 to 1. Replies on their way back are not touched.
	ForwardLoss float64
	// Limit rate-limits the node's answers; a zero Burst means no limit.
	Limit RateLimit
	// QuoteLength is how many bytes of the probe's IP packet the node quotes,
	// IP header included; 0 means as much as the RFCs allow.
	QuoteLength int
	// MPLS is the label stack quoted by the node, top first.
	MPLS []Label
	// MPLSLegacy writes the stack in the layout that predates RFC 4884:
	// length field 0, extension at byte 128.
	MPLSLegacy bool
	// Mangle damages the quote.
	Mangle Mangle
	// Duplicates is how many extra copies of each answer are sent.
	Duplicates int
	// KeepTTL forwards without decrementing the TTL, there and back, so the
	// node never shows.
	KeepTTL bool
	// ZeroTTL forwards a packet that arrives with a TTL of 1, with a TTL of 0:
	// the node behind answers in its place, and shows twice.
	ZeroTTL bool
	// Remark rewrites the TOS byte of packets that the node forwards.
	Remark Remark
	// Interface is the incoming interface that the node's errors tell of.
	Interface Interface
	// QuotedTTL is the TTL that the node's quotes show, as those of a tunnel
	// do in which the IP header does not age; 0 means what the packet had.
	QuotedTTL uint8
	// ReplyTTL is the initial TTL of the node's answers; 0 means 64.
	ReplyTTL uint8
	// ReturnExtra is by how many hops the way back of the node's answers is
	// longer than the way there: so much less TTL is left of them.
	ReturnExtra uint8
	// AnswerDelay is spent in the node before it answers (a slow control
	// plane); it never delays forwarded packets.
	AnswerDelay time.Duration
	// Unreachable makes the node refuse to forward: every packet that would
	// leave it draws this answer. A packet whose TTL ends at the node never
	// would, so it draws time exceeded as elsewhere.
	Unreachable Unreachable
	// DropUDP, DropTCP and DropICMP make a destination swallow UDP, segments
	// that open a connection, and echo requests without an answer.
	DropUDP, DropTCP, DropICMP bool
	// TCP and UDP are what a destination's ports do.
	TCP TCP
	UDP UDP
	// TTLExpired makes a destination answer time exceeded, whatever the TTL,
	// where it would answer in a way of its own.
	TTLExpired bool
	// NoPTB drops packets too big for the next link without an answer: a black
	// hole for path MTU discovery.
	NoPTB bool
	// NAT makes the node translate the source of packets that it forwards: the
	// address to NATAddress4 or NATAddress6, or to the node's own where that is
	// not valid, and the port, or the ID of an echo request, to another unless
	// NATKeepsPorts. Answers find their way back through the node.
	NAT                      NAT
	NATAddress4, NATAddress6 netip.Addr
	NATKeepsPorts            bool
}

// Edge is one direction of a link: packets for the destination that are at
// From may be forwarded to To.
type Edge struct {
	From, To int
	// Weight is the edge's share among the edges of From; at least 1.
	Weight int
	// Delay and Jitter are one way, and hold in both directions. A packet
	// takes Delay plus a uniform part of Jitter.
	Delay, Jitter time.Duration
	// MTU is the longest IP packet, in bytes, that From forwards over the edge;
	// 0 means any. A longer one draws an answer that names the MTU; without
	// Don't Fragment IPv4 lets it pass, since nothing fragments here.
	MTU int
}

// RateLimit is a token bucket: Burst answers at once, then one each Interval.
// It holds for ICMP errors, for each family on its own.
type RateLimit struct {
	Burst    int
	Interval time.Duration
}

// Label is one MPLS label stack entry (RFC 3032); the bottom bit follows from
// its place.
type Label struct {
	Label uint32
	TC    uint8
	TTL   uint8
}

// Balance is a node's way of choosing among next hops.
type Balance uint8

// The balancers, in the field's words.
const (
	PerFlow        Balance = iota // hash of Fields
	PerPacket                     // round robin
	PerDestination                // hash of the destination address only
)

// Hash is a family of hash functions found in forwarding hardware and kernels.
type Hash uint8

// The hash families.
const (
	Jenkins Hash = iota
	CRC16
	CRC32
	Toeplitz
	XOR
)

// Fields is a set of header fields.
type Fields uint8

// The fields that a balancer may read.
const (
	FieldSource Fields = 1 << iota
	FieldDestination
	FieldProtocol
	FieldSourcePort
	FieldDestinationPort
	FieldLabel // IPv6 flow label

	FiveTuple = FieldSource | FieldDestination | FieldProtocol | FieldSourcePort | FieldDestinationPort
)

// Mangle is a set of ways to damage a quote.
type Mangle uint8

// The damages.
const (
	MangleID       Mangle = 1 << iota // IP ID replaced
	MangleChecksum                    // UDP checksum replaced
	MangleAddress                     // destination address replaced
	ManglePorts                       // source port replaced
	MangleTTL                         // quoted TTL replaced by 1
	MangleTruncate                    // cut in the middle of the transport header
)

// Unreachable is an answer that refuses to forward.
type Unreachable uint8

// The refusals; None forwards.
const (
	UnreachableNone Unreachable = iota
	UnreachableNet
	UnreachableHost
	UnreachableProhibited
)

// AddressFor returns the node's address of the same family as peer.
func (n *Node) AddressFor(peer netip.Addr) netip.Addr {
	if peer.Is4() {
		return n.Address4
	}
	return n.Address6
}
