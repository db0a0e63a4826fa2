// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"traceflow"
	"traceflow/packet"
)

// FuzzMatch receives anything while probes of every kind are outstanding:
// nothing panics, and nothing is believed but what repeats the identity of one
// of them.
func FuzzMatch(f *testing.F) {
	out := newOutstanding()
	for i := range out.attempts {
		for _, seed := range out.replies(i) {
			f.Add(seed)
		}
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, header := range []bool{true, false} {
			a, err := decodeAnswer(&traceflow.Datagram{Data: data}, header)
			if err != nil {
				if !errors.Is(err, errIrrelevant) && !errors.Is(err, packet.ErrTruncated) && !errors.Is(err, packet.ErrMalformed) {
					t.Fatalf("unknown error %v", err)
				}
				continue
			}
			if a.reply.Kind == traceflow.NoReply || !a.reply.Address.IsValid() {
				t.Fatalf("an answer without a kind or an address: %+v", a)
			}
			out.check(t, &a, data)
		}
	})
}

// outstanding are packets that are on their way, one of each kind of flow and
// more of UDP.
type outstanding struct {
	*owner
	attempts []*attempt
	sent     [][]byte
}

func newOutstanding() *outstanding {
	out := &outstanding{owner: newOwner(&Engine{config: Config{Key: []byte("k"), Timeout: time.Second}, caps: sees})}
	for _, v6 := range []bool{false, true} {
		for _, kind := range kinds {
			for ttl := range uint8(3) {
				flow := traceflow.Flow{
					Protocol: kind.protocol, Source: netip.MustParseAddr("198.18.0.1"), Destination: netip.MustParseAddr("198.18.0.9"),
					SourcePort: 33453 + uint16(ttl/2), DestinationPort: kind.port,
				}
				if v6 {
					flow.Source, flow.Destination = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::9")
				}
				r := requestOf([]traceflow.Probe{{Flow: flow, TTL: ttl + 1}})
				out.config.QUIC = kind.quic
				out.accept(r)
				out.tripsTo(flow.Destination)
				a := out.newAttempt(r.tasks[0])
				out.queue = nil
				b := appendProbe(nil, &r.tasks[0].probe, a.id, kind.quic)
				a.tcpChecksum = segmentChecksum(b, &flow)
				out.attempts, out.sent = append(out.attempts, a), append(out.sent, b)
			}
		}
	}
	return out
}

// replies makes what may come back for a packet: errors with long and short
// quotes, also of a translated packet, and what a destination answers itself.
func (out *outstanding) replies(i int) [][]byte {
	sent, f := out.sent[i], &out.attempts[i].task.probe.Flow
	liar, header, source := liar4, 20, 15
	if f.Source.Is6() {
		liar, header, source = liar6, 40, 23
	}
	translated := flip(flip(sent, source), header+6)
	all := [][]byte{
		timeExceeded(liar, sent), timeExceeded(liar, sent[:header+8]), timeExceeded(liar, flip(sent[:header+8], header+6)),
		timeExceeded(liar, translated), timeExceeded(liar, translated[:header+8]),
		errorFrom(liar, 3, 3, sent), errorFrom(liar, 1, 4, sent),
	}
	outer := packet.IP{Source: f.Destination, Destination: f.Source, Protocol: f.Number(), TTL: 60}
	from, to := netip.AddrPortFrom(f.Destination, f.DestinationPort), netip.AddrPortFrom(f.Source, f.SourcePort)
	direct := func(body []byte) {
		all = append(all, append(packet.AppendIP(nil, &outer, len(body)), body...))
	}
	switch body := sent[header:]; f.Protocol {
	case traceflow.ProtocolTCP:
		segment := packet.TCP{
			SourcePort: f.DestinationPort, DestinationPort: f.SourcePort, Flags: packet.FlagACK | packet.FlagSYN,
			Acknowledgment: binary.BigEndian.Uint32(body[4:]) + 1,
		}
		direct(packet.AppendTCP(nil, f.Destination, f.Source, &segment, nil))
		segment.Flags = packet.FlagACK | packet.FlagRST
		direct(packet.AppendTCP(nil, f.Destination, f.Source, &segment, nil))
	case traceflow.ProtocolICMP:
		reply := packet.ICMP{
			Type: packet.ICMPv4EchoReply, ID: binary.BigEndian.Uint16(body[4:]), Sequence: binary.BigEndian.Uint16(body[6:]), Body: body[8:],
		}
		if f.Source.Is6() {
			reply.Type = packet.ICMPv6EchoReply
		}
		direct(packet.AppendEcho(nil, f.Destination, f.Source, &reply))
		reply.Body = nil
		direct(packet.AppendEcho(nil, f.Destination, f.Source, &reply))
	default:
		direct(packet.AppendUDP(nil, from, to, []byte("pong")))
		direct(packet.AppendUDP(nil, from, to, body[8:])) // an echo server
		if initial, err := packet.DecodeQUIC(body[8:]); err == nil {
			direct(packet.AppendUDP(nil, from, to, packet.AppendVersionNegotiation(nil, initial.DestinationID, initial.SourceID, 1)))
		}
	}
	return all
}

