// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import "slices"

// Finish is a search for the destination by other kinds of probes, made where
// it answered none of the flows: many drop UDP and answer echo requests.
type Finish struct {
	// Flows are what was tried, one of each kind. Their IDs count from 1 and
	// are not those of the trace's flows.
	Flows []Flow
	// Exchanges are all packets of these flows.
	Exchanges []Exchange
}

// Walk returns what the first of the flows met that reached the destination,
// and whether one did.
func (f *Finish) Walk(first uint8) (Walk, bool) {
	if f == nil {
		return Walk{}, false
	}
	for _, flow := range f.Flows {
		var own []Exchange
		for i := range f.Exchanges {
			if f.Exchanges[i].Flow == flow.ID {
				own = append(own, f.Exchanges[i])
			}
		}
		if w := NewWalk(flow, first, own); w.End == EndReached {
			return w, true
		}
	}
	return Walk{}, false
}

// End gives walks that ended in silence the end that a search by other probes
// has found. A walk whose last router the other flow met too goes on as that
// flow did from there; one that met another router just before the destination's
// distance ends there. Any other has no end that is known, nor has a walk whose
// last known router others went on from: it may have gone their way. A router
// is an address here: how it goes on is not told by the link it was reached by.
func (f *Finish) End(walks []Walk) {
	if f == nil {
		return
	}
	onward := make(map[place]bool)
	for i := range walks {
		w := &walks[i]
		for j := 1; j < len(w.Hops); j++ {
			if w.Hops[j].Address.IsValid() && w.Hops[j-1].Address.IsValid() {
				onward[place{int(w.First) + j - 1, Responder{Address: w.at(j - 1)}}] = true
			}
		}
	}
	for i := range walks {
		w := &walks[i]
		if w.ended() || w.End == EndNotSent {
			continue
		}
		by, ok := f.Walk(w.First)
		if !ok {
			return
		}
		distance, last, met := by.Distance(), w.lastKnown(), false
		if last > 0 {
			router := w.at(last - int(w.First))
			if onward[place{last, Responder{Address: router}}] {
				w.End = EndUnknown
				continue
			}
			for j := range by.Hops {
				if by.Hops[j].Kind.Answered() && by.Hops[j].Address == router {
					distance, met = last+by.Distance()-(int(by.First)+j), true
				}
			}
			// What another way is like says nothing of how many routers this one has.
			if !met && distance != last+1 {
				w.End = EndUnknown
				continue
			}
		}
		if distance > last && distance >= int(w.First) && distance <= 255 {
			w.endAtDestination(distance)
		}
	}
}

// lastKnown returns the highest TTL at which it is known what the walk met, or
// 0.
func (w *Walk) lastKnown() int {
	for i, r := range slices.Backward(w.Hops) {
		if r.Address.IsValid() {
			return int(w.First) + i
		}
	}
	return 0
}

// endAtDestination makes the walk end at the destination, though that did not
// answer it.
func (w *Walk) endAtDestination(distance int) {
	n := distance - int(w.First) + 1
	for len(w.Hops) < n {
		w.Hops = append(w.Hops, Reply{Kind: NotAsked})
	}
	w.Hops = w.Hops[:n]
	w.Hops[n-1] = Reply{Kind: Inferred, Address: w.Flow.Destination}
	w.End = EndInferred
}

// EndReason says why a trace reached its destination or did not.
type EndReason string

// The reasons, the strongest first.
const (
	ReasonAnswered    EndReason = "answered"           // the destination answered the flows
	ReasonTTLExpired  EndReason = "ttl-expired"        // it answered, but only that their TTL ended there
	ReasonOtherwise   EndReason = "answered-otherwise" // it answered other kinds of probes, see Finish
	ReasonStranger    EndReason = "answered-elsewhere" // another address answered as if it were it
	ReasonProhibited  EndReason = "prohibited"         // a router said that an administrator forbids it
	ReasonUnreachable EndReason = "unreachable"        // a router said that it cannot forward
	ReasonMaxTTL      EndReason = "max-ttl"            // the highest TTL was not enough
	ReasonSilent      EndReason = "silent"             // nothing answers beyond the last router
	ReasonNotSent     EndReason = "not-sent"           // no packet could be sent
	ReasonUnknown     EndReason = "unknown"            // it was cut short
)

// EndReason returns the strongest reason that any flow gives.
func (t *Trace) EndReason() EndReason {
	found := make(map[EndReason]bool)
	for i := range t.Graph.Walks {
		found[t.Graph.Walks[i].reason()] = true
	}
	if _, ok := t.Finish.Walk(max(1, t.Config.FirstTTL)); ok {
		found[ReasonOtherwise] = true
	}
	for _, r := range []EndReason{
		ReasonAnswered, ReasonTTLExpired, ReasonOtherwise, ReasonStranger, ReasonProhibited, ReasonUnreachable,
		ReasonMaxTTL, ReasonSilent, ReasonNotSent,
	} {
		if found[r] {
			return r
		}
	}
	return ReasonUnknown
}

func (w *Walk) reason() EndReason {
	last := Reply{}
	if n := len(w.Hops); n > 0 {
		last = w.Hops[n-1]
	}
	switch w.End {
	case EndReached:
		if last.Kind == TimeExceeded {
			return ReasonTTLExpired
		}
		return ReasonAnswered
	case EndUnreachable:
		switch {
		case last.Kind == PortUnreachable || last.Kind == EchoReply:
			return ReasonStranger
		case last.Prohibited():
			return ReasonProhibited
		}
		return ReasonUnreachable
	case EndSilent:
		return ReasonSilent
	case EndMaxTTL:
		return ReasonMaxTTL
	case EndNotSent:
		return ReasonNotSent
	case EndUnknown, EndInferred:
	}
	return ReasonUnknown
}

// Prohibited reports whether a reply says that an administrator forbids what
// was sent (RFC 792, 1122 and 1812: ICMP 3/9, 3/10 and 3/13; RFC 4443, section
// 3.1: ICMPv6 1/1, and by policy 1/5 and 1/6).
func (r *Reply) Prohibited() bool {
	if r.Kind != Unreachable {
		return false
	}
	if r.Address.Is4() {
		return r.ICMPCode == 9 || r.ICMPCode == 10 || r.ICMPCode == 13
	}
	return r.ICMPCode == 1 || r.ICMPCode == 5 || r.ICMPCode == 6
}
