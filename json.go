// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// Schema names the file form that MarshalJSON writes. Within it keys are only
// ever added. docs/json.md has every key, its unit and its meaning.
const Schema = "traceflow.trace/1"

// MarshalJSON writes the result document.
func (t *Trace) MarshalJSON() ([]byte, error) { return json.Marshal(toDocument(t)) }

// UnmarshalJSON reads a result document of this schema.
func (t *Trace) UnmarshalJSON(data []byte) error {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("read trace: %w", err)
	}
	if d.Schema != Schema {
		return fmt.Errorf("read trace: schema %q is not %q", d.Schema, Schema)
	}
	out, err := d.trace()
	if err != nil {
		return fmt.Errorf("read trace: %w", err)
	}
	*t = *out
	return nil
}

type document struct {
	Schema       string           `json:"schema"`
	Version      string           `json:"version"`
	Destination  docDestination   `json:"destination"`
	VantagePoint docVantagePoint  `json:"vantage_point"`
	Started      time.Time        `json:"started"`
	Ended        time.Time        `json:"ended"`
	Config       docConfig        `json:"config"`
	Complete     bool             `json:"complete"`
	StopReason   StopReason       `json:"stop_reason"`
	Reached      bool             `json:"reached"`
	Stats        docStats         `json:"stats"`
	Guarantee    docGuarantee     `json:"guarantee"`
	Flows        []docFlow        `json:"flows"`
	Exchanges    []docExchange    `json:"exchanges"`
	Paths        []docPath        `json:"paths"`
	Nodes        []docNode        `json:"nodes"`
	Links        []docLink        `json:"links"`
	Diamonds     []docDiamond     `json:"diamonds"`
	Changes      []docRouteChange `json:"route_changes"`
}

type docDestination struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
}

type docVantagePoint struct {
	Hostname  string     `json:"hostname"`
	Address   netip.Addr `json:"address"`
	Interface string     `json:"interface"`
}

type docConfig struct {
	Protocol        string   `json:"protocol"`
	Paths           docPaths `json:"paths"`
	Confidence      float64  `json:"confidence"`
	FirstTTL        uint8    `json:"first_ttl"`
	MaxTTL          uint8    `json:"max_ttl"`
	SourcePort      uint16   `json:"src_port"`
	DestinationPort uint16   `json:"dst_port"`
	RatePPS         int64    `json:"rate_pps"`
	GapNS           int64    `json:"gap_ns"`
	Retries         int      `json:"retries"`
	Repeats         int      `json:"repeats"`
	TimeoutUS       int64    `json:"timeout_us"`
	Seed            uint64   `json:"seed"`
	Wire            string   `json:"wire"`
}

// docPaths is a number, or "auto" for 0.
type docPaths int

func (p docPaths) MarshalJSON() ([]byte, error) {
	if p == 0 {
		return json.Marshal("auto")
	}
	return json.Marshal(int(p))
}

func (p *docPaths) UnmarshalJSON(data []byte) error {
	if string(data) == `"auto"` {
		*p = 0
		return nil
	}
	return json.Unmarshal(data, (*int)(p))
}

type docStats struct {
	Probes       int `json:"probes"`
	Replies      int `json:"replies"`
	Retries      int `json:"retries"`
	Duplicates   int `json:"duplicates"`
	Late         int `json:"late"`
	Unmatched    int `json:"unmatched"`
	SendErrors   int `json:"send_errors"`
	Foreign      int `json:"foreign"`
	Malformed    int `json:"malformed"`
	Unattributed int `json:"unattributed"`
}

type docGuarantee struct {
	Confidence  float64 `json:"confidence"`
	Alpha       float64 `json:"alpha"`
	MinShare    float64 `json:"min_share"`
	LimitedHops []int   `json:"limited_hops"`

	EqualShares bool          `json:"equal_shares"`
	RateLimited []int         `json:"rate_limited_hops"`
	Short       []docHopShare `json:"short_hops"`
	Hops        []docHopShare `json:"hop_shares"`
}

type docHopShare struct {
	TTL      uint8   `json:"ttl"`
	MinShare float64 `json:"min_share"`
}

