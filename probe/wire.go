// SPDX-License-Identifier: BSD-3-Clause

package probe

import "traceflow"

// Wire carries whole IP packets of one address family. Send is called by one
// goroutine and Recv by another, at the same time.
type Wire interface {
	// Send sends the packets in order and stamps each with the time it was
	// handed over. It returns how many were sent, and if that is not all of
	// them the error that stopped the next one.
	Send(batch []traceflow.Datagram) (int, error)
	// Recv blocks until at least one packet is there, fills batch from the
	// front, reusing the capacity of each Data, and returns how many it
	// filled. After Close it returns net.ErrClosed.
	Recv(batch []traceflow.Datagram) (int, error)
	// Close unblocks Send and Recv.
	Close() error
}

// Kind names a way to reach the network; it is the result's config.wire.
type Kind string

// The kinds of wire. KindAuto takes the first of the others that works.
const (
	KindAuto Kind = "auto"
	KindRaw  Kind = "raw"
	KindUDP  Kind = "udp"
	KindSim  Kind = "sim"
)

// Capabilities is what an open wire can do: data, not methods, because the
// engine decides by it and never by the wire's name.
type Capabilities struct {
	Kind Kind
	// QuotedHeader is true when the quotes received are as the router sent
	// them. Where it is false the quote's IP header and transport checksum
	// were rebuilt by the wire: no quoted TTL or TOS, no IP ID, no checksum,
	// and only the payload tells one probe of a flow from another.
	QuotedHeader bool
	// Blind says in one line what the wire cannot see; empty when it sees
	// everything.
	Blind string
}

// Options says what a wire is opened for.
type Options struct {
	IPv6 bool // packets of this family; otherwise IPv4
	// Interface is the only one that packets leave and arrive by; empty leaves
	// the choice to the system's routes.
	Interface string
}
