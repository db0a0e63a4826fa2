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

// shiftKey is what a NAT does to all packets of a flow, as far as quotes show
// it: the source that it gives them, and what it adds to the checksum.
type shiftKey struct {
	source netip.AddrPort
	by     uint16
}

// shift is a shiftKey that quotes of a flow have shown.
type shift struct {
	first   *attempt // that showed it
	by      answer
	believe bool
}

// translated returns the attempts that answers belong to whose quote a NAT has
// left changed, and those answers: one, or two when the second confirms the
// first. Pending is an answer that another one may yet confirm.
func (f *flowState) translated(a *answer) (credits []credit, pending bool) {
	if !a.shifts() {
		return nil, false
	}
	var candidates []*attempt
	for _, p := range f.packets {
		if p.id.tag.first() == a.tag.first() {
			candidates = append(candidates, p)
		}
	}
	return shifted(candidates, a)
}

// shifts reports whether an answer is a quote that may be known by the shift of
// its checksum: one of UDP over IPv4 without the cookie. In IPv6 what is left
// to tell the packet, 6 bits, is too little.
func (a *answer) shifts() bool {
	return !a.hasCookie && a.mask == wholeTag && a.flow.protocol == traceflow.ProtocolUDP && a.flow.destination.Is4()
}

// shifted credits an answer to the only candidate, if that is believed. Of such
// a quote only the IP ID tells the packet, 16 bits, which could be guessed; but
// a NAT adds the same to the checksum of all packets of a flow, so two packets
// that show the same are believed, and what follows.
func shifted(candidates []*attempt, a *answer) (credits []credit, pending bool) {
	if len(candidates) != 1 {
		return nil, false
	}
	p, f := candidates[0], candidates[0].task.flow
	key := shiftKey{
		source: netip.AddrPortFrom(a.flow.source, a.flow.sourcePort),
		by:     packet.ChecksumDelta(p.id.tag.second(), a.checksum),
	}
	s := f.shifts[key]
	switch {
	case s == nil && len(f.shifts) >= maxShifts:
		return nil, false
	case s == nil:
		if f.shifts == nil {
			f.shifts = make(map[shiftKey]*shift)
		}
		f.shifts[key] = &shift{first: p, by: *a}
		return nil, true
	case s.believe:
		return []credit{{p, *a}}, false
	case s.first == p:
		return nil, false
	}
	s.believe = true
	return []credit{{s.first, s.by}, {p, *a}}, false
}

// maxShifts bounds how many shifts of one flow are remembered: one for each NAT
// in a row, and room for damage.
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

// seekStrays begins to file packets by what is left of them behind a NAT. Most
// runs meet no such quote, and do without.
func (o *owner) seekStrays() {
	o.strays = make(map[strayKey][]*attempt)
	for _, f := range o.flows {
		for _, a := range f.packets {
			o.remember(a)
		}
	}
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

// stray returns the attempts that quotes with another source than ours belong
// to, and those quotes, as translated does: packets that a NAT has given it. A
// quote without the cookie has to hold the very checksum that the translation
// makes, or the one sent, or one that a second packet confirms.
func (o *owner) stray(a *answer) (credits []credit, pending bool) {
	if a.mask != wholeTag || o.trips[a.flow.destination] == nil {
		return nil, false
	}
	if o.strays == nil {
		o.seekStrays()
	}
	key := strayKey{protocol: a.flow.protocol, destination: a.flow.destination, port: a.flow.destinationPort}
	switch {
	case a.hasCookie:
		key.carrier = a.cookie
	case o.strangers >= maxForged:
		return nil, false
	case key.protocol == traceflow.ProtocolTCP:
		key.carrier = uint64(a.tag)
	default:
		key.carrier = uint64(a.tag.first())
	}
	candidates := o.strays[key]
	if key.protocol == traceflow.ProtocolTCP || a.hasCookie {
		if len(candidates) != 1 {
			return nil, false
		}
		return []credit{{candidates[0], *a}}, false
	}
	if i := slices.IndexFunc(candidates, a.fitsTranslation); i >= 0 {
		return []credit{{candidates[i], *a}}, false
	}
	if a.shifts() {
		return shifted(candidates, a)
	}
	return nil, false
}

// fitsTranslation reports whether a quote with another source tells the rest of
// a packet's tag: of ICMP the sequence number, of UDP the checksum, as sent or
// as the translation makes it.
func (a *answer) fitsTranslation(p *attempt) bool {
	f := &p.task.probe.Flow
	if f.Protocol == traceflow.ProtocolICMP {
		return a.tag.second() == p.id.tag.second()
	}
	from, to := netip.AddrPortFrom(f.Source, f.SourcePort), netip.AddrPortFrom(a.flow.source, a.flow.sourcePort)
	return a.checksum == p.checksum() || a.checksum == packet.TranslatedChecksum(p.checksum(), from, to)
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
	c := traceflow.QuoteChange{ID: f.Destination.Is4() && by.id != p.id.tag.first()}
	if by.flow.source != f.Source || by.flow.sourcePort != f.SourcePort {
		c.Source = netip.AddrPortFrom(by.flow.source, by.flow.sourcePort)
	}
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
	changed := c // so that what has not changed is not on the heap
	return &changed
}