type docRouteChange struct {
	Flow   int        `json:"flow"`
	TTL    uint8      `json:"ttl"`
	Before netip.Addr `json:"before"`
	After  netip.Addr `json:"after"`
}

type docFlow struct {
	ID              int    `json:"id"`
	Protocol        string `json:"protocol"`
	SourcePort      uint16 `json:"src_port"`
	DestinationPort uint16 `json:"dst_port"`
	Label           uint32 `json:"flow_label"`
	// Destination is there only if it is not the trace's.
	Destination *netip.Addr `json:"destination,omitempty"`
	Path        *int        `json:"path"`
	Ambiguous   bool        `json:"ambiguous"`
	Reached     bool        `json:"reached"`
	End         string      `json:"end"`
}

type docExchange struct {
	Flow    int    `json:"flow"`
	TTL     uint8  `json:"ttl"`
	Attempt int    `json:"attempt"`
	SentUS  *int64 `json:"sent_us"`
	Error   string `json:"error,omitempty"`
	// Abandoned is true when the measurement ended before a reply was due.
	Abandoned bool      `json:"abandoned"`
	Reply     *docReply `json:"reply"`
}

type docReply struct {
	Kind      string     `json:"kind"`
	Address   netip.Addr `json:"address"`
	RTTUS     int64      `json:"rtt_us"`
	ICMPType  uint8      `json:"icmp_type"`
	ICMPCode  uint8      `json:"icmp_code"`
	ReplyTTL  *uint8     `json:"reply_ttl"`
	QuotedTTL *uint8     `json:"quoted_ttl"`
	QuotedTOS *uint8     `json:"quoted_tos"`
	MPLS      []docLabel `json:"mpls"`
	Verified  bool       `json:"verified"`
}

type docLabel struct {
	Label  uint32 `json:"label"`
	TC     uint8  `json:"tc"`
	Bottom bool   `json:"bottom"`
	TTL    uint8  `json:"ttl"`
}

type docPath struct {
	ID      int      `json:"id"`
	Flows   []int    `json:"flows"`
	Reached bool     `json:"reached"`
	Length  int      `json:"length"`
	Hops    []docHop `json:"hops"`
}

type docHop struct {
	TTL     uint8       `json:"ttl"`
	Node    string      `json:"node"`
	Address *netip.Addr `json:"address"`
}

type docNode struct {
	ID       string      `json:"id"`
	TTL      uint8       `json:"ttl"`
	Address  *netip.Addr `json:"address"`
	Hostname *string     `json:"hostname"`
	ASN      *uint32     `json:"asn"`
	ASName   *string     `json:"as_name"`
	Flows    int         `json:"flows"`
	Sent     int         `json:"sent"`
	Replies  int         `json:"replies"`
	RTT      *docRTT     `json:"rtt_us"`
}

type docRTT struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	P95    int64 `json:"p95"`
	Max    int64 `json:"max"`
}

type docLink struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Flows    int    `json:"flows"`
	Inferred bool   `json:"inferred"`
}

type docDiamond struct {
	Divergence  string   `json:"divergence"`
	Convergence *string  `json:"convergence"`
	Width       int      `json:"width"`
	Length      int      `json:"length"`
	Balancer    Balancer `json:"balancer"`
}

