// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sample is a trace with something in every field.
func sample(rate float64) *Trace {
	walks, exchanges := network([]int{1, 2, 3, 254}, []int{1, 0, 4, 254}, []int{1, 0, 0, 0})
	started := time.Date(2026, 11, 22, 1, 2, 3, 456789012, time.UTC)
	for i := range exchanges {
		exchanges[i].Sent = started.Add(time.Duration(i) * 2 * time.Millisecond)
		exchanges[i].Reply.TTL = 61
		exchanges[i].Reply.MPLS = []MPLSLabel{{Label: 16004, TC: 5, TTL: 1}, {Label: 3, Bottom: true, TTL: 2}}
		if exchanges[i].Reply.Kind == NoReply {
			exchanges[i].Reply = Reply{}
		}
	}
	exchanges = append(exchanges, failed(5))
	var flows []Flow
	for i := range walks {
		f := &walks[i].Flow
		f.Protocol, f.Source, f.SourcePort, f.DestinationPort = ProtocolUDP, addr(200), uint16(33452+f.ID), 33452
		flows = append(flows, *f)
	}
	t := &Trace{
		Version: "0.1.0", Destination: Destination{"example.com", far},
		VantagePoint: VantagePoint{"here", addr(200), "eth0"}, Started: started, Ended: started.Add(time.Second),
		Config: Config{
			Protocol: ProtocolUDP, Paths: 3, Confidence: 0.95, FirstTTL: 1, MaxTTL: 64, SourcePort: 33452,
			DestinationPort: 33452, Rate: rate, Retries: 2, Repeats: 1, Timeout: 3 * time.Second, Seed: 7, Wire: "raw",
		},
		Complete: true, StopReason: StopFlowsExhausted,
		Stats:     Stats{Probes: 12, Replies: 9, Retries: 1, SendErrors: 1, Duplicates: 2, Late: 3, Unmatched: 5, Foreign: 4, Malformed: 6, Unattributed: 7},
		Guarantee: Guarantee{Confidence: 0.95, Alpha: 0.5, MinShare: 0.25, LimitedHops: []uint8{2, 3}},
		Flows:     flows, Exchanges: exchanges,
	}
	t.Graph = NewGraph(walks, exchanges)
	t.Annotations = Annotations{
		{Address: addr(1), Hostname: Hostname{"a.example.net", "dns"}, Origin: Origin{ASNs: []uint32{64500, 64501}, Name: "EXAMPLE", Prefix: netip.MustParsePrefix("203.0.113.0/31"), Source: "table"}},
		{Address: addr(4), Port: Port{IXP: "EX-IX", Prefix: netip.MustParsePrefix("203.0.113.4/30"), Member: 64502, MemberName: "MEMBER", Source: "ixps"}},
		{Address: addr(200), Origin: Origin{ASNs: []uint32{64500}}, Place: Place{Country: "DE", City: "Mitte\u202e<b>", Source: "places"}},
		{Address: far, Port: Port{IXP: "OLD-IX"}},
	}
	t.DataSets = []DataSet{
		{Name: "dns", Kind: "dns", Date: started},
		{Name: "table", Kind: "riswhois", SHA256: "0123", Licence: "RIPE terms"},
	}
	return t
}

func TestJSONRoundTrip(t *testing.T) {
	for _, rate := range []float64{0, 0.001, 0.4, 1, 3, 500, 777, 7e6, 1e7, 1e9, 3e9} {
		first, err := json.Marshal(sample(rate))
		if err != nil {
			t.Fatal(err)
		}
		var read Trace
		if err := json.Unmarshal(first, &read); err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(&read)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("rate %v:\n%s\nis read and written as\n%s", rate, first, second)
		}
		if diff := cmp.Diff(sample(rate).Annotations, read.Annotations, equate...); diff != "" {
			t.Errorf("annotations (-written +read)\n%s", diff)
		}
		if diff := cmp.Diff(sample(rate).DataSets, read.DataSets); diff != "" {
			t.Errorf("data sets (-written +read)\n%s", diff)
		}
		if want := sample(rate).Borders(); len(want) == 0 || !cmp.Equal(want, read.Borders(), equate...) {
			t.Errorf("borders %v are read as %v", want, read.Borders())
		}
		if !read.Reached() || len(read.Graph.Diamonds) != len(sample(rate).Graph.Diamonds) {
			t.Errorf("read as reached %v, %d diamonds", read.Reached(), len(read.Graph.Diamonds))
		}
	}
}

