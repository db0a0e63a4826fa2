// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"net/netip"

	"traceflow"
)

// The marks of a table cell.
const (
	silentCell   = "*" // no answer to any try
	beyondCell   = "x" // the path is shorter than the table
	unprobedCell = "?" // not probed: the flow was given up or cut short before, or not needed here
)

// parallel are the addresses that answered at a TTL as several nodes, which
// their interfaces tell apart.
type parallel map[spot]bool

type spot struct {
	ttl     uint8
	address netip.Addr
}

func findParallel(g *traceflow.Graph) parallel {
	p := make(parallel)
	for i := range g.Nodes {
		at := spot{g.Nodes[i].TTL, g.Nodes[i].Address}
		_, again := p[at]
		p[at] = again
	}
	return p
}

// cell returns the text of hop i: the address, which of its interfaces the
// probe came in by where that makes a difference, and what it refused.
func (p parallel) cell(w *traceflow.Walk, i int) string {
	r := &w.Hops[i]
	switch r.Kind {
	case traceflow.NoReply, traceflow.Mute:
		return silentCell
	case traceflow.NotAsked:
		return unprobedCell
	default:
	}
	who := w.Responder(r)
	text := who.Address.String()
	if by := p.link(w.First+uint8(i), who); by != "" {
		text += " " + by
	}
	if mark := refusal(w, r); mark != "" {
		text += " " + mark
	}
	return text
}

// link says which of its interfaces a responder was reached by, where that makes
// a difference.
func (p parallel) link(ttl uint8, who traceflow.Responder) string {
	if who.Interface == 0 || !p[spot{ttl, who.Address}] {
		return ""
	}
	return fmt.Sprintf("if %d", who.Interface)
}

// refusal returns the mark of a reply that is neither an ordinary step of a walk
// nor its ordinary end; !T is a destination that says that the TTL ended there.
func refusal(w *traceflow.Walk, r *traceflow.Reply) string {
	switch {
	case r.Kind == traceflow.TimeExceeded && r.Address == w.Flow.Destination:
		return "!T"
	case r.Kind == traceflow.PortUnreachable && r.Address == w.Flow.Destination:
		return ""
	}
	return mark(r)
}

// mark returns the sign that traceroute tools print for an ICMP error that is
// no ordinary step of a trace: !N network, !H host, !P protocol, !p port, !X
// forbidden by an administrator, !F too big, and !<code> for the rest.
func mark(r *traceflow.Reply) string {
	switch r.Kind {
	case traceflow.NoReply, traceflow.Mute, traceflow.NotAsked, traceflow.Inferred, traceflow.TimeExceeded,
		traceflow.EchoReply, traceflow.SynAck, traceflow.Reset, traceflow.UDPReply:
		return ""
	case traceflow.PortUnreachable:
		return "!p"
	case traceflow.PacketTooBig:
		return "!F"
	case traceflow.ParameterProblem:
		return fmt.Sprintf("!<%d-%d>", r.ICMPType, r.ICMPCode)
	case traceflow.Unreachable:
	}
	marks := map[uint8]string{0: "!N", 1: "!H", 2: "!P", 5: "!S", 6: "!N", 7: "!H", 9: "!X", 10: "!X", 13: "!X"} // RFC 792, 1122, 1812
	if r.Address.Is6() {
		marks = map[uint8]string{0: "!N", 1: "!X", 2: "!S", 3: "!H", 5: "!X", 6: "!X"} // RFC 4443, section 3.1
	}
	if m, ok := marks[r.ICMPCode]; ok {
		return m
	}
	return fmt.Sprintf("!<%d>", r.ICMPCode)
}

// markNames say what marks mean.
var markNames = []struct{ mark, name string }{
	{"!T", "takes itself for a router on the way"},
	{"!N", "network unreachable"},
	{"!H", "host unreachable"},
	{"!P", "protocol unreachable"},
	{"!p", "port unreachable though not the destination"},
	{"!X", "forbidden by an administrator"},
	{"!S", "source route failed or beyond its scope"},
	{"!F", "packet too big"},
}
