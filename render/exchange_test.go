// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/probe"
	"traceflow/render"
)

// TestExchangeSizes compares the sizes that are written with those that the
// engine sends.
func TestExchangeSizes(t *testing.T) {
	for _, ends := range []string{ipv4, ipv6} {
		for _, tt := range []struct {
			protocol   traceflow.Protocol
			quic       bool
			size, want int // of the packet; of the payload
		}{
			{traceflow.ProtocolUDP, false, 0, 19},
			{traceflow.ProtocolICMP, false, 0, 19},
			{traceflow.ProtocolTCP, false, 0, 0},
			{traceflow.ProtocolUDP, true, 0, 1200},
			{traceflow.ProtocolUDP, false, 1500, 0},
		} {
			g := golden{ends: ends, flows: []string{"*"}}
			trace := g.trace(t)
			trace.Config.Protocol, trace.Config.QUIC, trace.Config.Size = tt.protocol, tt.quic, tt.size
			trace.Flows[0].Protocol, trace.Graph.Walks[0].Flow.Protocol = tt.protocol, tt.protocol
			v6 := ends == ipv6
			size, payload := tt.size, tt.want
			if size == 0 {
				size = probe.SmallestSize(tt.protocol, v6, tt.quic)
			} else if payload = size - 28; v6 {
				payload = size - 48
			}
			var atlas struct{ Size int }
			decodeLine(t, render.Atlas, trace, 0, &atlas)
			var scamper struct {
				Size int `json:"probe_size"`
			}
			decodeLine(t, render.Scamper, trace, 1, &scamper)
			if atlas.Size != payload || scamper.Size != size {
				t.Errorf("%v, IPv6 %t: Atlas has %d bytes, want %d; scamper %d, want %d", tt, v6, atlas.Size, payload, scamper.Size, size)
			}
		}
	}
}

// decodeLine reads one line of what a format writes.
func decodeLine(t *testing.T, write format, trace *traceflow.Trace, line int, into any) {
	t.Helper()
	var b strings.Builder
	if err := write(&b, trace, render.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(strings.Split(b.String(), "\n")[line]), into); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
}

// TestExchangeBeyondTheEnd has packets that went on past the end: they are not
// listed, but where nothing else was answered from the end.
func TestExchangeBeyondTheEnd(t *testing.T) {
	for _, tt := range []struct{ flow, atlas, scamper string }{
		{
			"192.0.2.1 203.0.113.9 203.0.113.9",
			`"result":[{"hop":1,"result":[{"from":"192.0.2.1","ttl":64,"rtt":1.500}]},{"hop":2,"result":[{"from":"203.0.113.9","ttl":63,"rtt":3.000}]}]}`,
			`"probe_ttl":2,"probe_id":1,"probe_size":47,"tx":{"sec":1767323045,"usec":124456},"rtt":3.000,"reply_ttl":63,`,
		},
		{
			"192.0.2.1 * 203.0.113.9",
			`"result":[{"hop":1,"result":[{"from":"192.0.2.1","ttl":64,"rtt":1.500}]},{"hop":2,"result":[{"x":"*"},{"from":"203.0.113.9","ttl":62,"rtt":4.500}]}]}`,
			`"probe_ttl":2,"probe_id":1,"probe_size":47,"tx":{"sec":1767323045,"usec":125456},"rtt":4.500,"reply_ttl":62,"icmp_type":3,"icmp_code":3,"icmp_q_ttl":1,`,
		},
	} {
		g := golden{ends: ipv4, flows: []string{tt.flow}, edit: func(e *traceflow.Exchange) {
			if e.TTL == 3 {
				e.Reply.QuotedTTL = 2
			}
		}}
		trace := g.trace(t)
		for format, want := range map[string]string{"atlas": tt.atlas, "scamper": tt.scamper} {
			var b strings.Builder
			if err := writers[format](&b, trace, render.Options{}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), want) || strings.Contains(b.String(), `_ttl":3`) {
				t.Errorf("%s of %s: no %s in\n%s", format, tt.flow, want, b.String())
			}
		}
	}
}

