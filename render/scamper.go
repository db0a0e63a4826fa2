// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"io"
	"time"

	"traceflow"
)

// Scamper writes what sc_warts2json writes for a file of traces: a trace for each
// flow, between the two lines that begin and end a cycle. docs/exchange.md says
// what is left out, and why it is not scamper's tracelb.
func Scamper(w io.Writer, t *traceflow.Trace, _ Options) error {
	e := newJSONEncoder(w)
	cycle := scamperCycle{Type: "cycle-start", List: "default", Hostname: t.VantagePoint.Hostname, Start: t.Started.Unix()}
	if err := e.Encode(cycle); err != nil {
		return err
	}
	for _, p := range placeFlows(t) {
		if err := e.Encode(toScamper(t, &p)); err != nil {
			return err
		}
	}
	cycle.Type, cycle.Start, cycle.Stop = "cycle-stop", 0, t.Ended.Unix()
	return e.Encode(cycle)
}

type scamperCycle struct {
	Type     string `json:"type"`
	List     string `json:"list_name"`
	ID       int    `json:"id"`
	Hostname string `json:"hostname"`
	Start    int64  `json:"start_time,omitempty"`
	Stop     int64  `json:"stop_time,omitempty"`
}

type scamperTrace struct {
	Type        string       `json:"type"`
	Version     string       `json:"version"`
	User        int          `json:"userid"`
	Method      string       `json:"method"`
	Source      string       `json:"src"`
	Destination string       `json:"dst"`
	ICMPSum     *uint16      `json:"icmp_sum,omitempty"`
	SourcePort  *uint16      `json:"sport,omitempty"`
	DestPort    *uint16      `json:"dport,omitempty"`
	StopReason  string       `json:"stop_reason"`
	StopData    int          `json:"stop_data"`
	Start       scamperStart `json:"start"`
	HopCount    int          `json:"hop_count"`
	Attempts    int          `json:"attempts"`
	HopLimit    int          `json:"hoplimit"`
	FirstHop    int          `json:"firsthop"`
	Wait        int          `json:"wait"`       // seconds
	WaitProbe   int          `json:"wait_probe"` // hundredths of a second
	TOS         uint8        `json:"tos"`
	ProbeSize   int          `json:"probe_size"`
	ProbeCount  int          `json:"probe_count"`
	Hops        []scamperHop `json:"hops"`
}

type scamperTime struct {
	Seconds int64 `json:"sec"`
	Micros  int   `json:"usec"`
}

type scamperStart struct {
	scamperTime
	Text string `json:"ftime"`
}

// scamperHop is one reply. Packets without one have no line.
type scamperHop struct {
	Address   string             `json:"addr"`
	ProbeTTL  int                `json:"probe_ttl"`
	ProbeID   int                `json:"probe_id"`
	ProbeSize int                `json:"probe_size"`
	Sent      scamperTime        `json:"tx"`
	RTT       fractionalMS       `json:"rtt"`
	ReplyTTL  uint8              `json:"reply_ttl,omitempty"`
	Type      *uint8             `json:"icmp_type,omitempty"`
	Code      *uint8             `json:"icmp_code,omitempty"`
	QuotedTTL *int               `json:"icmp_q_ttl,omitempty"`
	QuotedTOS *uint8             `json:"icmp_q_tos,omitempty"`
	MTU       uint32             `json:"icmp_nhmtu,omitempty"`
	Flags     int                `json:"tcp_flags,omitempty"`
	Extension []scamperExtension `json:"icmpext,omitempty"`
}

type scamperExtension struct {
	Class  int            `json:"ie_cn"`
	Type   int            `json:"ie_ct"`
	Length int            `json:"ie_dl"` // bytes
	Labels []scamperLabel `json:"mpls_labels"`
}

type scamperLabel struct {
	TTL    uint8  `json:"mpls_ttl"`
	Bottom int    `json:"mpls_s"`
	Exp    uint8  `json:"mpls_exp"`
	Label  uint32 `json:"mpls_label"`
}

