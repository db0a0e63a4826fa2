// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"traceflow"
)

// Findings writes a sentence for each thing that the replies give away beside
// the paths: NATs, tunnels, changed marks. It writes nothing where there is
// nothing.
func Findings(w io.Writer, t *traceflow.Trace) error {
	f := t.Findings()
	var lines []string
	for i := range f.NATs {
		lines = append(lines, translation(t, &f.NATs[i]))
	}
	for i := range f.Tunnels {
		lines = append(lines, tunnel(&f.Tunnels[i]))
	}
	for i := range f.Remarks {
		lines = append(lines, remark(&f.Remarks[i]))
	}
	for i := range f.ZeroTTL {
		lines = append(lines, zeroTTL(&f.ZeroTTL[i]))
	}
	lines = append(lines, interfaces(f.Interfaces)...)
	b := bufio.NewWriter(w)
	written := make(map[string]bool)
	for _, line := range lines {
		line = Printable(line) // routers choose the names of their interfaces
		// Parallel ways may give one and the same away.
		if !written[line] {
			written[line] = true
			fmt.Fprintln(b, line)
		}
	}
	return b.Flush()
}

// hop names a node.
func hop(ttl uint8, address netip.Addr) string {
	if !address.IsValid() {
		return fmt.Sprintf("TTL %d", ttl)
	}
	return fmt.Sprintf("TTL %d (%s)", ttl, address)
}

// place says where a change is made.
func place(o traceflow.Onset) string {
	switch {
	case o.After == 0:
		return fmt.Sprintf("before TTL %d", o.TTL)
	case o.TTL == o.After+1:
		return "after " + hop(o.After, o.Before)
	default:
		return fmt.Sprintf("between %s and TTL %d", hop(o.After, o.Before), o.TTL)
	}
}

func translation(t *traceflow.Trace, x *traceflow.Translation) string {
	switch x.Evidence {
	case traceflow.LastQuote:
		return fmt.Sprintf("Only the quote of TTL %d, the last, has another source or checksum: a NAT before it, or that host damages what it quotes.", x.TTL)
	case traceflow.PrivateAddresses:
		if x.After == 0 {
			return fmt.Sprintf("The address of this host is private and that of TTL %d is not: a NAT is likely in between, though no quote shows it.", x.TTL)
		}
		return fmt.Sprintf("The path leaves private addresses between TTL %d and %d: a NAT may be there, though no quote shows it.", x.After, x.TTL)
	case traceflow.QuotedID:
		return fmt.Sprintf("From TTL %d on packets carry other IP IDs than were sent: something %s rewrites them.", x.TTL, place(x.Onset))
	case traceflow.QuotedSource, traceflow.QuotedChecksum:
	}
	where := "NAT " + place(x.Onset)
	if x.After > 0 && x.TTL == x.After+1 {
		where = fmt.Sprintf("NAT at %s (TTL %d)", x.Before, x.After)
	}
	return fmt.Sprintf("%s: from TTL %d on packets carry %s.", where, x.TTL, source(t, x))
}

// source says what the packets have for a source behind a NAT.
func source(t *traceflow.Trace, x *traceflow.Translation) string {
	if !x.Source.IsValid() {
		return "another transport checksum; what source they have there is not told"
	}
	port := "port"
	for i := range t.Flows {
		if t.Flows[i].ID == x.Flow && t.Flows[i].Protocol == traceflow.ProtocolICMP {
			port = "echo ID"
		}
	}
	text := fmt.Sprintf("source %s", x.Source.Addr())
	switch {
	case x.Flows == 1:
		return fmt.Sprintf("%s %s %d", text, port, x.Source.Port())
	case x.KeepsPorts:
		return fmt.Sprintf("%s and keep their %ss", text, port)
	default:
		return fmt.Sprintf("%s, those of flow %d %s %d", text, x.Flow, port, x.Source.Port())
	}
}