func toDocument(t *Trace) *document {
	d := &document{
		Schema:       Schema,
		Version:      t.Version,
		Destination:  docDestination(t.Destination),
		VantagePoint: docVantagePoint(t.VantagePoint),
		Started:      t.Started.UTC(),
		Ended:        t.Ended.UTC(),
		Config:       toDocConfig(&t.Config),
		Complete:     t.Complete,
		StopReason:   t.StopReason,
		Reached:      t.Reached(),
		Stats: docStats{
			Probes: t.Stats.Probes, Replies: t.Stats.Replies, Retries: t.Stats.Retries,
			Duplicates: t.Stats.Duplicates, Late: t.Stats.Late, Unmatched: t.Stats.Unmatched,
			SendErrors: t.Stats.SendErrors, Foreign: t.Stats.Foreign,
			Malformed: t.Stats.Malformed, Unattributed: t.Stats.Unattributed,
		},
		Guarantee: docGuarantee{
			Confidence: t.Guarantee.Confidence, Alpha: t.Guarantee.Alpha,
			MinShare: t.Guarantee.MinShare, EqualShares: t.Guarantee.EqualShares,
			LimitedHops: toInts(t.Guarantee.LimitedHops), RateLimited: toInts(t.Guarantee.RateLimited),
			Short: []docHopShare{}, Hops: []docHopShare{},
		},
		Flows: []docFlow{}, Exchanges: []docExchange{}, Paths: []docPath{},
		Nodes: []docNode{}, Links: []docLink{}, Diamonds: []docDiamond{}, Changes: []docRouteChange{},
	}
	for _, h := range t.Guarantee.Short {
		d.Guarantee.Short = append(d.Guarantee.Short, docHopShare(h))
	}
	for _, h := range t.Guarantee.Hops {
		d.Guarantee.Hops = append(d.Guarantee.Hops, docHopShare(h))
	}
	for _, c := range t.Changes {
		d.Changes = append(d.Changes, docRouteChange(c))
	}
	ends := make(map[int]*Walk, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		ends[t.Graph.Walks[i].Flow.ID] = &t.Graph.Walks[i]
	}
	for _, f := range t.Flows {
		doc := docFlow{
			ID: f.ID, Protocol: f.Protocol.String(), SourcePort: f.SourcePort,
			DestinationPort: f.DestinationPort, Label: f.Label, End: EndUnknown.String(),
		}
		if f.Destination != t.Destination.Address {
			doc.Destination = &f.Destination
		}
		if w := ends[f.ID]; w != nil {
			doc.Ambiguous, doc.Reached, doc.End = w.Ambiguous, w.End == EndReached || w.End == EndInferred && len(w.Hops) > 0 && w.at(len(w.Hops)-1) == t.Destination.Address, w.End.String()
			if w.Path != 0 {
				doc.Path = &w.Path
			}
		}
		d.Flows = append(d.Flows, doc)
	}
	for i := range t.Exchanges {
		d.Exchanges = append(d.Exchanges, toDocExchange(&t.Exchanges[i], t.Started))
	}
	d.addGraph(&t.Graph)
	return d
}

func toDocConfig(c *Config) docConfig {
	d := docConfig{
		Protocol: c.Protocol.String(), Paths: docPaths(c.Paths), Confidence: c.Confidence,
		FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL, SourcePort: c.SourcePort, DestinationPort: c.DestinationPort,
		RatePPS: int64(math.Round(c.Rate)), Retries: c.Retries, Repeats: c.Repeats,
		TimeoutUS: c.Timeout.Microseconds(), Seed: c.Seed, Wire: c.Wire,
	}
	if c.Rate > 0 {
		d.RatePPS = max(1, d.RatePPS) // 0 is no limit
		d.GapNS = int64(math.Round(float64(time.Second) / c.Rate))
	}
	return d
}

func toDocExchange(e *Exchange, started time.Time) docExchange {
	d := docExchange{Flow: e.Flow, TTL: e.TTL, Attempt: e.Attempt, Abandoned: e.Abandoned}
	if e.Err != nil {
		d.Error = e.Err.Error()
	} else {
		us := e.Sent.Sub(started).Microseconds()
		d.SentUS = &us
	}
	if r := &e.Reply; r.Kind != NoReply {
		d.Reply = &docReply{
			Kind: r.Kind.String(), Address: r.Address, RTTUS: r.RTT.Microseconds(),
			ICMPType: r.ICMPType, ICMPCode: r.ICMPCode, MPLS: []docLabel{}, Verified: !r.Unverified,
		}
		if r.TTL != 0 {
			d.Reply.ReplyTTL = &r.TTL
		}
		// A quote whose TTL is 0 exists (a router that forwards at TTL 0), but
		// its TOS then comes with a TTL that was not 0 elsewhere: the wire
		// either sees both or neither.
		if r.QuotedTTL != 0 {
			d.Reply.QuotedTTL, d.Reply.QuotedTOS = &r.QuotedTTL, &r.QuotedTOS
		}
		for _, l := range r.MPLS {
			d.Reply.MPLS = append(d.Reply.MPLS, docLabel(l))
		}
	}
	return d
}

