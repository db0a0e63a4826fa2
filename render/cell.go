// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"

	"traceflow"
)

// The marks of a table cell.
const (
	silentCell   = "*" // no answer to any try
	beyondCell   = "x" // the path is shorter than the table
	unprobedCell = "?" // not probed: the flow was given up or cut short before, or not needed here
)

// cell returns the text of one hop: the address, and what it refused.
func cell(w *traceflow.Walk, r *traceflow.Reply) string {
	switch r.Kind {
	case traceflow.NoReply, traceflow.Mute:
		return silentCell
	case traceflow.NotAsked:
		return unprobedCell
	default:
	}
	text := r.Address.String()
	if w.Alias.IsValid() && r.Address == w.Flow.Destination {
		text = w.Alias.String()
	}
	if r.Kind == traceflow.TimeExceeded && r.Address == w.Flow.Destination {
		return text + " !T"
	}
	if mark := mark(r); mark != "" && (r.Kind != traceflow.PortUnreachable || r.Address != w.Flow.Destination) {
		text += " " + mark
	}
	return text
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