func tunnel(x *traceflow.Tunnel) string {
	lie := fmt.Sprintf("TTL %d to %d lie", x.From, x.To)
	if x.From == x.To {
		lie = fmt.Sprintf("TTL %d lies", x.From)
	}
	var last netip.Addr
	if len(x.Addresses) > 0 {
		last = x.Addresses[len(x.Addresses)-1]
	}
	switch x.Evidence {
	case traceflow.ShownLabels:
		return lie + " in an MPLS tunnel that shows its labels."
	case traceflow.RisingQuotedTTL:
		return fmt.Sprintf("%s in an MPLS tunnel that hides its labels (quoted TTL rises from %d to %d).", lie, x.QuotedFrom, x.QuotedTo)
	case traceflow.ShownLabelTTL:
		return fmt.Sprintf("%s ends an MPLS tunnel that hides about %s (label TTL %d).", hop(x.To, last), Count(x.Hidden, "router"), x.LabelTTL)
	case traceflow.LongerReturn:
		return fmt.Sprintf("About %s may be hidden in an MPLS tunnel before %s: from there on the way back is that much longer.", Count(x.Hidden, "router"), hop(x.To, last))
	case traceflow.DuplicateAddress:
		return fmt.Sprintf("%s answers at TTL %d and again at TTL %d: an MPLS tunnel that hides its routers may end before it.", last, x.From, x.To)
	}
	return ""
}

func remark(x *traceflow.Remark) string {
	congestion := ""
	if x.Field == traceflow.FieldECN && x.To == 3 {
		congestion = " (congestion)"
	}
	return fmt.Sprintf("%s is changed from %d to %d%s %s.", strings.ToUpper(string(x.Field)), x.From, x.To, congestion, place(x.Onset))
}

func zeroTTL(x *traceflow.ZeroTTL) string {
	after := ""
	if x.Before.IsValid() {
		after = fmt.Sprintf(", behind %s,", x.Before)
	}
	return fmt.Sprintf("%s answers at TTL %d, with a quoted TTL of 0, and again at TTL %d: the router before it%s sends on packets whose TTL has run out.",
		x.Address, x.TTL, x.TTL+1, after)
}

// mostInterfaces of one node and role are named.
const mostInterfaces = 8

// interfaces says for each node and role which interfaces it told about.
func interfaces(all []traceflow.ToldInterface) []string {
	verbs := map[traceflow.InterfaceRole]string{
		traceflow.IncomingInterface: "packets come in by", traceflow.IncomingSubInterface: "packets come in by part",
		traceflow.OutgoingInterface: "packets leave by", traceflow.NextHopInterface: "packets go to",
	}
	var out []string
	for len(all) > 0 {
		first := &all[0]
		n := slices.IndexFunc(all, func(x traceflow.ToldInterface) bool {
			return x.TTL != first.TTL || x.Address != first.Address || x.Role != first.Role
		})
		if n < 0 {
			n = len(all)
		}
		var names []string
		for i := range all[:min(n, mostInterfaces)] {
			names = append(names, interfaceName(&all[i].Interface))
		}
		text := strings.Join(names, ", ")
		if n > mostInterfaces {
			text += fmt.Sprintf(" and %d more", n-mostInterfaces)
		}
		out = append(out, fmt.Sprintf("%s tells that %s %s.", hop(first.TTL, first.Address), verbs[first.Role&3], text))
		all = all[n:]
	}
	return out
}

// interfaceName names an interface by all that was told.
func interfaceName(x *traceflow.Interface) string {
	var parts []string
	if x.Index != 0 {
		parts = append(parts, fmt.Sprintf("index %d", x.Index))
	}
	if x.Address.IsValid() {
		parts = append(parts, x.Address.String())
	}
	if x.MTU != 0 {
		parts = append(parts, fmt.Sprintf("MTU %d", x.MTU))
	}
	switch {
	case x.Name == "":
		return strings.Join(parts, " ")
	case len(parts) == 0:
		return shorten(x.Name, mostName)
	default:
		return fmt.Sprintf("%s (%s)", shorten(x.Name, mostName), strings.Join(parts, ", "))
	}
}
