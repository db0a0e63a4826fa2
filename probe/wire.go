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
	KindAuto    Kind = "auto"
	KindRaw     Kind = "raw"
	KindSockets Kind = "sockets"
	KindSim     Kind = "sim"
)

// Capabilities is what an open wire can do: data, not methods, because the
// engine decides by it and never by the wire's name.
type Capabilities struct {
	Kind Kind
	// QuotedHeader is true when the quotes received are as the router sent
	// them. Where it is false the quote's IP header was rebuilt by the wire: it
	// says nothing of TTL, TOS or IP ID.
	QuotedHeader bool
	// Sends has the protocols that the wire sends with restrictions. What is not
	// in it, it sends without any.
	Sends map[traceflow.Protocol]Sending
	// Blind says in one line what the wire cannot see; empty when it sees
	// everything.
	Blind string
}

// Sending is what restricts a wire in sending a protocol.
type Sending struct {
	// Serial is true when only one packet of a flow can be in flight at a time.
	Serial bool
	// Nameless is true when a quote of 8 bytes tells the flow but not the packet:
	// the wire does not see those 8 bytes.
	Nameless bool
	// Missing says in one line what does not work and how to get it, such as a
	// sysctl; the protocol then cannot be sent at all. Empty if it can.
	Missing string
	// Flowless says in one line what it would take to hold everything constant
	// that routers balance by; without it the packets of a flow may go different
	// ways, and say nothing of which path is whose. Empty if they are one flow.
	Flowless string
}

// CanSend returns nil if the wire can send a protocol, and otherwise an
// UnsupportedError that says what it takes.
func (c *Capabilities) CanSend(p traceflow.Protocol) error {
	if missing := c.Sends[p].Missing; missing != "" {
		return &UnsupportedError{Feature: p.String() + " over wire " + string(c.Kind), Need: missing}
	}
	return nil
}

// CanFollow returns nil if the packets of a flow are one flow to routers too, and
// otherwise an UnsupportedError that says what it takes.
func (c *Capabilities) CanFollow(p traceflow.Protocol) error {
	if flowless := c.Sends[p].Flowless; flowless != "" {
		return &UnsupportedError{Feature: "telling paths apart by " + p.String() + " over wire " + string(c.Kind), Need: flowless}
	}
	return nil
}

// Options says what a wire is opened for.
type Options struct {
	IPv6 bool // packets of this family; otherwise IPv4
	// Interface is the only one that packets leave and arrive by; empty leaves
	// the choice to the system's routes.
	Interface string
	// DontFragment is for wires where the kernel writes the IP header: it sets
	// the Don't Fragment bit of all packets.
	DontFragment bool
	// LowestPort is the lowest source port of any flow. What arrives for lower
	// ports cannot be an answer. 0 is no bound.
	LowestPort uint16
}
