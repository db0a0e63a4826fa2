// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readers are those of one file of text; a PeeringDB file among them.
var readers = map[Kind]func(io.Reader) (parsed, error){
	KindPrefixes: readPrefixes, KindRISWhois: readRISWhois, KindPfx2as: readPfx2as, KindIPToASN: readIPToASN,
	KindPeeringDB: func(r io.Reader) (parsed, error) {
		p := newPeeringDB()
		if err := p.read(r); err != nil {
			return parsed{}, err
		}
		return p.parsed()
	},
}

// tableFrom compiles what a reader reads.
func tableFrom(t testing.TB, kind Kind, text string) (*Table, parsed) {
	t.Helper()
	p, err := readers[kind](strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.builder.build()
	if err != nil {
		t.Fatal(err)
	}
	table, err := tableOf(b)
	if err != nil {
		t.Fatal(err)
	}
	return table, p
}

const risText = `% RIS dump, made for a test
%
% Generated: 2026-02-03 04:05:06 UTC
64500	192.0.2.0/24	351
64502	198.51.100.0/24	2
64501	198.51.100.0/24	300
{64503,64504}	198.51.100.128/25	3
64505	2001:db8::/32	200
64666	0.0.0.0/0	9
64666	2000::/3	9
0	203.0.113.0/24	5
`

const pdbDump = `{
 "ix":       {"data": [{"id": 7, "name": "Example-IX", "proto_unicast": true, "status": "ok"}], "meta": {"generated": 1770000000.5}},
 "ixlan":    {"data": [{"id": 70, "ix_id": 7, "status": "ok"}]},
 "ixpfx":    {"data": [{"id": 1, "ixlan_id": 70, "prefix": "198.51.100.0/24", "status": "ok"},
                       {"id": 2, "ixlan_id": 70, "prefix": "2001:db8:1::/64", "status": "ok"},
                       {"id": 3, "ixlan_id": 70, "prefix": "203.0.113.0/24", "status": "deleted"}]},
 "netixlan": {"data": [{"id": 1, "ix_id": 7, "ixlan_id": 70, "name": "Example-IX: LAN", "asn": 64501, "ipaddr4": "198.51.100.7", "ipaddr6": null, "status": "ok"},
                       {"id": 2, "ix_id": 7, "ixlan_id": 70, "name": "Example-IX: LAN", "asn": 64502, "ipaddr4": "198.51.100.7", "ipaddr6": "2001:db8:1::8", "status": "ok"}]},
 "net":      {"data": [{"id": 9, "asn": 64501, "name": "Example Member", "status": "ok"}, {"id": 10, "asn": 64502, "name": "Another", "status": "ok"}]},
 "fac":      {"data": [{"id": 1, "name": "A house", "nested": [[{"x": 1}]]}]}
}`

func TestReaders(t *testing.T) {
	tests := []struct {
		name, text string
		kind       Kind
		rows       int
		want       map[string]record // by address
	}{
		{"riswhois", risText, KindRISWhois, 6, map[string]record{
			"192.0.2.255":    {asns: []uint32{64500}, originBits: 24},
			"198.51.100.1":   {asns: []uint32{64501, 64502}, originBits: 24}, // those that more peers see first
			"198.51.100.200": {asns: []uint32{64503, 64504}, originBits: 25},
			"2001:db8::1":    {asns: []uint32{64505}, originBits: 32},
			"203.0.113.1":    {}, // neither of AS 0 nor of a default route
			"2001:db9::":     {},
		}},
		{"pfx2as", "192.0.2.0\t24\t64500\n198.51.100.0\t24\t64501_64502,64503\n2001:db8::\t32\t64504\n", KindPfx2as, 5, map[string]record{
			"192.0.2.1":    {asns: []uint32{64500}, originBits: 24},
			"198.51.100.1": {asns: []uint32{64501, 64502, 64503}, originBits: 24},
			"2001:db8::1":  {asns: []uint32{64504}, originBits: 32},
		}},
		{"iptoasn", "192.0.2.0\t192.0.2.99\t64500\tDE\tEXAMPLE Example, Inc.\n192.0.2.100\t192.0.2.255\t0\tNone\tNot routed\n2001:db8::\t2001:db8::ffff\t64501\tZZ\tSIX\n", KindIPToASN, 3, map[string]record{
			"192.0.2.99":     {asns: []uint32{64500}, asName: "EXAMPLE Example, Inc.", originBits: unknownBits, country: "DE"},
			"192.0.2.100":    {},
			"2001:db8::1":    {asns: []uint32{64501}, asName: "SIX", originBits: unknownBits},
			"2001:db8::1:0":  {},
			"192.0.1.255":    {},
			"255.255.255.25": {},
		}},
		{"peeringdb", pdbDump, KindPeeringDB, 5, map[string]record{
			"198.51.100.7":   {ixp: "Example-IX", lanBits: 24, member: 64501, memberName: "Example Member"}, // who was entered first
			"198.51.100.8":   {ixp: "Example-IX", lanBits: 24},
			"2001:db8:1::8":  {ixp: "Example-IX", lanBits: 64, member: 64502, memberName: "Another"},
			"2001:db8:1:1::": {},
			"203.0.113.1":    {},
		}},
		{
			"peeringdb, ports alone", `{"data": [{"id": 1, "ixlan_id": 70, "name": "Example-IX", "asn": 64501, "ipaddr4": "198.51.100.7"}]}`, KindPeeringDB, 1,
			map[string]record{"198.51.100.7": {ixp: "Example-IX", lanBits: unknownBits, member: 64501}, "198.51.100.8": {}},
		},
		{
			"prefixes",
			"\uFEFFPrefix, ASN ,as_name,country,city,ixp,member\r\n# a comment\n" +
				"192.0.2.0/24,AS64500,\"Example, Inc.\",de,Berlin,,\n192.0.2.128/25,,,,Bonn\n" +
				"198.51.100.0/24,,,,,Example-IX,\n198.51.100.7,64501,,,,Example-IX,Member\n198.51.100.8/32,64502,Two,,,Other-IX,\n" +
				"2001:db8::/32,64503,,FR\n0.0.0.0/0,,,ch\n",
			KindPrefixes, 7,
			map[string]record{
				"192.0.2.1":    {asns: []uint32{64500}, asName: "Example, Inc.", originBits: 24, country: "DE", city: "Berlin"},
				"192.0.2.200":  {asns: []uint32{64500}, asName: "Example, Inc.", originBits: 24, city: "Bonn"},
				"198.51.100.1": {ixp: "Example-IX", lanBits: 24, country: "CH"},
				"198.51.100.7": {asns: []uint32{64501}, originBits: unknownBits, ixp: "Example-IX", lanBits: 24, member: 64501, memberName: "Member", country: "CH"},
				"198.51.100.8": {asns: []uint32{64502}, asName: "Two", originBits: unknownBits, ixp: "Other-IX", lanBits: 24, member: 64502, memberName: "Two", country: "CH"},
				"2001:db8::1":  {asns: []uint32{64503}, originBits: 32, country: "FR"},
				"203.0.113.1":  {country: "CH"},
				"::1":          {},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, p := tableFrom(t, tt.kind, tt.text)
			if p.rows != tt.rows {
				t.Errorf("%d rows, want %d", p.rows, tt.rows)
			}
			for address, want := range tt.want {
				if diff := cmp.Diff(want, ask(t, table, address), compareRecords); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", address, diff)
				}
			}
		})
	}
}

