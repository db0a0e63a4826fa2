// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"encoding/json"
	"fmt"
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
	d := reading{document: earliest()}
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

// earliest has what keys mean that the first form of the schema did not have,
// where that is not their zero value.
func earliest() document {
	return document{Config: docConfig{GapNS: -1, Repeats: 1}, Guarantee: docGuarantee{EqualShares: true}}
}

// UnmarshalJSON reads a reply; without the key, it was verified.
func (r *docReply) UnmarshalJSON(data []byte) error {
	type plain docReply
	d := plain{Verified: true}
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	*r = docReply(d)
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
	Exchanges    docExchanges     `json:"exchanges"`
	Paths        []docPath        `json:"paths"`
	Nodes        []docNode        `json:"nodes"`
	Links        []docLink        `json:"links"`
	Diamonds     []docDiamond     `json:"diamonds"`
	Changes      []docRouteChange `json:"route_changes"`
	EndReason    EndReason        `json:"end_reason"`
	Finish       *docFinish       `json:"finish"`
	MTUs         []docPathMTU     `json:"path_mtus"`
	NATs         []docTranslation `json:"nats"`
	Tunnels      []docTunnel      `json:"tunnels"`
	Remarks      []docRemark      `json:"remarkings"`
	ZeroTTL      []docZeroTTL     `json:"zero_ttl"`
	Annotations  []docAnnotation  `json:"annotations"`
	DataSets     []docDataSet     `json:"data_sets"`
	Borders      []docBorder      `json:"borders"`
	Exits        []docExit        `json:"exits"`
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
	QUIC            bool     `json:"quic"`
	TOS             uint8    `json:"tos"`
	Size            int      `json:"size_bytes"`
	DontFragment    bool     `json:"dont_fragment"`
	// Masked is there only if hops are hidden.
	Masked int `json:"masked_hops,omitempty"`
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

type docPathMTU struct {
	Path      int         `json:"path"`
	Flow      int         `json:"flow"`
	TTL       uint8       `json:"ttl"`
	Bytes     int         `json:"mtu_bytes"`
	Whole     bool        `json:"whole"`
	BlackHole bool        `json:"black_hole"`
	Sure      bool        `json:"sure"`
	Limit     *netip.Addr `json:"limit_address"`
	LimitTTL  *uint8      `json:"limit_ttl"`
}

type docFinish struct {
	Flows     []docFinishFlow `json:"flows"`
	Exchanges []docExchange   `json:"exchanges"`
	// Distance is null where none of the flows reached the destination.
	Distance *int    `json:"distance"`
	Protocol *string `json:"protocol"`
}

type docFinishFlow struct {
	ID              int    `json:"id"`
	Protocol        string `json:"protocol"`
	SourcePort      uint16 `json:"src_port"`
	DestinationPort uint16 `json:"dst_port"`
}

type docFlow struct {
	ID              int    `json:"id"`
	Protocol        string `json:"protocol"`
	SourcePort      uint16 `json:"src_port"`
	DestinationPort uint16 `json:"dst_port"`
	Label           uint32 `json:"flow_label"`
	TOS             uint8  `json:"tos"`
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
	// These are there only if the reply has them.
	Quote      *docQuoteChange `json:"quote,omitempty"`
	MTU        uint32          `json:"mtu_bytes,omitempty"`
	Interfaces []docInterface  `json:"interfaces,omitempty"`
}

type docQuoteChange struct {
	Source     *netip.Addr `json:"source,omitempty"`
	SourcePort uint16      `json:"src_port,omitempty"`
	Checksum   uint16      `json:"checksum_delta"`
	ID         bool        `json:"ip_id_changed"`
}

type docInterface struct {
	Role    string      `json:"role"`
	Index   uint32      `json:"index,omitempty"`
	Address *netip.Addr `json:"address,omitempty"`
	Name    string      `json:"name,omitempty"`
	MTU     uint32      `json:"mtu_bytes,omitempty"`
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

	InitialTTL   *uint8   `json:"initial_ttl"`
	ReturnLength *docSpan `json:"return_length"`
	Asymmetry    *docSpan `json:"asymmetry"`
	// These are there only if the node told.
	InterfaceIndex uint32 `json:"interface_index,omitempty"`
	InterfaceName  string `json:"interface_name,omitempty"`
}

type docRTT struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	P95    int64 `json:"p95"`
	Max    int64 `json:"max"`
}

type docLink struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	Flows    int     `json:"flows"`
	Share    float64 `json:"share"`
	Inferred bool    `json:"inferred"`
}

type docDiamond struct {
	Divergence  string   `json:"divergence"`
	Convergence *string  `json:"convergence"`
	Width       int      `json:"width"`
	Length      int      `json:"length"`
	Meshed      bool     `json:"meshed"`
	Balancer    Balancer `json:"balancer"`
}