// TestJSONFindings writes what is odd, reads it and finds the same in it.
func TestJSONFindings(t *testing.T) {
	trace := scene{from: privateHost, tos: 0xb9, flows: []string{
		"10.0.0.1 if=3:eth1|100.64.0.1 tos=185 sum=77|198.51.100.1 tos=1 sum=77 mpls=24001/251|198.51.100.2 q=0 tos=1 src=203.0.113.5:4242 sum=5 id|" +
			"198.51.100.2 tos=1 src=203.0.113.5:4242 sum=5 id|198.51.100.3 q=2 tos=1 sum=5|198.51.100.4 q=3 tos=1 sum=5|203.0.113.9 tos=1 sum=5",
		"10.0.0.1|100.64.0.1 sum=78|*|*|*|*|*|203.0.113.9 tos=1 sum=99",
	}}.trace(t)
	want := trace.Findings()
	if len(want.NATs) != 2 || len(want.Tunnels) != 2 || len(want.Remarks) != 1 || len(want.ZeroTTL) != 1 || len(want.Interfaces) != 1 {
		t.Errorf("not one of each: %+v", want)
	}
	data, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	var read Trace
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read.Findings(), equate...); diff != "" {
		t.Errorf("findings (-written +read)\n%s", diff)
	}
	if diff := cmp.Diff(trace.Fingerprints(), read.Fingerprints()); diff != "" {
		t.Errorf("fingerprints (-written +read)\n%s", diff)
	}
	for _, key := range []string{`"nats":[{"ttl":2,"after_ttl":1,"after":"10.0.0.1","evidence":"quoted-checksum","certain":true,"source":null`, `"tunnels":[{`, `"remarkings":[{`, `"zero_ttl":[{`, `"initial_ttl":64`, `"tos":185`} {
		if !strings.Contains(string(data), key) {
			t.Errorf("%s is not in %s", key, data)
		}
	}
}