// check wants a packet that is matched to be in what was received.
func (out *outstanding) check(t *testing.T, a *answer, data []byte) {
	f := out.flows[a.flow]
	if f == nil {
		for _, p := range out.attempts {
			p.task.flow.shifts = nil
		}
		credits, _ := out.stray(a)
		for _, c := range credits {
			c.to.compare(a)
			out.checkStray(t, c.to, a, data)
		}
		return
	}
	p := f.find(a)
	if p == nil {
		f.shifts = nil
		// A packet does not confirm itself.
		for range 2 {
			if credits, _ := f.translated(a); credits != nil {
				t.Fatalf("one packet is enough to believe a translation: % x", data)
			}
		}
		return
	}
	p.compare(a)
	i := slices.Index(out.attempts, p)
	if i < 0 {
		t.Fatal("an attempt that was not made")
	}
	if a.hasCookie {
		out.wants(t, i, data, "cookie", cookieOf(p))
		return
	}
	header := 20
	if p.task.probe.Flow.Source.Is6() {
		header = 40
	}
	sent := out.sent[i]
	// What tells the packet, wherever the decoder found it.
	out.wants(t, i, data, "destination", sent[header-4:header])
	switch p.task.probe.Flow.Protocol {
	case traceflow.ProtocolTCP:
		sequence := sent[header+4 : header+8]
		if !a.reply.Kind.Quotes() {
			sequence = binary.BigEndian.AppendUint32(nil, uint32(p.id.tag)+1)
		}
		out.wants(t, i, data, "sequence number", sequence)
		return
	case traceflow.ProtocolICMP:
		out.wants(t, i, data, "ID and sequence number", sent[header+4:header+8])
	default:
		out.wants(t, i, data, "ports", sent[header:header+4])
		out.wants(t, i, data, "checksum", sent[header+6:header+8])
	}
	if a.mask == wholeTag && header == 20 {
		out.wants(t, i, data, "IP ID", sent[4:6])
	}
}

// checkStray wants a packet that a NAT translated to be told by its cookie, by
// its sequence number, or by its IP ID and what the NAT makes of the checksum.
func (out *outstanding) checkStray(t *testing.T, p *attempt, a *answer, data []byte) {
	i := slices.Index(out.attempts, p)
	if i < 0 {
		t.Fatal("an attempt that was not made")
	}
	f := &p.task.probe.Flow
	if a.flow.protocol != f.Protocol || a.flow.destination != f.Destination || a.flow.destinationPort != f.DestinationPort {
		t.Fatalf("packet %d is matched by one to %v:%d", i, a.flow.destination, a.flow.destinationPort)
	}
	switch {
	case f.Protocol == traceflow.ProtocolTCP:
		if tag(binary.BigEndian.Uint32(out.sent[i][tcpSequenceAt(f):])) != a.tag {
			t.Fatalf("packet %d is matched by another sequence number", i)
		}
	case a.hasCookie:
		out.wants(t, i, data, "cookie", cookieOf(p))
	case a.tag.first() != p.id.tag.first() || f.Protocol == traceflow.ProtocolICMP && a.tag.second() != p.id.tag.second():
		t.Fatalf("packet %d is matched by another IP ID or sequence number", i)
	}
}

func tcpSequenceAt(f *traceflow.Flow) int {
	if f.Source.Is6() {
		return 44
	}
	return 24
}

func cookieOf(p *attempt) []byte { return binary.BigEndian.AppendUint64(nil, p.id.cookie) }

func (out *outstanding) wants(t *testing.T, i int, data []byte, what string, part []byte) {
	t.Helper()
	if !contains(data, part) {
		t.Fatalf("packet %d is matched by % x, which has no %s % x", i, data, what, part)
	}
}

// TestOutstanding checks that the seeds of FuzzMatch are worth their name: those
// that quote a packet as it was sent are matched with it.
func TestOutstanding(t *testing.T) {
	out := newOutstanding()
	for i, p := range out.attempts {
		for j, data := range out.replies(i)[:2] {
			a, err := decodeAnswer(&traceflow.Datagram{Data: data}, true)
			if err != nil {
				t.Errorf("packet %d, reply %d: %v", i, j, err)
				continue
			}
			if f := out.flows[a.flow]; f == nil || f.find(&a) != p {
				t.Errorf("packet %d is not matched by reply %d", i, j)
			}
		}
	}
}