// TestAtlasReplies has every kind of reply, each as Atlas writes it.
func TestAtlasReplies(t *testing.T) {
	const from = `"from":"198.51.100.1","ttl":60,"rtt":1.234`
	for _, tt := range []struct {
		name     string
		protocol traceflow.Protocol
		exchange traceflow.Exchange
		want     string
	}{
		{"closed port of UDP", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.PortUnreachable, ICMPType: 3, ICMPCode: 3}}, from},
		{"closed port of ICMP", traceflow.ProtocolICMP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.PortUnreachable, ICMPType: 3, ICMPCode: 3}}, from + `,"err":"p"`},
		{"too big", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.PacketTooBig, ICMPType: 3, ICMPCode: 4, MTU: 1400}}, from + `,"mtu":1400`},
		{"parameter", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.ParameterProblem, ICMPType: 12}}, from + `,"err":0`},
		{"forbidden", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.Unreachable, ICMPType: 3, ICMPCode: 13}}, from + `,"err":"A"`},
		{"a code without a letter", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.Unreachable, ICMPType: 3, ICMPCode: 9}}, from + `,"err":9`},
		{"open port", traceflow.ProtocolTCP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.SynAck}}, from + `,"flags":"SA"`},
		{"reset", traceflow.ProtocolTCP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.Reset}}, from + `,"flags":"R"`},
		{"marked", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.TimeExceeded, HeaderQuoted: true, QuotedTTL: 0, QuotedTOS: 8}}, from + `,"ittl":0,"itos":8`},
		{"interface", traceflow.ProtocolUDP, traceflow.Exchange{Reply: traceflow.Reply{Kind: traceflow.TimeExceeded, Interfaces: []traceflow.Interface{{Role: traceflow.OutgoingInterface, Index: 3, MTU: 9}}}}, from + `,"icmpext":{"version":2,"rfc4884":1,"obj":[{"class":2,"type":137}]}`},
		{"not sent", traceflow.ProtocolUDP, traceflow.Exchange{Err: errors.New("network is unreachable")}, `"error":"sendto failed: network is unreachable"`},
	} {
		g := golden{ends: ipv4, flows: []string{""}}
		trace := g.trace(t)
		e := tt.exchange
		e.Flow, e.TTL, e.Attempt, e.Sent = 1, 1, 1, trace.Started
		if e.Reply.Kind != traceflow.NoReply {
			e.Reply.Address, e.Reply.RTT, e.Reply.TTL = netip.MustParseAddr("198.51.100.1"), 1234*time.Microsecond, 60
		}
		flow := trace.Flows[0]
		flow.Protocol = tt.protocol
		trace.Exchanges = []traceflow.Exchange{e}
		trace.Graph = traceflow.NewGraph([]traceflow.Walk{traceflow.NewWalk(flow, 1, trace.Exchanges)}, trace.Exchanges)
		var b bytes.Buffer
		if err := render.Atlas(&b, trace, render.Options{}); err != nil {
			t.Fatal(err)
		}
		if want := `[{"hop":1,"result":[{` + tt.want + `}]}]`; !strings.Contains(b.String(), want) {
			t.Errorf("%s: no %s in %s", tt.name, want, b.String())
		}
	}
}

// TestJSONIsPlain has names that turn a terminal upside down: as JSON none of
// their characters acts, and all of them come back.
func TestJSONIsPlain(t *testing.T) {
	const name = "a\x1b[2J\x7f\u009b\u202egro\u2028\u200b\U000e0041é<b>"
	g := golden{ends: ipv4, flows: []string{"203.0.113.9"}}
	trace := g.trace(t)
	trace.Destination.Name, trace.VantagePoint.Hostname = name, name
	for format, key := range map[string]string{"json": "", "ndjson": "", "atlas": "dst_name", "scamper": "hostname"} {
		var b strings.Builder
		if err := writers[format](&b, trace, render.Options{}); err != nil {
			t.Fatal(err)
		}
		if got := render.Printable(strings.ReplaceAll(b.String(), "\n", "")); got != strings.ReplaceAll(b.String(), "\n", "") {
			t.Errorf("%s: %q", format, b.String())
		}
		first, _, _ := strings.Cut(b.String(), "\n{")
		var read map[string]any
		if err := json.Unmarshal([]byte(first), &read); err != nil {
			t.Fatal(err)
		}
		if key == "" {
			key, read = "name", read["destination"].(map[string]any)
		}
		if read[key] != name {
			t.Errorf("%s: %q, want %q", format, read[key], name)
		}
	}
}