func (d *document) addGraph(g *Graph) {
	nodes := make(map[string]*Node, len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		nodes[n.ID] = n
		doc := docNode{
			ID: n.ID, TTL: n.TTL, Address: validAddress(n.Address),
			Flows: n.Flows, Sent: n.Sent, Replies: n.Replies,
		}
		if n.Replies > 0 {
			doc.RTT = &docRTT{
				n.RTT.Min.Microseconds(), n.RTT.Median.Microseconds(),
				n.RTT.P95.Microseconds(), n.RTT.Max.Microseconds(),
			}
		}
		d.Nodes = append(d.Nodes, doc)
	}
	for _, p := range g.Paths {
		doc := docPath{ID: p.ID, Flows: p.Flows, Reached: p.Reached, Length: p.Length, Hops: []docHop{}}
		for _, id := range p.Nodes {
			doc.Hops = append(doc.Hops, docHop{nodes[id].TTL, id, validAddress(nodes[id].Address)})
		}
		d.Paths = append(d.Paths, doc)
	}
	for _, l := range g.Links {
		d.Links = append(d.Links, docLink(l))
	}
	for i := range g.Diamonds {
		x := &g.Diamonds[i]
		doc := docDiamond{Divergence: x.Divergence, Width: x.Width, Length: x.Length, Balancer: x.Balancer}
		if x.Convergence != "" {
			doc.Convergence = &x.Convergence
		}
		d.Diamonds = append(d.Diamonds, doc)
	}
}

// toInts writes TTLs as numbers; encoding/json makes a string of []uint8.
func toInts(ttls []uint8) []int {
	out := make([]int, len(ttls))
	for i, ttl := range ttls {
		out[i] = int(ttl)
	}
	return out
}

// toTTLs reads them back.
func toTTLs(numbers []int) ([]uint8, error) {
	var out []uint8
	for _, n := range numbers {
		if n < 1 || n > 255 {
			return nil, fmt.Errorf("limited hop %d is no TTL", n)
		}
		out = append(out, uint8(n))
	}
	return out, nil
}

func validAddress(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return &a
}

