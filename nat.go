// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// NATEvidence is what says that addresses are translated.
type NATEvidence string

// The kinds of evidence, the strongest first.
const (
	// QuotedSource: quotes hold another source than was sent.
	QuotedSource NATEvidence = "quoted-source"
	// QuotedChecksum: the quotes of all routers from there on hold another
	// transport checksum, though address and port may have been restored.
	QuotedChecksum NATEvidence = "quoted-checksum"
	// LastQuote: only the last quote of each flow holds another checksum, with the
	// same difference in all of two flows or more, or another source that the
	// checksum does not confirm. It is a NAT, or the one who quoted has damaged it.
	LastQuote NATEvidence = "last-quote"
	// PrivateAddresses: a path from a private address to a public one leaves the
	// private addresses. On the internet the source has to change there, but no
	// quote shows it.
	PrivateAddresses NATEvidence = "private-addresses"
	// QuotedID: something rewrites IP identifications, as a NAT may.
	QuotedID NATEvidence = "quoted-id"
)

// Certain reports whether the evidence is a translation's and nothing else's.
func (e NATEvidence) Certain() bool { return e == QuotedSource || e == QuotedChecksum }

// Translation is a NAT, or what may be one, as Evidence says.
type Translation struct {
	Onset
	Evidence NATEvidence
	// Source is what packets of Flow carry as their source from there on, of ICMP
	// the echo ID for a port; invalid when it is not known. The port may follow
	// from the checksum.
	Source netip.AddrPort
	Flow   int // Flow.ID: the lowest that shows it, and has a Source if one does
	// KeepsPorts is true when the ports of all flows are known to stay. Where
	// they do not, routers behind the NAT see other flows than were sent.
	KeepsPorts bool
	Flows      int // that show it
}

// natState is what quotes say of the source.
type natState struct {
	source   netip.AddrPort
	checksum uint16
}

func readNAT(r *Reply) natState {
	if r.Quote == nil {
		return natState{}
	}
	return natState{r.Quote.Source, r.Quote.Checksum}
}

// same reports whether two states can be one: a quote whose source was restored
// is known by its checksum.
func (s natState) same(other natState) bool {
	if s.source.IsValid() && other.source.IsValid() {
		return s.source == other.source
	}
	return s.checksum == other.checksum && (s.checksum != 0 || s.source == other.source)
}

// confirmed reports whether the checksum is what a NAT makes of it that gives
// the flow this source.
func (s natState) confirmed(f *Flow) bool {
	return s.source.IsValid() && s.source.Port() == translatedPort(f, s.source.Addr(), s.checksum)
}

// natClue is what one flow says of one NAT.
type natClue struct {
	Onset
	walk     *Walk
	state    natState
	evidence NATEvidence
}

// findNATs reads steps in what quotes say of the source. What is no quote's
// evidence is named only where there is none of that.
func findNATs(tracks []track) []Translation {
	var clues, ids, private []natClue
	for i := range tracks {
		k := &tracks[i]
		found, id := natClues(k)
		clues, ids = append(clues, found...), append(ids, id...)
		if c, ok := leavesPrivate(k.walk); ok {
			private = append(private, c)
		}
	}
	groups := slices.DeleteFunc(groupClues(clues), clueGroup.garbage)
	out := make([]Translation, 0, len(groups))
	certain := false
	for _, g := range groups {
		x := g.translation()
		certain = certain || x.Evidence.Certain()
		out = append(out, x)
	}
	for _, g := range groupClues(ids) {
		known := slices.ContainsFunc(groups, func(o clueGroup) bool {
			_, ok := o.meet(g.Onset, g.clues[0].walk)
			return ok
		})
		if !known {
			out = append(out, g.translation())
		}
	}
	if !certain {
		for _, g := range groupClues(private) {
			out = append(out, g.translation())
		}
	}
	slices.SortStableFunc(out, func(a, b Translation) int { return cmp.Or(a.compare(b.Onset), cmp.Compare(a.Evidence, b.Evidence)) })
	return out
}

// natClues finds the steps of one flow.
func natClues(k *track) (found, ids []natClue) {
	steps := changes(natState{}, show(k, readNAT, natState.same), natState.same)
	for _, c := range steps {
		clue := natClue{Onset: k.blur(c.Onset), walk: k.walk, state: c.to, evidence: QuotedChecksum}
		// A quote whose source was not restored may stand among others.
		for _, s := range k.sights {
			if state := readNAT(s.reply); s.quotes() && state.source.IsValid() && state.same(c.to) {
				clue.state.source = state.source
			}
		}
		switch {
		case c.hops == 1 && !clue.state.confirmed(&k.walk.Flow):
			clue.evidence = LastQuote
		case clue.state.source.IsValid():
			clue.evidence = QuotedSource
		}
		found = append(found, clue)
	}
	same := func(a, b bool) bool { return a == b }
	for _, c := range changes(false, show(k, func(r *Reply) bool { return r.Quote != nil && r.Quote.ID }, same), same) {
		if c.hops > 1 {
			ids = append(ids, natClue{Onset: k.blur(c.Onset), walk: k.walk, evidence: QuotedID})
		}
	}
	return found, ids
}

