// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net/netip"
	"slices"

	"traceflow"
	"traceflow/packet"
)

// find returns the attempt that an answer belongs to by all that it tells, or
// nil.
func (f *flowState) find(a *answer) *attempt {
	if a.mask == wholeTag {
		if p := f.packets[a.tag]; p != nil && p.matches(a) {
			return p
		}
		if !a.hasCookie {
			return nil
		}
	}
	for _, p := range f.packets {
		if p.matches(a) {
			return p
		}
	}
	return nil
}

// taken reports whether a tag cannot be given to another packet of the flow.
// Of ICMP the second carrier, the sequence number, is all that an echo reply
// tells, so it has to differ too.
func (f *flowState) taken(g tag) bool {
	if f.packets[g] != nil {
		return true
	}
	if f.key.protocol != traceflow.ProtocolICMP {
		return false
	}
	for other := range f.packets {
		if other.second() == g.second() {
			return true
		}
	}
	return false
}

// matches reports whether nothing that an answer tells is another packet's,
// and something is this one's. The cookie is enough: what else differs then
// was rewritten on the way.
func (p *attempt) matches(a *answer) bool {
	if a.hasCookie {
		return a.cookie == p.id.cookie
	}
	return a.mask != 0 && (a.tag^p.id.tag)&a.mask == 0
}

// shift is a difference between the quoted checksums of a flow and those sent.
type shift struct {
	first   *attempt // that showed it
	by      answer
	believe bool
}

// translated returns the attempts that answers belong to whose quote a NAT has
// left changed, and those answers: none, one, or two when the second confirms
// the first. Of a short quote only the IP ID then tells the packet, 16 bits,
// which could be guessed; but a NAT adds the same to the checksum of all
// packets of a flow, so two packets that show the same are believed, and what
// follows.
func (f *flowState) translated(a *answer) []credit {
	if a.hasCookie || a.mask != wholeTag || a.flow.protocol != traceflow.ProtocolUDP || !a.flow.source.Is4() {
		return nil
	}
	var p *attempt
	for _, candidate := range f.packets {
		if candidate.id.tag.first() == a.tag.first() {
			if p != nil {
				return nil
			}
			p = candidate
		}
	}
	if p == nil {
		return nil
	}
	by := packet.ChecksumDelta(p.id.tag.second(), a.checksum)
	s := f.shifts[by]
	switch {
	case s == nil:
		if f.shifts == nil {
			f.shifts = make(map[uint16]*shift)
		}
		if len(f.shifts) < maxShifts {
			f.shifts[by] = &shift{first: p, by: *a}
		}
		return nil
	case s.believe:
		return []credit{{p, *a}}
	case s.first == p:
		return nil
	}
	s.believe = true
	return []credit{{s.first, s.by}, {p, *a}}
}

// maxShifts bounds how many differences of one flow are remembered: one for
// each NAT in a row, and room for damage.
const maxShifts = 16

// credit is an answer and the attempt that it is credited to.
type credit struct {
	to *attempt
	by answer
}

// strayKey is what a quote still tells of the packet when a NAT has left its
// source in it: where the packet went, and one carrier.
type strayKey struct {
	protocol    traceflow.Protocol
	destination netip.Addr
	port        uint16
	carrier     uint64
}

// strayKeys returns the keys under which a packet can be found: its IP ID or
// sequence number, and its cookie.
func (p *attempt) strayKeys() []strayKey {
	f := &p.task.probe.Flow
	key := strayKey{protocol: f.Protocol, destination: f.Destination, port: f.DestinationPort, carrier: p.id.cookie}
	keys := []strayKey{key}
	switch {
	case f.Protocol == traceflow.ProtocolTCP:
		keys[0].carrier = uint64(p.id.tag)
	case f.Destination.Is4():
		key.carrier = uint64(p.id.tag.first())
		keys = append(keys, key)
	}
	return keys
}

// remember files a packet under its keys, forgetStray takes it out.
func (o *owner) remember(a *attempt) {
	if o.strays == nil {
		return
	}
	for _, key := range a.strayKeys() {
		o.strays[key] = append(o.strays[key], a)
	}
}

func (o *owner) forgetStray(a *attempt) {
	if o.strays == nil {
		return
	}
	for _, key := range a.strayKeys() {
		left := slices.DeleteFunc(o.strays[key], func(other *attempt) bool { return other == a })
		if o.strays[key] = left; len(left) == 0 {
			delete(o.strays, key)
		}
	}
}

// stray finds the packet that a quote with another source than ours is of: one
// that a NAT has translated. A quote without the cookie has to hold the very
// checksum that the translation makes, or the one sent.
func (o *owner) stray(a *answer) *attempt {
	if a.mask != wholeTag {
		return nil
	}
	key := strayKey{protocol: a.flow.protocol, destination: a.flow.destination, port: a.flow.destinationPort}
	switch {
	case key.protocol == traceflow.ProtocolTCP:
		key.carrier = uint64(a.tag)
	case a.hasCookie:
		key.carrier = a.cookie
	default:
		key.carrier = uint64(a.tag.first())
	}
	candidates := o.strays[key]
	if key.protocol == traceflow.ProtocolTCP || a.hasCookie {
		if len(candidates) != 1 {
			return nil
		}
		return candidates[0]
	}
	i := slices.IndexFunc(candidates, func(p *attempt) bool {
		f := &p.task.probe.Flow
		if a.checksum == p.checksum() {
			return true
		}
		from, to := netip.AddrPortFrom(f.Source, f.SourcePort), netip.AddrPortFrom(a.flow.source, a.flow.sourcePort)
		if f.Protocol == traceflow.ProtocolICMP {
			return a.tag.second() == p.id.tag.second() // the sequence number
		}
		return a.checksum == packet.TranslatedChecksum(p.checksum(), from, to)
	})
	if i < 0 {
		return nil
	}
	return candidates[i]
}

// checksum is that of the packet's transport header as sent, where the
// identity fixes it: not for TCP.
func (p *attempt) checksum() uint16 {
	if p.task.probe.Flow.Protocol == traceflow.ProtocolICMP {
		return p.task.probe.Flow.SourcePort
	}
	return p.id.tag.second()
}

// compare says how a quote differs from the packet that was sent; nil if it
// does not.
func (p *attempt) compare(by *answer) *traceflow.QuoteChange {
	f := &p.task.probe.Flow
	if !by.reply.HeaderQuoted {
		return nil
	}
	var c traceflow.QuoteChange
	if by.flow.source != f.Source || by.flow.sourcePort != f.SourcePort {
		c.Source = netip.AddrPortFrom(by.flow.source, by.flow.sourcePort)
	}
	c.ID = f.Destination.Is4() && by.id != p.id.tag.first()
	if by.hasChecksum && by.checksum != 0 {
		sent := p.checksum()
		if f.Protocol == traceflow.ProtocolTCP {
			sent = p.tcpChecksum
		}
		c.Checksum = packet.ChecksumDelta(sent, by.checksum)
	}
	if c == (traceflow.QuoteChange{}) {
		return nil
	}
	return &c
}
