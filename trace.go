// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"time"
)

// Destination is the far end of a trace.
type Destination struct {
	Name    string // as given; the address itself if that was given
	Address netip.Addr
}

// VantagePoint is where a trace was measured from.
type VantagePoint struct {
	Hostname  string
	Address   netip.Addr
	Interface string
}

// Config is what was asked of a trace, for the record.
type Config struct {
	Protocol Protocol
	// QUIC is true when the UDP probes are QUIC packets.
	QUIC bool
	// TOS is the TOS byte or traffic class of every probe, Size the length of
	// its IP packet in bytes; 0 is the smallest.
	TOS          uint8
	Size         int
	DontFragment bool
	// Paths is the number of flows asked for.
	Paths int
	// Confidence is the level that the guarantee is computed for, 0 to 1.
	Confidence       float64
	FirstTTL, MaxTTL uint8
	// SourcePort is the base: flow i uses SourcePort + i.
	SourcePort, DestinationPort uint16
	// Rate is in packets a second; 0 is no limit.
	Rate    float64
	Retries int
	// Repeats is how many probes were sent for each flow and hop.
	Repeats int
	Timeout time.Duration
	Seed    uint64
	// Wire names the way the packets took out of the host.
	Wire string
	// Masked is how many of the first hops Mask has hidden; usually 0.
	Masked int
}

// StopReason says why no more probes were sent.
type StopReason string

// The stop reasons.
const (
	StopConfident      StopReason = "confident"       // the statement holds at the confidence asked for
	StopLimited        StopReason = "limited"         // silence or rate limits kept it from that
	StopProbeBudget    StopReason = "probe-budget"    // as many packets as allowed were sent
	StopTimeLimit      StopReason = "time-limit"      // it took as long as allowed
	StopFlowsExhausted StopReason = "flows-exhausted" // every flow asked for was followed to its end
	StopCancelled      StopReason = "cancelled"       // interrupted, or the wire broke
	StopSendFailed     StopReason = "send-failed"     // no packet could be sent
	StopNoReply        StopReason = "no-reply"        // nothing answered at all
)

// Stats counts packets of a trace. Replies that count are in Replies; what
// else arrived is told apart below it and is part of no result.
type Stats struct {
	Probes     int // packets sent, retries included
	Replies    int
	Retries    int
	SendErrors int

	Duplicates int // a second reply to one packet
	Late       int // a reply after its probe was given up
	// Unmatched replies quote no packet of ours. Foreign of them name a flow
	// that is not ours (another program's traffic); the rest name one of our
	// flows but not its secret identity: forged, or damaged on the way.
	Unmatched, Foreign int
	Malformed          int // could not be decoded
	// Unattributed replies name the flow but not the packet; the packets were
	// sent again one at a time. Only on wires that see no quoted header.
	Unattributed int
}

// Since returns what was counted after before.
func (s Stats) Since(before Stats) Stats {
	return Stats{
		Probes: s.Probes - before.Probes, Replies: s.Replies - before.Replies,
		Retries: s.Retries - before.Retries, SendErrors: s.SendErrors - before.SendErrors,
		Duplicates: s.Duplicates - before.Duplicates, Late: s.Late - before.Late,
		Unmatched: s.Unmatched - before.Unmatched, Foreign: s.Foreign - before.Foreign,
		Malformed: s.Malformed - before.Malformed, Unattributed: s.Unattributed - before.Unattributed,
	}
}

// Guarantee is what the flows that were answered allow to say about links
// that were not seen. See discover.Guarantee for how it is computed.
type Guarantee struct {
	// Confidence is the level asked for, 0 to 1.
	Confidence float64
	// Alpha bounds the chance that a link was missed anywhere on the map, if
	// all links between two neighbouring TTLs carry equal shares of the flows.
	Alpha float64
	// MinShare is the smallest share of the flows that a link can carry and
	// still have been seen, everywhere, at the confidence.
	MinShare float64
	// EqualShares is false when the flows are spread too unevenly for equal
	// shares to be believed: then Alpha must not be shown, and MinShare holds.
	EqualShares bool
	// LimitedHops are the TTLs where silence or a rate limit kept flows from
	// counting.
	LimitedHops []uint8
	// RateLimited are those of them where a router answered a burst and then
	// went on at a trickle: silence there is no loss, and no sign of a hop that
	// does not answer.
	RateLimited []uint8
	// Hops has the smallest share for each TTL: MinShare is the largest of them.
	Hops []HopShare
	// Short are the TTLs where fewer flows were answered than the confidence
	// needs.
	Short []HopShare
}

// HopShare is what may be said of the links to one TTL.
type HopShare struct {
	TTL uint8
	// MinShare is the smallest share that a link there can carry and still have
	// been seen.
	MinShare float64
}

// RouteChange is a flow that met another address when it was sent again, and
// then kept to it.
type RouteChange struct {
	Flow          int
	TTL           uint8
	Before, After netip.Addr
}

// Trace is one measurement: what was asked, every packet sent and what came
// back, and the graph that follows from it.
type Trace struct {
	Version      string // of the program
	Destination  Destination
	VantagePoint VantagePoint
	Started      time.Time
	Ended        time.Time
	Config       Config
	// Complete is false when the measurement was cut short.
	Complete   bool
	StopReason StopReason
	Stats      Stats
	Guarantee  Guarantee
	// Changes are flows whose route changed during the measurement.
	Changes   []RouteChange
	Flows     []Flow
	Exchanges []Exchange
	// Finish is how the destination was looked for otherwise; nil if it was not.
	Finish *Finish
	// MTUs are the path MTUs that were measured, one for each path at most.
	MTUs  []PathMTU
	Graph Graph
	// Annotations are what is known of the addresses in it; DataSets, where from.
	Annotations Annotations
	DataSets    []DataSet
}

// Reached reports whether the destination answered any flow, or any other kind
// of probe.
func (t *Trace) Reached() bool {
	if _, ok := t.Finish.Walk(max(1, t.Config.FirstTTL)); ok {
		return true
	}
	for i := range t.Graph.Walks {
		if t.Graph.Walks[i].End == EndReached {
			return true
		}
	}
	return false
}