// trace rebuilds the trace from flows and exchanges; the graph follows from
// them, so a document cannot contradict itself.
func (d *document) trace() (*Trace, error) {
	t := &Trace{
		Version: d.Version, Destination: Destination(d.Destination), VantagePoint: VantagePoint(d.VantagePoint),
		Started: d.Started, Ended: d.Ended, Complete: d.Complete, StopReason: d.StopReason,
		Stats: Stats{
			Probes: d.Stats.Probes, Replies: d.Stats.Replies, Retries: d.Stats.Retries,
			Duplicates: d.Stats.Duplicates, Late: d.Stats.Late, Unmatched: d.Stats.Unmatched,
			SendErrors: d.Stats.SendErrors, Foreign: d.Stats.Foreign,
			Malformed: d.Stats.Malformed, Unattributed: d.Stats.Unattributed,
		},
		Guarantee: Guarantee{
			Confidence: d.Guarantee.Confidence, Alpha: d.Guarantee.Alpha, MinShare: d.Guarantee.MinShare,
			EqualShares: d.Guarantee.EqualShares,
		},
	}
	var err error
	if t.Guarantee.LimitedHops, err = toTTLs(d.Guarantee.LimitedHops); err != nil {
		return nil, err
	}
	if t.Guarantee.RateLimited, err = toTTLs(d.Guarantee.RateLimited); err != nil {
		return nil, err
	}
	for _, h := range d.Guarantee.Short {
		t.Guarantee.Short = append(t.Guarantee.Short, HopShare(h))
	}
	for _, h := range d.Guarantee.Hops {
		t.Guarantee.Hops = append(t.Guarantee.Hops, HopShare(h))
	}
	for _, c := range d.Changes {
		t.Changes = append(t.Changes, RouteChange(c))
	}
	c := &d.Config
	protocol, err := parseProtocol(c.Protocol)
	if err != nil {
		return nil, err
	}
	t.Config = Config{
		Protocol: protocol, Paths: int(c.Paths), Confidence: c.Confidence,
		FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL, SourcePort: c.SourcePort, DestinationPort: c.DestinationPort,
		Retries: c.Retries, Repeats: c.Repeats, Timeout: time.Duration(c.TimeoutUS) * time.Microsecond,
		Seed: c.Seed, Wire: c.Wire,
	}
	// The gap is rounded where the rate is high, the rate where it is low.
	if c.GapNS > 0 {
		t.Config.Rate = float64(time.Second) / float64(c.GapNS)
	}
	if c.RatePPS > 0 && int64(math.Round(float64(time.Second)/float64(c.RatePPS))) == c.GapNS {
		t.Config.Rate = float64(c.RatePPS)
	}
	byFlow := make(map[int][]Exchange)
	for i := range d.Exchanges {
		e, err := d.Exchanges[i].exchange(d.Started)
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i, err)
		}
		t.Exchanges = append(t.Exchanges, e)
		byFlow[e.Flow] = append(byFlow[e.Flow], e)
	}
	var walks []Walk
	for i := range d.Flows {
		f := &d.Flows[i]
		protocol, err := parseProtocol(f.Protocol)
		if err != nil {
			return nil, fmt.Errorf("flow %d: %w", f.ID, err)
		}
		flow := Flow{
			ID: f.ID, Protocol: protocol, Source: d.VantagePoint.Address, Destination: d.Destination.Address,
			SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Label: f.Label,
		}
		if f.Destination != nil {
			flow.Destination = *f.Destination
		}
		t.Flows = append(t.Flows, flow)
		w := NewWalk(flow, max(1, c.FirstTTL), byFlow[f.ID])
		if f.Destination != nil {
			w.Alias = d.Destination.Address
		}
		// The exchanges say whether there was an answer at the end; only why
		// nothing more was asked has to be taken from the document. An inferred end
		// is inferred again, from all flows.
		if end := parseEnd(f.End); w.End == EndUnknown && end != EndReached && end != EndUnreachable && end != EndInferred {
			w.End = end
		}
		walks = append(walks, w)
	}
	if t.Config.Paths == 0 {
		InferHops(walks, t.Exchanges, t.Guarantee.RateLimited)
	}
	t.Graph = NewGraph(walks, t.Exchanges)
	return t, nil
}

func parseProtocol(name string) (Protocol, error) {
	if name == ProtocolUDP.String() {
		return ProtocolUDP, nil
	}
	return 0, fmt.Errorf("unknown protocol %q", name)
}

func parseEnd(name string) End {
	for e, n := range endNames {
		if n == name {
			return End(e)
		}
	}
	return EndUnknown
}

func (d *docExchange) exchange(started time.Time) (Exchange, error) {
	e := Exchange{Flow: d.Flow, TTL: d.TTL, Attempt: d.Attempt, Abandoned: d.Abandoned}
	if d.Error != "" {
		e.Err = errors.New(d.Error)
	}
	if d.SentUS != nil {
		e.Sent = started.Add(time.Duration(*d.SentUS) * time.Microsecond)
	}
	if d.Reply == nil {
		return e, nil
	}
	r := d.Reply
	kind := NoReply
	for k, name := range replyKindNames {
		if name == r.Kind {
			kind = ReplyKind(k)
		}
	}
	if kind == NoReply {
		return Exchange{}, fmt.Errorf("unknown kind of reply %q", r.Kind)
	}
	if !r.Address.IsValid() {
		return Exchange{}, errors.New("reply without an address")
	}
	e.Reply = Reply{
		Kind: kind, Address: r.Address, RTT: time.Duration(r.RTTUS) * time.Microsecond,
		ICMPType: r.ICMPType, ICMPCode: r.ICMPCode, Unverified: !r.Verified,
	}
	for _, field := range []struct {
		to   *uint8
		from *uint8
	}{{&e.Reply.TTL, r.ReplyTTL}, {&e.Reply.QuotedTTL, r.QuotedTTL}, {&e.Reply.QuotedTOS, r.QuotedTOS}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	for _, l := range r.MPLS {
		e.Reply.MPLS = append(e.Reply.MPLS, MPLSLabel(l))
	}
	return e, nil
}