func toScamper(t *traceflow.Trace, p *placed) *scamperTrace {
	f, c := &p.walk.Flow, &t.Config
	s := &scamperTrace{
		Type: "trace", Version: "0.1", Source: f.Source.String(), Destination: f.Destination.String(),
		Start:    scamperStart{toScamperTime(p.began), p.began.UTC().Format(time.DateTime)},
		Attempts: max(c.Retries+1, c.Repeats), HopLimit: int(c.MaxTTL), FirstHop: int(max(1, c.FirstTTL)),
		Wait: int(c.Timeout / time.Second), TOS: f.TOS, ProbeSize: probeBytes(c, f), ProbeCount: p.sent, Hops: []scamperHop{},
	}
	if c.Rate > 0 {
		s.WaitProbe = int(100 / c.Rate)
	}
	switch f.Protocol {
	case traceflow.ProtocolICMP:
		s.Method, s.ICMPSum = "icmp-echo-paris", &f.SourcePort
	case traceflow.ProtocolTCP:
		s.Method, s.SourcePort, s.DestPort = "tcp", &f.SourcePort, &f.DestinationPort
	case traceflow.ProtocolUDP:
		s.Method, s.SourcePort, s.DestPort = "udp-paris", &f.SourcePort, &f.DestinationPort
	}
	s.StopReason, s.StopData = scamperStop(p.walk)
	s.HopCount = p.walk.Distance()
	for _, h := range p.hops {
		s.HopCount = max(s.HopCount, h.ttl)
		for _, probe := range h.probes {
			if probe.Reply.Kind.Answered() {
				s.Hops = append(s.Hops, toScamperHop(f, h.ttl, s.ProbeSize, &probe))
			}
		}
	}
	return s
}

// scamperStop says why a flow was followed no further. Where the other flows
// made it needless, there is no reason that scamper knows.
func scamperStop(w *traceflow.Walk) (reason string, data int) {
	switch w.End {
	case traceflow.EndReached:
		return "COMPLETED", 0
	case traceflow.EndUnreachable:
		if n := len(w.Hops); n > 0 {
			data = int(w.Hops[n-1].ICMPCode)
		}
		return "UNREACH", data
	case traceflow.EndSilent:
		return "GAPLIMIT", 0
	case traceflow.EndMaxTTL:
		return "HOPLIMIT", 0
	case traceflow.EndNotSent:
		return "ERROR", 0
	case traceflow.EndUnknown, traceflow.EndInferred:
	}
	return "NONE", 0
}

func toScamperTime(at time.Time) scamperTime {
	return scamperTime{at.Unix(), at.Nanosecond() / 1000}
}

func toScamperHop(f *traceflow.Flow, ttl, size int, p *placedProbe) scamperHop {
	r := &p.Reply
	h := scamperHop{
		Address: r.Address.String(), ProbeTTL: ttl, ProbeID: p.Attempt, ProbeSize: size,
		Sent: toScamperTime(p.Sent), RTT: fractionalMS(r.RTT), ReplyTTL: r.TTL, MTU: r.MTU,
	}
	switch r.Kind {
	case traceflow.SynAck:
		h.Flags = 0x12 // SYN, ACK
	case traceflow.Reset:
		h.Flags = 0x04 // RST
	case traceflow.UDPReply:
	default:
		h.Type, h.Code = &r.ICMPType, &r.ICMPCode
	}
	if r.HeaderQuoted && r.Kind.Quotes() {
		h.QuotedTTL = &p.quotedTTL
		if f.Destination.Is4() {
			h.QuotedTOS = &r.QuotedTOS
		}
	}
	if len(r.MPLS) > 0 {
		x := scamperExtension{Class: classMPLS, Type: typeMPLS, Length: 4 * len(r.MPLS)}
		for _, l := range r.MPLS {
			x.Labels = append(x.Labels, scamperLabel{TTL: l.TTL, Bottom: bit(l.Bottom), Exp: l.TC, Label: l.Label})
		}
		h.Extension = append(h.Extension, x)
	}
	return h
}
