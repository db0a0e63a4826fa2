// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"io"
	"strings"

	"traceflow"
)

// atlasForm is the version of the form of RIPE Atlas results that is written:
// no firmware of a probe, but what readers look at to know the form.
const atlasForm = 5000

// Atlas writes the traceroute results of RIPE Atlas, one for each flow: there a
// result is one flow by definition, and paris_id says which. They are lines, not
// a list, as Atlas streams and stores them, so that they can be cut and joined.
// docs/exchange.md says what is left out.
func Atlas(w io.Writer, t *traceflow.Trace, _ Options) error {
	e := newJSONEncoder(w)
	for _, p := range placeFlows(t) {
		if err := e.Encode(toAtlas(t, &p)); err != nil {
			return err
		}
	}
	return nil
}

type atlasResult struct {
	Firmware    int        `json:"fw"`
	LastSync    int        `json:"lts"` // −1: not known
	Family      int        `json:"af"`
	Destination string     `json:"dst_addr"`
	Name        string     `json:"dst_name"`
	Source      string     `json:"src_addr"`
	From        string     `json:"from"`
	Measurement int        `json:"msm_id"`
	MeasureName string     `json:"msm_name"`
	Probe       int        `json:"prb_id"`
	Protocol    string     `json:"proto"`
	Paris       int        `json:"paris_id"`
	Size        int        `json:"size"`
	Began       int64      `json:"timestamp"`
	Ended       int64      `json:"endtime"`
	Type        string     `json:"type"`
	Result      []atlasHop `json:"result"`
}

type atlasHop struct {
	Hop    int          `json:"hop"`
	Result []atlasReply `json:"result"`
}

// atlasReply is one packet: what came back, or X or Error alone.
type atlasReply struct {
	X     string `json:"x,omitempty"`
	Error string `json:"error,omitempty"`

	From      string          `json:"from,omitempty"`
	TTL       uint8           `json:"ttl,omitempty"`
	RTT       *fractionalMS   `json:"rtt,omitempty"`
	Err       any             `json:"err,omitempty"` // a letter, or the ICMP code of what has none
	MTU       uint32          `json:"mtu,omitempty"`
	QuotedTTL *int            `json:"ittl,omitempty"` // there unless it is 1
	QuotedTOS *uint8          `json:"itos,omitempty"` // there unless it was sent as 0 and is
	Flags     string          `json:"flags,omitempty"`
	Extension *atlasExtension `json:"icmpext,omitempty"`
}

// atlasExtension holds the extension objects of an ICMP message (RFC 4884).
type atlasExtension struct {
	Version   int           `json:"version"`
	Compliant int           `json:"rfc4884"`
	Objects   []atlasObject `json:"obj"`
}

type atlasObject struct {
	Class int          `json:"class"`
	Type  int          `json:"type"`
	MPLS  []atlasLabel `json:"mpls,omitempty"`
}

type atlasLabel struct {
	Label  uint32 `json:"label"`
	Exp    uint8  `json:"exp"`
	Bottom int    `json:"s"`
	TTL    uint8  `json:"ttl"`
}

func toAtlas(t *traceflow.Trace, p *placed) *atlasResult {
	f := &p.walk.Flow
	r := &atlasResult{
		Firmware: atlasForm, LastSync: -1, Family: 4,
		Destination: f.Destination.String(), Name: t.Destination.Name, Source: f.Source.String(), From: f.Source.String(),
		MeasureName: "Traceroute", Protocol: strings.ToUpper(f.Protocol.String()), Paris: f.ID,
		Began: p.began.Unix(), Ended: p.ended.Unix(), Type: "traceroute", Result: []atlasHop{},
	}
	if f.Destination.Is6() {
		r.Family = 6
	}
	// Atlas counts what is behind the transport header.
	overhead := 8
	if f.Protocol == traceflow.ProtocolTCP {
		overhead = smallestSYN
	}
	r.Size = max(0, probeBytes(&t.Config, f)-ipHeader(f)-overhead)
	for _, h := range p.hops {
		hop := atlasHop{Hop: h.ttl}
		for _, probe := range h.probes {
			hop.Result = append(hop.Result, toAtlasReply(f, &probe))
		}
		r.Result = append(r.Result, hop)
	}
	return r
}

func toAtlasReply(f *traceflow.Flow, p *placedProbe) atlasReply {
	r := &p.Reply
	switch {
	case p.Err != nil:
		return atlasReply{Error: "sendto failed: " + p.Err.Error()}
	case !r.Kind.Answered():
		return atlasReply{X: "*"}
	}
	rtt := fractionalMS(r.RTT)
	out := atlasReply{From: r.Address.String(), TTL: r.TTL, RTT: &rtt, Err: atlasErr(f, r), MTU: r.MTU, Extension: toAtlasExtension(r)}
	if r.HeaderQuoted {
		if p.quotedTTL != 1 {
			out.QuotedTTL = &p.quotedTTL
		}
		if r.QuotedTOS != 0 || f.TOS != 0 {
			out.QuotedTOS = &r.QuotedTOS
		}
	}
	switch r.Kind {
	case traceflow.SynAck:
		out.Flags = "SA"
	case traceflow.Reset:
		out.Flags = "R"
	default:
	}
	return out
}

// atlasErr is the letter of a refusal, or its code where it has no letter. Where
// the port of a UDP probe is closed, there is none: that is what the end of a
// traceroute looks like.
func atlasErr(f *traceflow.Flow, r *traceflow.Reply) any {
	switch r.Kind {
	case traceflow.PortUnreachable:
		if f.Protocol == traceflow.ProtocolUDP {
			return nil
		}
		return "p"
	case traceflow.Unreachable:
		letters := map[uint8]string{0: "N", 1: "H", 2: "P", 13: "A"}
		if r.Address.Is6() {
			letters = map[uint8]string{0: "N", 1: "A", 2: "h", 3: "H"}
		}
		if letter, ok := letters[r.ICMPCode]; ok {
			return letter
		}
		return int(r.ICMPCode)
	case traceflow.ParameterProblem:
		return int(r.ICMPCode)
	default:
		return nil
	}
}

// The classes of extension objects: RFC 4950 and RFC 5837.
const (
	classMPLS      = 1
	typeMPLS       = 1 // the stack that came in
	classInterface = 2
)

func toAtlasExtension(r *traceflow.Reply) *atlasExtension {
	if len(r.MPLS) == 0 && len(r.Interfaces) == 0 {
		return nil
	}
	// Whether the message has a length as RFC 4884 wants it is not kept.
	x := &atlasExtension{Version: 2, Compliant: 1}
	if len(r.MPLS) > 0 {
		stack := atlasObject{Class: classMPLS, Type: typeMPLS}
		for _, l := range r.MPLS {
			stack.MPLS = append(stack.MPLS, atlasLabel{Label: l.Label, Exp: l.TC, Bottom: bit(l.Bottom), TTL: l.TTL})
		}
		x.Objects = append(x.Objects, stack)
	}
	for i := range r.Interfaces {
		told := &r.Interfaces[i]
		// RFC 5837, section 4.1: the role, and which of the parts are there.
		x.Objects = append(x.Objects, atlasObject{Class: classInterface, Type: int(told.Role)<<6 |
			bit(told.Index != 0)<<3 | bit(told.Address.IsValid())<<2 | bit(told.Name != "")<<1 | bit(told.MTU != 0)})
	}
	return x
}
