// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

const ms = time.Millisecond

// flow is a flow through the network in one of its families.
func flow(net *topology.Topology, port uint16, v6 bool) traceflow.Flow {
	f := traceflow.Flow{Protocol: traceflow.ProtocolUDP, SourcePort: port, DestinationPort: 33434}
	s, d := net.Nodes[net.Source], net.Nodes[net.Destination]
	if v6 {
		f.Source, f.Destination, f.Label = s.Address6, d.Address6, uint32(port)*13&0xfffff
	} else {
		f.Source, f.Destination = s.Address4, d.Address4
	}
	return f
}

// both runs a test for both families.
func both(t *testing.T, run func(t *testing.T, v6 bool)) {
	t.Run("IPv4", func(t *testing.T) { run(t, false) })
	t.Run("IPv6", func(t *testing.T) { run(t, true) })
}

// probe is a probe of the flow: a UDP datagram with length bytes of payload, a
// SYN segment with as many, or an echo request with two more, which make its
// checksum that of the flow.
func probe(f traceflow.Flow, ttl uint8, length int) []byte {
	h := packet.IP{
		Source: f.Source, Destination: f.Destination, Protocol: f.Number(), TTL: ttl, Label: f.Label, TOS: f.TOS,
	}
	if f.Source.Is4() {
		h.ID = 0x1234
	}
	payload := make([]byte, length, length+2)
	for i := range payload {
		payload[i] = byte(i)
	}
	switch f.Protocol {
	case traceflow.ProtocolTCP:
		return packet.AppendTCP(packet.AppendIP(nil, &h, 20+length), f.Source, f.Destination, &packet.TCP{
			SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Sequence: 77, Flags: packet.FlagSYN,
		}, payload)
	case traceflow.ProtocolICMP:
		return appendEchoOf(packet.AppendIP(nil, &h, 8+length+2), f, payload)
	default:
		return datagram(f, ttl, payload)
	}
}

// datagram is a UDP datagram of the flow.
func datagram(f traceflow.Flow, ttl uint8, payload []byte) []byte {
	h := packet.IP{
		Source: f.Source, Destination: f.Destination, Protocol: packet.ProtocolUDP, TTL: ttl, Label: f.Label, TOS: f.TOS,
	}
	if f.Source.Is4() {
		h.ID = 0x1234
	}
	from, to := netip.AddrPortFrom(f.Source, f.SourcePort), netip.AddrPortFrom(f.Destination, f.DestinationPort)
	return packet.AppendUDP(packet.AppendIP(nil, &h, 8+len(payload)), from, to, payload)
}

// appendEchoOf appends the echo request of an ICMP flow: ID and checksum are
// the flow's, by two bytes behind a payload of even length.
func appendEchoOf(b []byte, f traceflow.Flow, payload []byte) []byte {
	m := packet.ICMP{Type: packet.ICMPv4EchoRequest, ID: f.SourcePort, Sequence: 9, Body: append(payload, 0, 0)}
	if f.Source.Is6() {
		m.Type = packet.ICMPv6EchoRequest
	}
	start := len(b)
	b = packet.AppendEcho(b, f.Source, f.Destination, &m)
	was := binary.BigEndian.Uint16(b[start+2:])
	// What the checksum lacks, its last word makes up for.
	binary.BigEndian.PutUint16(b[len(b)-2:], ^packet.UpdateChecksum(0xffff, f.SourcePort, was))
	binary.BigEndian.PutUint16(b[start+2:], f.SourcePort)
	return b
}

// reply is a packet that has arrived, and what is in it.
type reply struct {
	after time.Duration // since the test began
	from  string        // the node's name
	ip    packet.IP
	raw   []byte
	body  []byte // behind the IP header
	// Of an ICMP error:
	typ, code uint8
	e         packet.ICMPError
}

// decode takes an arrived packet apart.
func decode(t *testing.T, top *topology.Topology, d traceflow.Datagram, start time.Time) reply {
	t.Helper()
	h, payload, err := packet.DecodeIP(d.Data)
	if err != nil {
		t.Fatalf("arrived %x: %v", d.Data, err)
	}
	if h.Length != len(d.Data) || h.Source.Is4() && packet.Checksum(d.Data[:20]) != 0 {
		t.Errorf("arrived %x: wrong length or header checksum", d.Data)
	}
	if !packet.ValidChecksum(payload, h.Source, h.Destination, h.Protocol) {
		t.Errorf("arrived %x: wrong checksum", d.Data)
	}
	r := reply{after: d.Time.Sub(start), ip: h, raw: d.Data, body: payload}
	for i := range top.Nodes {
		if top.Nodes[i].AddressFor(h.Source) == h.Source {
			r.from = top.Nodes[i].Name
		}
	}
	icmp := h.Protocol == packet.ProtocolICMP || h.Protocol == packet.ProtocolICMPv6
	if icmp && packet.IsICMPError(h.Source, payload[0]) {
		r.typ, r.code = payload[0], payload[1]
		r.e, err = packet.DecodeICMPError(payload, h.Source, h.Destination)
		if err != nil && len(payload) >= 8+48 {
			t.Errorf("arrived %x: %v", d.Data, err)
		}
	}
	return r
}

// exchange sends packets at once into a new network, inside a bubble, and
// returns what arrives within a minute.
func exchange(t *testing.T, top *topology.Topology, packets ...[]byte) (replies []reply) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := New(top).Open()
		start := time.Now()
		send(t, w, packets...)
		for _, d := range collect(t, w, time.Minute) {
			replies = append(replies, decode(t, top, d, start))
		}
	})
	return replies
}

func send(t testing.TB, w *Wire, packets ...[]byte) {
	t.Helper()
	batch := make([]traceflow.Datagram, len(packets))
	for i, p := range packets {
		batch[i].Data = p
	}
	if n, err := w.Send(batch); n != len(batch) || err != nil {
		t.Fatalf("Send of %d packets: %d, %v", len(batch), n, err)
	}
}

// collect receives for a while, then closes the wire.
func collect(t *testing.T, w *Wire, while time.Duration) (all []traceflow.Datagram) {
	t.Helper()
	time.AfterFunc(while, func() { w.Close() })
	for {
		batch := make([]traceflow.Datagram, 7)
		n, err := w.Recv(batch)
		if errors.Is(err, net.ErrClosed) {
			return all
		}
		if err != nil || n < 1 {
			t.Fatalf("Recv: %d, %v", n, err)
		}
		for _, d := range batch[:n] {
			if !d.Time.Equal(time.Now()) {
				t.Errorf("arrived at %v, received at %v", d.Time, time.Now())
			}
		}
		all = append(all, batch[:n]...)
	}
}

// TestProbe checks the builder of the tests' own probes.
func TestProbe(t *testing.T) {
	top := topologytest.Parse(t, "link s > d")
	both(t, func(t *testing.T, v6 bool) {
		for _, p := range []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolTCP, traceflow.ProtocolICMP} {
			for port := uint16(1); port != 0; port += 1023 {
				f := flow(top, port, v6)
				f.Protocol, f.TOS = p, 0x28
				if p == traceflow.ProtocolICMP {
					f.DestinationPort = 0
				}
				h, payload, err := packet.DecodeIP(probe(f, 3, 12))
				if err != nil || !packet.ValidChecksum(payload, h.Source, h.Destination, h.Protocol) {
					t.Fatalf("%v %d: %v, checksum of %x", p, port, err, payload)
				}
				if got := flowOf(&h, payload); got != f {
					t.Errorf("the network sees the flow %+v, want %+v", got, f)
				}
			}
		}
	})
}