// leavesPrivate finds where the path of a flow that is sent from a private
// address to a public one leaves the private addresses.
func leavesPrivate(w *Walk) (natClue, bool) {
	if !isPrivate(w.Flow.Source) || !isPublic(w.Flow.Destination) {
		return natClue{}, false
	}
	c := natClue{walk: w, evidence: PrivateAddresses}
	for i := range w.Hops {
		a, ttl := w.Hops[i].Address, w.First+uint8(i)
		switch {
		case isPrivate(a):
			c.After, c.Before = ttl, a
		case isPublic(a):
			c.TTL = ttl
			return c, true
		}
	}
	return natClue{}, false
}

// sharedSpace is for the inside of a carrier's NAT (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate reports whether no such address is a source on the public internet:
// RFC 1918, RFC 6598, RFC 4193 and link-local ones.
func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || sharedSpace.Contains(a) || a.IsLinkLocalUnicast()
}

func isPublic(a netip.Addr) bool { return a.IsGlobalUnicast() && !isPrivate(a) }

// clueGroup is what several flows say of one NAT.
type clueGroup struct {
	Onset
	clues []natClue
}

// groupClues puts clues together that can be of one NAT. Those that know best
// where it is come first.
func groupClues(clues []natClue) []clueGroup {
	slices.SortStableFunc(clues, func(a, b natClue) int {
		return cmp.Or(a.precision()-b.precision(), a.compare(b.Onset))
	})
	var out []clueGroup
	for _, c := range clues {
		joined := false
		for i := range out {
			if onset, ok := out[i].meet(c.Onset, c.walk); ok {
				out[i].Onset, joined = onset, true
				out[i].clues = append(out[i].clues, c)
				break
			}
		}
		if !joined {
			out = append(out, clueGroup{c.Onset, []natClue{c}})
		}
	}
	return out
}

// garbage reports whether all that a group has to say are last quotes with
// another checksum and no other source, which do not agree on the difference: a
// NAT that keeps ports adds the same to those of all flows, damage does not. One
// flow says nothing.
func (g clueGroup) garbage() bool {
	first := &g.clues[0]
	agree := false
	for i := range g.clues {
		c := &g.clues[i]
		if c.evidence != LastQuote || c.state.source.IsValid() {
			return false
		}
		if c.state.checksum != first.state.checksum {
			return true
		}
		agree = agree || c.walk != first.walk
	}
	return !agree
}

// translation says in one what all clues of a group say.
func (g *clueGroup) translation() Translation {
	strength := []NATEvidence{QuotedSource, QuotedChecksum, LastQuote, PrivateAddresses, QuotedID}
	slices.SortStableFunc(g.clues, func(a, b natClue) int { return cmp.Compare(a.walk.Flow.ID, b.walk.Flow.ID) })
	x := Translation{Onset: g.Onset, Evidence: QuotedID, Flow: g.clues[0].walk.Flow.ID}
	var public netip.Addr // that the NAT gives
	flows := make(map[int]bool)
	for _, c := range g.clues {
		flows[c.walk.Flow.ID] = true
		if slices.Index(strength, c.evidence) < slices.Index(strength, x.Evidence) {
			x.Evidence = c.evidence
		}
		if a := c.state.source.Addr(); a.IsValid() && a != c.walk.Flow.Source {
			public = a
		}
	}
	x.Flows = len(flows)
	for _, c := range g.clues {
		f := &c.walk.Flow
		source := c.state.source
		if !source.IsValid() && public.IsValid() && c.state.checksum != 0 {
			source = netip.AddrPortFrom(public, translatedPort(f, public, c.state.checksum))
		}
		if !source.IsValid() {
			continue
		}
		if !x.Source.IsValid() {
			x.Source, x.Flow, x.KeepsPorts = source, f.ID, true
		}
		x.KeepsPorts = x.KeepsPorts && source.Port() == f.SourcePort
	}
	return x
}

// translatedPort returns the port that a flow has been given with an address,
// which the difference of the checksums tells, modulo 65535: what was added to
// the checksum is missing in the sum of address and port.
func translatedPort(f *Flow, public netip.Addr, delta uint16) uint16 {
	const modulus = 65535
	sum := int(f.SourcePort) + modulus - int(delta)
	if f.Number() != uint8(ProtocolICMP) { // whose checksum covers no address
		sum += sumWords(f.Source) + modulus - sumWords(public)
	}
	if port := sum % modulus; port != 0 {
		return uint16(port)
	}
	return modulus // 0 is no port
}

// sumWords adds up an address modulo 65535.
func sumWords(a netip.Addr) int {
	sum := 0
	for b := a.AsSlice(); len(b) > 0; b = b[2:] {
		sum += int(binary.BigEndian.Uint16(b))
	}
	return sum % 65535
}