// TestJSONNodeAnnotations looks at what stands beside nodes.
func TestJSONNodeAnnotations(t *testing.T) {
	data, err := json.Marshal(sample(500))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"address":"203.0.113.1","hostname":"a.example.net","asn":64500,"as_name":"EXAMPLE"`,
		`"address":"203.0.113.4","hostname":null,"asn":64502,"as_name":"MEMBER"`,
		`"address":"203.0.113.254","hostname":null,"asn":null,"as_name":null`,
		`"borders":[{"near":{"asn":64500,"as_name":"EXAMPLE","ttl":1,"address":"203.0.113.1"},"far":{"asn":64502`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is not in %s", want, data)
		}
	}
}

// TestJSONBeforeAnnotations reads a document that was written before there were
// any.
func TestJSONBeforeAnnotations(t *testing.T) {
	data, err := json.Marshal(sample(500))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"annotations", "data_sets", "borders"} {
		if document[key] == nil {
			t.Errorf("no %s", key)
		}
		delete(document, key)
	}
	if data, err = json.Marshal(document); err != nil {
		t.Fatal(err)
	}
	var read Trace
	if err := json.Unmarshal(data, &read); err != nil || read.Annotations != nil || read.DataSets != nil {
		t.Errorf("%v, %v, %v", err, read.Annotations, read.DataSets)
	}
}

// TestUnmarshalRefuses lists documents that say what cannot be.
func TestUnmarshalRefuses(t *testing.T) {
	good, err := json.Marshal(sample(500))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, from, to, want string }{
		{"other schema", `"traceflow.trace/1"`, `"traceflow.trace/2"`, "schema"},
		{"no schema", `"schema"`, `"scheme"`, "schema"},
		{"other protocol", `"protocol":"udp"`, `"protocol":"sctp"`, "protocol"},
		{"other kind of reply", `"kind":"time-exceeded"`, `"kind":"hello"`, "kind"},
		{"silence as a reply", `"kind":"time-exceeded"`, `"kind":"no-reply"`, "kind"},
		{"reply from nowhere", `"kind":"time-exceeded","address":"203.0.113.1"`, `"kind":"time-exceeded","address":""`, "address"},
		{"TTL too large", `"ttl":1,"attempt"`, `"ttl":256,"attempt"`, "ttl"},
		{"limited hop 258", `"limited_hops":[2,`, `"limited_hops":[258,`, "limited hop"},
		{"annotation of nothing", `"annotations":[{"address":"203.0.113.1"`, `"annotations":[{"address":""`, "annotation 0: no address"},
		{"two annotations of one address", `"annotations":[{"address":"203.0.113.1"`, `"annotations":[{"address":"203.0.113.4"`, "two annotations of 203.0.113.4"},
		{"negative round trip", `"rtt_us":1`, `"rtt_us":-1`, "rtt_us"},
		{"round trip beyond a duration", `"rtt_us":1`, `"rtt_us":9223372036854775807,"x":1`, "rtt_us"},
		{"negative timeout", `"timeout_us":3000000`, `"timeout_us":-1`, "timeout_us"},
		{"negative count", `"probes":12`, `"probes":-12`, "stats.probes"},
		{"share beyond 1", `"min_share":0.25`, `"min_share":-5`, "guarantee.min_share"},
		{"confidence beyond 1", `"confidence":0.95,"alpha"`, `"confidence":1e308,"alpha"`, "guarantee.confidence"},
		{"too many hops masked", `"dont_fragment":false`, `"dont_fragment":false,"masked_hops":1000`, "masked_hops"},
		{"prefix too long", `"prefix":"203.0.113.4/30"`, `"prefix":"203.0.113.4/33"`, "prefix"},
		{"no JSON", `{`, `[`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(string(good), tt.from, tt.to, 1)
			if bad == string(good) {
				t.Fatalf("%s is not in the document", tt.from)
			}
			read := Trace{Version: "untouched"}
			err := json.Unmarshal([]byte(bad), &read)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %q", err, tt.want)
			}
			if read.Version != "untouched" {
				t.Error("the trace was changed")
			}
		})
	}
}

// TestUnmarshalNoContradiction has flows claim an end that no exchange shows.
func TestUnmarshalNoContradiction(t *testing.T) {
	for _, end := range []string{"reached", "unreachable"} {
		var read Trace
		err := json.Unmarshal([]byte(`{"schema":"traceflow.trace/1","config":{"protocol":"udp"},"reached":true,
			"flows":[{"id":1,"protocol":"udp","end":"`+end+`","reached":true}]}`), &read)
		if err != nil {
			t.Fatal(err)
		}
		if got := read.Graph.Walks[0].End; got != EndUnknown || read.Reached() {
			t.Errorf("end %v, reached %v, though nothing answered", got, read.Reached())
		}
	}
}

// TestUnmarshalBalancer has a balancer of a newer version, or of somebody who
// wants it printed.
func TestUnmarshalBalancer(t *testing.T) {
	written := sample(500)
	written.Graph.Diamonds[0].Balancer = "\x1b[2J"
	data, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	var read Trace
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if got := read.Graph.Diamonds[0].Balancer; got != BalancerUnknown {
		t.Errorf("balancer %q", got)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, rate := range []float64{0, 500} {
		good, err := json.Marshal(sample(rate))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
		for _, r := range [][2]string{
			{`"first_ttl":1`, `"first_ttl":0`},
			{`"first_ttl":1`, `"first_ttl":255`},
			{`"ttl":4`, `"ttl":255`},
			{`"ttl":1`, `"ttl":0`},
			{`"id":1,`, `"id":9223372036854775807,`},
			{`"id":2,`, `"id":1,`},
			{`"flow":1`, `"flow":-99`},
			{`"203.0.113.3"`, `"2001:db8::1%eth0"`},
			{`"203.0.113.254"`, `"::ffff:203.0.113.254"`},
			{`"203.0.113.254"`, `""`},
			{`"quoted_ttl":1`, `"quoted_ttl":255`},
			{`"rtt_us":1`, `"rtt_us":-922337203685477`},
			{`"sent_us":0`, `"sent_us":9223372036854775807`},
			{`"reply_ttl":61`, `"reply_ttl":null`},
			{`"mpls":[{"label":16004,"tc":5,"bottom":false,"ttl":1},`, `"quote":{"source":"198.51.100.1","src_port":7,"checksum_delta":9,"ip_id_changed":true},"mpls":[`},
			{`"verified":true`, `"verified":true,"interfaces":[{"role":"incoming","index":7,"name":"a\u001bb"}],"mtu_bytes":1400`},
			{`"end":"reached"`, `"end":"silent"`},
			{`"time-exceeded"`, `"port-unreachable"`},
			{`"annotations":[{"address":"203.0.113.1"`, `"annotations":[{"address":"::ffff:203.0.113.1"`},
			{`"asns":[64500,64501]`, `"asns":[]`},
			{`"member_asn":64502`, `"member_asn":0`},
			{`"prefix":"203.0.113.4/30"`, `"prefix":""`},
			{`"ixp":{"name":"OLD-IX","prefix":null`, `"ixp":{"name":"","prefix":null`},
			{`"kind":"riswhois","date":null`, `"kind":"prefixes","date":"2026-01-02T03:04:05+01:00"`},
		} {
			f.Add([]byte(strings.ReplaceAll(string(good), r[0], r[1])))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read Trace
		if json.Unmarshal(data, &read) != nil {
			return
		}
		first, err := json.Marshal(&read)
		if err != nil {
			return // a year beyond 9999, a time zone that has no place
		}
		var again Trace
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("written, but not read: %v\n%s", err, first)
		}
		second, err := json.Marshal(&again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("not the same twice\n%s\n%s", first, second)
		}
	})
}