// TestReadersTellTheDate wants the date that the data have of themselves.
func TestReadersTellTheDate(t *testing.T) {
	tests := []struct {
		name, text string
		kind       Kind
		want       time.Time
	}{
		{"riswhois", risText, KindRISWhois, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)},
		{"riswhois, as date(1)", "% Tue Feb  3 04:05:06 UTC 2026\n64500\t192.0.2.0/24\t1\n", KindRISWhois, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)},
		{"riswhois, none", "% hello\n64500\t192.0.2.0/24\t1\n", KindRISWhois, time.Time{}},
		{"peeringdb", pdbDump, KindPeeringDB, time.Unix(1_770_000_000, 0).UTC()},
		{"peeringdb, of its objects", `{"data": [{"ixlan_id": 1, "asn": 1, "name": "X", "ipaddr4": "192.0.2.1", "updated": "2026-02-03T04:05:06Z"}], "meta": {}}`, KindPeeringDB, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := tableFrom(t, tt.kind, tt.text); !got.date.Equal(tt.want) {
				t.Errorf("got %v, want %v", got.date, tt.want)
			}
		})
	}
}

// TestReadersRefuse wants to be told where and what.
func TestReadersRefuse(t *testing.T) {
	long, endless := strings.Repeat("x", maxLine+1), strings.Repeat("x", 2*maxValue)
	tests := []struct {
		kind       Kind
		text, want string
	}{
		{KindRISWhois, "64500\t192.0.2.0/24\t1\n64500\t192.0.2.0/24\n", "line 2: 2 fields where origin, prefix and peers belong"},
		{KindRISWhois, "x\t192.0.2.0/24\t1\n", `line 1: "x" is no AS number`},
		{KindRISWhois, "{64500\t192.0.2.0/24\t1\n", `line 1: "{64500" is no AS number`},
		{KindRISWhois, "64500\t192.0.2.1/24\t1\n", `line 1: "192.0.2.1/24" has bits beyond its length: is it 192.0.2.0/24?`},
		{KindRISWhois, "64500\t192.0.2.0/24\tmany\n", `line 1: "many" is no number of peers`},
		{KindRISWhois, "4294967296\t192.0.2.0/24\t1\n", `line 1: "4294967296" is no AS number`},
		{KindRISWhois, "64500\t192.0.2.0/24\t1\n" + long, "line 2: longer than 65536 bytes"},
		{KindRISWhois, "% nothing\n", "it says nothing of any address"},
		{KindPfx2as, "192.0.2.0\t33\t64500\n", `line 1: "192.0.2.0/33" is no prefix`},
		{KindPfx2as, "192.0.2.0\t24\t64500_\n", `line 1: "" is no AS number`},
		{KindPfx2as, "192.0.2.0\t24\n", "line 1: 2 fields where prefix, length and origin belong"},
		{KindIPToASN, "192.0.2.0\t192.0.2.255\t64500\tDE\n", "line 1: 4 fields where first, last, AS, country and name belong"},
		{KindIPToASN, "192.0.2.9\t192.0.2.0\t64500\tDE\tX\n", "line 1: 192.0.2.9 to 192.0.2.0 is no range"},
		{KindIPToASN, "192.0.2.9\t2001:db8::\t64500\tDE\tX\n", "line 1: 192.0.2.9 to 2001:db8:: is no range"},
		{KindIPToASN, "192.0.2.0\t192.0.2.9\t1\tDE\tX\n192.0.2.5\t192.0.2.19\t1\tDE\tX\n", "line 2: the range overlaps that of line 1"},
		{KindIPToASN, "3221225985\t192.0.2.9\t1\tDE\tX\n", `line 1: "3221225985" is no address`},
		{KindPeeringDB, `[]`, "byte 1: [ where { belongs"},
		{KindPeeringDB, `{"data": [{"id": 1}]}`, errNotPeeringDB.Error()},
		{KindPeeringDB, `{"a": 1}`, errNotPeeringDB.Error()},
		{KindPeeringDB, `{"meta": {"error": "too many requests"}}`, errNotPeeringDB.Error()},
		{KindPeeringDB, `{"data": [{"ixlan_id": 1, "prefix": "192.0.2.0/24"`, "the JSON ends in the middle: it was cut short"},
		{KindPeeringDB, `{"data": [{"ixlan_id": 1, "prefix": "192.0.2.0/24"}]} {}`, "something follows the JSON object"},
		{KindPeeringDB, `{"data": [{"ixlan_id": 1, "prefix": "192.0.2.0/24"}]}`, "no peering LAN has a name: the exchange points (ix) have to be given in the same command"},
		{KindPeeringDB, `{"data": [{"ixlan_id": 1, "prefix": "192.0.2.0/33"}]}`, `object 1 of data: "192.0.2.0/33" is no prefix`},
		{KindPeeringDB, `{"netixlan": {"data": [{"ixlan_id": 1, "asn": -1}]}}`, "object 1 of netixlan: json: "},
		{KindPeeringDB, `{"data": [{"asn": 64500, "name": "X"}]}`, "there are neither peering LANs (ixpfx) nor ports (netixlan) in it"},
		{KindPeeringDB, `{"data": [{]}`, "no JSON after byte 10: "},
		{KindPeeringDB, `{"data": [{"name": "` + endless, errLongValue.Error()},
		{KindPeeringDB, `{"comment": "` + endless, errLongValue.Error()},
		{KindPeeringDB, endless, "no JSON after byte 0"},
		{KindPrefixes, "prefix\n\"" + endless, errLongValue.Error()},
		{KindPrefixes, endless, errLongValue.Error()},
		{KindPrefixes, "", "there is no line in it"},
		{KindPrefixes, "asn,city\n", "line 1: there is no column prefix"},
		{KindPrefixes, "prefix,town\n", `line 1, column 8: column "town" is none of prefix, asn, as_name, country, city, ixp, member`},
		{KindPrefixes, "prefix,asn,asn\n", "line 1, column 12: column asn is there twice"},
		{KindPrefixes, "prefix,asn\n192.0.2.0/24,64500,x\n", "line 2, column 20: 3 fields where there are 2 columns"},
		{KindPrefixes, "prefix,asn\n\n192.0.2.0/24,AS\n", `line 3, column 14: "AS" is no AS number`},
		{KindPrefixes, "prefix,asn\n192.0.2.0/24,0\n", "line 2, column 14: 0 is the number of no AS"},
		{KindPrefixes, "asn,prefix\n64500,192.0.2.300\n", `line 2, column 7: "192.0.2.300" is neither a prefix nor an address`},
		{KindPrefixes, "asn,prefix\n64500\n", `line 2, column 1: "" is neither a prefix nor an address`},
		{KindPrefixes, "prefix\n::ffff:192.0.2.0/120\n", `line 2, column 1: "::ffff:192.0.2.0/120" is no prefix`},
		{KindPrefixes, "prefix\nfe80::1%eth0\n", `line 2, column 1: "fe80::1%eth0" is neither a prefix nor an address`},
		{KindPrefixes, "prefix,asn\n192.0.2.0/24,1\n192.0.2.0/24,2\n", "line 3, column 1: 192.0.2.0/24 is there already, in line 2"},
		{KindPrefixes, "prefix,country\n192.0.2.0/24,Germany\n", `line 2, column 14: "Germany" is no country code of two letters`},
		{KindPrefixes, "prefix,as_name\n192.0.2.0/24,X\n", "line 2, column 14: the name of an AS without its number"},
		{KindPrefixes, "prefix,asn,ixp,member\n192.0.2.0/24,1,IX,M\n", "line 2, column 19: a member needs a single address, asn and ixp"},
		{KindPrefixes, "prefix,city\n192.0.2.0/24,\"x\ny", "line 3, column 2: extraneous or missing \" in quoted-field"},
		{KindPrefixes, "prefix\n192.0.2.0/24\n", errNoRows.Error()},
	}
	for _, tt := range tests {
		name := tt.text[:min(len(tt.text), 40)]
		t.Run(string(tt.kind)+" "+name, func(t *testing.T) {
			p, err := readers[tt.kind](strings.NewReader(tt.text))
			if err == nil {
				_, err = p.builder.build()
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParsePrefixesNamesTheTable(t *testing.T) {
	_, err := ParsePrefixes(strings.NewReader("prefix\nx\n"), "ours.csv")
	if want := `ours.csv: line 2, column 1: "x" is neither a prefix nor an address`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// fuzzReader wants what a reader accepts to be compiled into a table that can be
// read as a whole.
func fuzzReader(f *testing.F, kind Kind, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := readers[kind](strings.NewReader(string(text)))
		if err != nil {
			return
		}
		b, err := p.builder.build()
		if err != nil {
			return
		}
		table, err := tableOf(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.verify(); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.builder.rows {
			got, err := table.lookup(r.first)
			if err != nil || got.groups() == 0 {
				t.Fatalf("%s: %+v (%v)", r.first, got, err)
			}
		}
	})
}

func FuzzRISWhois(f *testing.F) { fuzzReader(f, KindRISWhois, risText) }

func FuzzPfx2as(f *testing.F) {
	fuzzReader(f, KindPfx2as, "192.0.2.0\t24\t64500\n198.51.100.0\t24\t1_2,3\n")
}

func FuzzIPToASN(f *testing.F) {
	fuzzReader(f, KindIPToASN, "192.0.2.0\t192.0.2.99\t64500\tDE\tX\n0.0.0.0\t255.255.255.255\t1\tDE\tX\n")
}

func FuzzPeeringDB(f *testing.F) { fuzzReader(f, KindPeeringDB, pdbDump) }

func FuzzPrefixes(f *testing.F) {
	fuzzReader(f, KindPrefixes, "prefix,asn,as_name,country,city,ixp,member\n192.0.2.0/24,1,X,DE,B,,\n192.0.2.7,1,,,,IX,M\n::/0,,,,,IX\n")
}

func TestLastAddress(t *testing.T) {
	for prefix, want := range map[string]string{
		"192.0.2.0/24": "192.0.2.255", "0.0.0.0/0": "255.255.255.255", "192.0.2.7/32": "192.0.2.7", "192.0.2.8/31": "192.0.2.9",
		"2001:db8::/33": "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "::/0": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		if got := lastAddress(netip.MustParsePrefix(prefix)); got.String() != want {
			t.Errorf("%s: got %s, want %s", prefix, got, want)
		}
	}
}
