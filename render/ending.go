// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"net/netip"

	"traceflow"
)

// ending says why the trace reached its destination or did not; "" where the
// destination simply answered.
func ending(t *traceflow.Trace) string {
	switch t.EndReason() {
	case traceflow.ReasonTTLExpired:
		return "The destination answered only that the TTL ended there: it takes itself for a router on the way."
	case traceflow.ReasonOtherwise:
		w, _ := t.Finish.Walk(max(1, t.Config.FirstTTL))
		return fmt.Sprintf("The destination answers no %s, but %s: it is at TTL %d.",
			kindOf(t.Config.Protocol, t.Config.DestinationPort), kindOf(w.Flow.Protocol, w.Flow.DestinationPort), w.Distance())
	case traceflow.ReasonStranger:
		return "Not reached: " + lastHop(t, traceflow.EndUnreachable) + " answered as if it were the destination."
	case traceflow.ReasonProhibited:
		return "Not reached: " + lastHop(t, traceflow.EndUnreachable) + " says that an administrator forbids it." + tried(t)
	case traceflow.ReasonUnreachable:
		return "Not reached: " + lastHop(t, traceflow.EndUnreachable) + " says that it cannot be reached." + tried(t)
	case traceflow.ReasonMaxTTL:
		return fmt.Sprintf("Not reached: TTL %d is not enough.%s", t.Config.MaxTTL, tried(t))
	case traceflow.ReasonSilent:
		if last := lastAnswered(t); last > 0 {
			return fmt.Sprintf("Not reached: nothing answers beyond TTL %d.%s", last, tried(t))
		}
		return ""
	case traceflow.ReasonAnswered, traceflow.ReasonNotSent, traceflow.ReasonUnknown:
	}
	return ""
}

// lastHop names who ended the flows that ended in one way.
func lastHop(t *traceflow.Trace, end traceflow.End) string {
	by := make(map[netip.Addr]bool)
	var one netip.Addr
	for i := range t.Graph.Walks {
		if w := &t.Graph.Walks[i]; w.End == end && len(w.Hops) > 0 {
			one = w.Hops[len(w.Hops)-1].Address
			by[one] = true
		}
	}
	switch len(by) {
	case 0:
		return "somebody"
	case 1:
		return one.String()
	}
	return Count(len(by), "router")
}

// tried says what else was tried, in vain.
func tried(t *traceflow.Trace) string {
	if t.Finish == nil || len(t.Finish.Flows) == 0 {
		return ""
	}
	var kinds []string
	for _, f := range t.Finish.Flows {
		kinds = append(kinds, kindOf(f.Protocol, f.DestinationPort))
	}
	return " Nor does the destination answer " + listed(kinds, " or ") + "."
}

func kindOf(p traceflow.Protocol, port uint16) string {
	switch p {
	case traceflow.ProtocolICMP:
		return "ICMP echo"
	case traceflow.ProtocolTCP:
		return fmt.Sprintf("TCP on port %d", port)
	default:
		return fmt.Sprintf("UDP on port %d", port)
	}
}
