// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
	"slices"
)

// Border is where packets leave one AS for another, as far as addresses tell:
// no packet says so. A router often answers from the address of the link that
// the packet came in by, and that link is numbered by one of the two sides; so
// the first address of an AS may be one hop behind its first router. About 60 %
// of the disagreements between traceroute and BGP come from that, and no table
// of prefixes can mend it. Evidence and Confidence say what a border rests on.
type Border struct {
	// Near is the last hop that is known to be of the AS that packets leave, Far
	// the first of the one that they enter.
	Near, Far BorderSide
	// IXP and LAN are set where packets cross the peering LAN of an exchange
	// point: its name and prefix.
	IXP        string
	LAN        netip.Prefix
	Evidence   BorderEvidence
	Confidence Confidence
	Flows      int // of the paths that cross it
}

// BorderSide is one end of a border.
type BorderSide struct {
	ASN  uint32 // 0 when it is not known, which only an exchange point has
	Name string // of the AS; "" when it is not known
	// TTL and Address are the hop's; TTL 0 is the vantage point. Address is not
	// valid where the hop beside an exchange point is silent.
	TTL     uint8
	Address netip.Addr
}

// Gap returns how many hops between the two sides belong to nobody known: they
// are silent, private, or in no table. The border is somewhere among them.
func (b *Border) Gap() int { return int(b.Far.TTL) - int(b.Near.TTL) - 1 }

// BorderEvidence is what a border is seen by.
type BorderEvidence string

// The kinds of evidence. The first three are the triplet rule of traIXroute
// (Nomikos and Dimitropoulos, PAM 2016): a peering LAN between two ASes.
const (
	// EvidenceIXPPort is the address of a member's port on a peering LAN: the
	// member owns the router that answers from it, and is the AS entered.
	EvidenceIXPPort BorderEvidence = "ixp-port"
	// EvidenceIXPLAN is an address on a peering LAN, nobody knows whose, with
	// different ASes before and after it. The one after it is taken to be entered.
	EvidenceIXPLAN BorderEvidence = "ixp-lan"
	// EvidenceIXPLANOnly is the same where one of the two is not known.
	EvidenceIXPLANOnly BorderEvidence = "ixp-lan-only"
	// EvidenceOwnTable is that both sides are in the user's own table.
	EvidenceOwnTable BorderEvidence = "own-table"
	// EvidenceOriginRun is that at least two hops before are announced by the one
	// AS and at least two after by the other: the border is here or, where the
	// link is numbered by the nearer side, one hop earlier.
	EvidenceOriginRun BorderEvidence = "origin-run"
	// EvidenceOrigin is who announces the two addresses, and nothing else.
	EvidenceOrigin BorderEvidence = "origin"
)

// Confidence is how far a conclusion can be relied upon.
type Confidence string

// The levels. Each kind of evidence has one that it can reach: high for a port
// on a peering LAN and for the user's own table; medium for a LAN between two
// ASes and for runs of origins; low for a LAN alone and for origins alone. It is
// one level less for each of these doubts:
//
//   - hops between the two sides belong to nobody known;
//   - nobody known is before a port;
//   - the next AS behind a port is not the member's, or not known: the port may
//     have changed hands;
//   - the hop behind an address on a LAN is of nobody known.
//
// It is low, whatever the evidence, where two addresses on peering LANs follow
// each other, which real paths hardly ever show, and where a router answers from
// its own port before packets cross the LAN.
const (
	ConfidenceHigh   Confidence = "high"
	ConfidenceMedium Confidence = "medium"
	ConfidenceLow    Confidence = "low"
)

// lower returns a level that is lower by so many.
func (c Confidence) lower(by int) Confidence {
	levels := []Confidence{ConfidenceHigh, ConfidenceMedium, ConfidenceLow}
	return levels[min(slices.Index(levels, c)+by, len(levels)-1)]
}

// rank orders confidence and evidence, the strongest first.
func (b *Border) rank() int {
	order := []BorderEvidence{
		EvidenceIXPPort, EvidenceOwnTable, EvidenceIXPLAN, EvidenceOriginRun, EvidenceIXPLANOnly, EvidenceOrigin,
	}
	levels := []Confidence{ConfidenceHigh, ConfidenceMedium, ConfidenceLow}
	return slices.Index(levels, b.Confidence)*len(order) + slices.Index(order, b.Evidence)
}

// Borders returns where packets pass from one AS to another, on any path, in the
// order of TTLs. It follows from Graph and Annotations. Paths that cross one
// border are added up, and the strongest evidence that one of them gives is
// kept.
//
// Two hops whose prefixes have an origin in common are of one AS. An address
// that no table has, a private one that is not in the user's own table, and a
// silent hop are of nobody: they are not taken to be of the AS around them. A
// single address of another AS between two hops of one AS is no border: packets
// do not come back to an AS that they have left (BGP forbids such routes), but
// routers answer from addresses of third parties.
func (t *Trace) Borders() []Border {
	if len(t.Annotations) == 0 {
		return nil
	}
	nodes := make(map[string]*Node, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		nodes[t.Graph.Nodes[i].ID] = &t.Graph.Nodes[i]
	}
	type key struct {
		near, far BorderSide
		ixp       string
		lan       netip.Prefix
	}
	found := make(map[key]*Border)
	names := t.asNames()
	owners := newOwners(t)
	for i := range t.Graph.Paths {
		p := &t.Graph.Paths[i]
		way := route{owners.of(t.VantagePoint.Address, 0)}
		for _, id := range p.Nodes {
			way = append(way, owners.of(nodes[id].Address, nodes[id].TTL))
		}
		for _, b := range way.borders() {
			b.Near.Name, b.Far.Name = names[b.Near.ASN], names[b.Far.ASN]
			k := key{b.Near, b.Far, b.IXP, b.LAN}
			if known := found[k]; known == nil {
				found[k] = &b
			} else if b.rank() < known.rank() {
				known.Evidence, known.Confidence = b.Evidence, b.Confidence
			}
			found[k].Flows += len(p.Flows)
		}
	}
	out := make([]Border, 0, len(found))
	for _, b := range found {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Border) int {
		return cmp.Or(a.Near.compare(b.Near), a.Far.compare(b.Far), cmp.Compare(a.IXP, b.IXP), a.LAN.Compare(b.LAN))
	})
	return out
}

func (s BorderSide) compare(o BorderSide) int {
	return cmp.Or(cmp.Compare(s.TTL, o.TTL), compareAddress(s.Address, o.Address), cmp.Compare(s.ASN, o.ASN))
}

// asNames are the names of ASes by number. AS 0 has none.
func (t *Trace) asNames() map[uint32]string {
	out := make(map[uint32]string)
	add := func(asn uint32, name string) {
		if asn != 0 && out[asn] == "" {
			out[asn] = name
		}
	}
	var ports []*Annotation // whose members have names of their own there
	for i := range t.Annotations {
		if a := &t.Annotations[i]; a.Port == (Port{}) {
			add(a.Origin.ASN(), a.Origin.Name)
		} else {
			ports = append(ports, a)
		}
	}
	for _, a := range ports {
		add(a.Owner())
	}
	return out
}
