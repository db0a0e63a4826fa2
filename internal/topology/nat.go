// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"encoding/binary"
	"net/netip"

	"traceflow"
)

// NAT is how a node that translates sources undoes it in the quotes of errors
// that come back through it. What else comes back is always whole again.
type NAT uint8

// The kinds of NAT. Of what a quote tells of its source, each kind restores
// less than the one before.
const (
	NATNone         NAT = iota // translates nothing
	NATRestore                 // address, port and checksum
	NATKeepChecksum            // address and port; the checksum stays translated
	NATKeepPort                // address; port and checksum stay translated
	NATKeepAll                 // nothing
)

// RestoresAddress is true for the kinds that restore the source's address.
func (k NAT) RestoresAddress() bool { return k != NATKeepAll }

// RestoresPort is true for the kinds that restore the port, or the echo ID.
func (k NAT) RestoresPort() bool { return k == NATRestore || k == NATKeepChecksum }

// RestoresChecksum is true for the kind that restores the transport's checksum.
func (k NAT) RestoresChecksum() bool { return k == NATRestore }

// Translate returns what the node makes of the source of a packet that it
// forwards. The port is that of UDP and TCP or the ID of an echo request, and 0
// for packets without: those keep it. Two ports never become one.
func (n *Node) Translate(source netip.AddrPort) netip.AddrPort {
	if n.NAT == NATNone {
		return source
	}
	address := n.AddressFor(source.Addr())
	switch {
	case source.Addr().Is4() && n.NATAddress4.IsValid():
		address = n.NATAddress4
	case source.Addr().Is6() && n.NATAddress6.IsValid():
		address = n.NATAddress6
	}
	port := source.Port()
	if port != 0 && !n.NATKeepsPorts {
		// Moved along the circle of all ports but 0 by a step that is not 0.
		const circle = 65535
		step := 1 + mix(n.HashSeed)%(circle-1)
		port = uint16(1 + (uint64(port-1)+step)%circle)
	}
	return netip.AddrPortFrom(address, port)
}

// translateChecksum returns what the checksum of an echo request becomes when a
// NAT changes its source (RFC 1624, section 3). That of ICMPv6 covers the
// address too.
func translateChecksum(checksum uint16, from, to netip.AddrPort) uint16 {
	if from.Addr().Is6() {
		a, b := from.Addr().As16(), to.Addr().As16()
		for i := 0; i < len(a); i += 2 {
			checksum = exchangeWord(checksum, binary.BigEndian.Uint16(a[i:]), binary.BigEndian.Uint16(b[i:]))
		}
	}
	return exchangeWord(checksum, from.Port(), to.Port())
}

// exchangeWord is equation 3 of RFC 1624.
func exchangeWord(checksum, from, to uint16) uint16 {
	sum := uint32(^checksum) + uint32(^from) + uint32(to)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// source is what a NAT changes of a flow.
type source struct {
	// from has the echo ID for the port of a flow of ICMP.
	from netip.AddrPort
	// checksum is that of a flow of ICMP, 0 for others.
	checksum uint16
}

func sourceOf(f *traceflow.Flow) source {
	s := source{from: netip.AddrPortFrom(f.Source, f.SourcePort)}
	if f.Protocol == traceflow.ProtocolICMP {
		s.checksum = f.SourcePort
	}
	return s
}

// behind returns the source behind a node.
func (s source) behind(n *Node, protocol traceflow.Protocol) source {
	to := n.Translate(s.from)
	if protocol == traceflow.ProtocolICMP {
		s.checksum = translateChecksum(s.checksum, s.from, to)
	}
	s.from = to
	return s
}

// apply gives the flow this source.
func (s source) apply(f *traceflow.Flow) {
	f.Source, f.SourcePort = s.from.Addr(), s.from.Port()
	if f.Protocol == traceflow.ProtocolICMP {
		f.SourcePort = s.checksum
	}
}
