// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var compareAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestParse(t *testing.T) {
	const text = `A comment
on two lines.

-- topology --
# a remark
seed 7
default delay=2ms quote=28
node src source address=192.0.2.9
node r1 balance=packet hash=crc16 hash-seed=9 fields=src,label # another
node a1 silent reply-loss=30% forward-loss=0.05 limit=6/1s quote=all mpls=16004/1/2,24001/0/255 mpls-layout=legacy
node a2 mangle=id,checksum zero-ttl tos=0x28 interface=7/eth0/1500 interface-per-link quoted-ttl=2 return-extra=3 duplicates=2 keep-ttl reply-ttl=255 answer-delay=3ms unreachable=host no-ptb nat=keep-port nat-ports=keep nat-address=203.0.113.5 nat-address6=2001:db8:1::5 silent=no
node dst destination drop-udp drop-tcp drop-icmp tcp=open udp=quic ttl-expired interface=/e address6=2001:db8::77
link src > r1 jitter=100us
link r1>a1 a2*3 > dst delay=5ms mtu=1400
-- other --
not ours
`
	got, err := Parse("some/dir/net.txtar", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddr
	node := func(name, a4, a6 string) Node {
		return Node{Name: name, Address4: addr(a4), Address6: addr(a6), Fields: FiveTuple, QuoteLength: 28}
	}
	src := node("src", "192.0.2.9", "2001:db8::1")
	r1 := node("r1", "198.18.0.2", "2001:db8::2")
	r1.Balance, r1.Hash, r1.HashSeed, r1.Fields = PerPacket, CRC16, 9, FieldSource|FieldLabel
	a1 := node("a1", "198.18.0.3", "2001:db8::3")
	a1.Silent, a1.ReplyLoss, a1.ForwardLoss, a1.QuoteLength = true, 0.3, 0.05, 0
	a1.Limit = RateLimit{Burst: 6, Interval: time.Second}
	a1.MPLS, a1.MPLSLegacy = []Label{{16004, 1, 2}, {24001, 0, 255}}, true
	a2 := node("a2", "198.18.0.4", "2001:db8::4")
	a2.Mangle, a2.Duplicates, a2.KeepTTL, a2.ReplyTTL = MangleID|MangleChecksum, 2, true, 255
	a2.ZeroTTL, a2.Remark, a2.QuotedTTL, a2.ReturnExtra = true, Remark{Clear: 0xff, Set: 0x28}, 2, 3
	a2.Interface = Interface{Index: 7, Name: "eth0", MTU: 1500, PerLink: true}
	a2.AnswerDelay, a2.Unreachable = 3*time.Millisecond, UnreachableHost
	a2.NoPTB = true
	a2.NAT, a2.NATKeepsPorts, a2.NATAddress4, a2.NATAddress6 = NATKeepPort, true, addr("203.0.113.5"), addr("2001:db8:1::5")
	dst := node("dst", "198.18.0.5", "2001:db8::77")
	dst.DropUDP, dst.DropTCP, dst.DropICMP, dst.TCP, dst.UDP, dst.TTLExpired = true, true, true, TCPOpen, UDPQUIC, true
	dst.Interface.Name = "e"
	want := &Topology{
		Name: "net", Comment: "A comment\non two lines.", Seed: 7, IPv4: true, IPv6: true,
		Source: 0, Destination: 4,
		Nodes: []Node{src, r1, a1, a2, dst},
		Edges: []Edge{
			{From: 0, To: 1, Weight: 1, Delay: 2 * time.Millisecond, Jitter: 100 * time.Microsecond},
			{From: 1, To: 2, Weight: 1, Delay: 5 * time.Millisecond, MTU: 1400},
			{From: 1, To: 3, Weight: 3, Delay: 5 * time.Millisecond, MTU: 1400},
			{From: 2, To: 4, Weight: 1, Delay: 5 * time.Millisecond, MTU: 1400},
			{From: 3, To: 4, Weight: 1, Delay: 5 * time.Millisecond, MTU: 1400},
		},
	}
	ignore := cmpopts.IgnoreFields(Node{}, "HashSeed")
	if diff := cmp.Diff(want, got, compareAddr, ignore); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.Nodes[1].HashSeed != 9 {
		t.Errorf("hash seed of r1 = %d, want the 9 that was given", got.Nodes[1].HashSeed)
	}
	seeds := map[uint64]bool{}
	for _, n := range got.Nodes {
		seeds[n.HashSeed] = true
	}
	if len(seeds) != len(got.Nodes) {
		t.Errorf("%d hash seeds for %d nodes", len(seeds), len(got.Nodes))
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join("..", "..", "testdata", "topologies", "b.txtar")
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Builtin("b")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, compareAddr); diff != "" {
		t.Errorf("file and built-in differ (-built-in +file)\n%s", diff)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.txtar")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of a missing file: %v", err)
	}
	if _, err := Builtin("none"); err == nil || !strings.Contains(err.Error(), "choose one of") {
		t.Errorf("Builtin of a missing name: %v", err)
	}
}

// TestErrors holds one wrong file for each thing that can be wrong. "/" stands
// for a line's end, and "|" for "/".
func TestErrors(t *testing.T) {
	const ends = "node s source/node d destination/"
	tests := []struct{ name, text, want string }{
		{"word", "nod a", "t:2: unknown word"},
		{"seed", "seed x", "t:2: seed \"x\" is no whole number; write: seed 1"},
		{"seed empty", "seed", "takes one number"},
		{"seed twice", "seed 1/seed 2", "t:3: seed stands on line 2 already"},
		{"family", "family 5", "unknown family \"5\"; write"},
		{"family empty", "family", "family without a number"},
		{"family twice", "family 4/family 6", "t:3: family stands on line 2"},
		{"default late", "node a/default silent", "t:3: default after the first node"},
		{"default empty", "default", "default without keys"},
		{"default address", "default address=192.0.2.1", "belongs to one node"},
		{"default role", "default source", "unknown key \"source\""},
		{"default delay", "default delay=1", "delay: \"1\" is no time"},
		{"node empty", "node", "node without a name"},
		{"node name", "node 1a", "\"1a\" is no node name"},
		{"node twice", "node a/node a", "t:3: node a is declared on line 2"},
		{"node key", "node a relpy-loss=1", "unknown key \"relpy-loss\"; write one of source"},
		{"node link key", "node a delay=1ms", "delay is a key of links"},
		{"node bare key", "node a reply-loss", "reply-loss needs a value; write: reply-loss=30%"},
		{"flag", "node a silent=maybe", "\"maybe\" is none of no, yes"},
		{"share", "node a reply-loss=130%", "no share from 0% to 100%; write: reply-loss=30%"},
		{"share NaN", "node a reply-loss=NaN", "no share"},
		{"enum", "node a hash=md5", "\"md5\" is none of crc16"},
		{"set", "node a mangle=id,tos", "\"tos\" is none of"},
		{"limit burst", "node a limit=0/1s", "limit: \"0\" is no whole number"},
		{"limit interval", "node a limit=1", "write: limit=6/1s"},
		{"limit zero", "node a limit=1/0s", "an interval of 0"},
		{"labels", "node a mpls=16/0", "\"16/0\" is no label/class/TTL"},
		{"label", "node a mpls=1048576/0/1", "no whole number from 0 to 1048575"},
		{"label class", "node a mpls=1/8/1", "from 0 to 7"},
		{"label TTL", "node a mpls=1/7/256", "from 0 to 255"},
		{"label count", "node a mpls=" + strings.Repeat("1/1/1,", 16) + "1/1/1", "17 labels"},
		{"address", "node a address=300.1.1.1", "is no IP address"},
		{"address family", "node a address=2001:db8::1", "is not IPv4"},
		{"address6 family", "node a address6=192.0.2.1", "is not IPv6"},
		{"address6", "node a address6=x", "is no IP address"},
		{"address group", "node a address=224.0.0.1", "no address of one host"},
		{"address of many", "node a b address=192.0.2.1", "belongs to one node"},
		{"address twice", ends + "node a address=192.0.2.1/node b address=192.0.2.1/link s > a b > d", "t:5: a and b both have 192.0.2.1"},
		{"address taken", ends + "node a address=198.18.0.1/link s > a > d", "t:4: s and a both have"},
		{"address without family", "family 4/" + ends + "node a address6=2001:db8::9/link s > a > d", "t:5: a has an address of a family"},
		{"hash seed", "node a hash-seed=-1", "no whole number"},
		{"reply TTL", "node a reply-ttl=0", "from 1 to 255"},
		{"quote", "node a quote=5", "from 20 to 1500"},
		{"tos", "node a tos=256", "neither a byte"},
		{"tos word", "node a tos=bleach", "write: tos=0x28|bleach-ecn"},
		{"interface", "node a interface=", "names no part"},
		{"interface number", "node a interface=x", "no whole number from 1"},
		{"interface name", "node a interface=1|" + strings.Repeat("e", 59), "59 bytes is longer than 58"},
		{"interface MTU", "node a interface=1|e|70000", "from 1 to 65535"},
		{"interface parts", "node a interface=1|e|1|2", "no number/name/MTU"},
		{"quoted TTL", "node a quoted-ttl=256", "from 0 to 255"},
		{"return extra", "node a return-extra=-1", "from 0 to 255"},
		{"tcp", "node a tcp=half", "\"half\" is none of closed, open"},
		{"udp", "node a udp=dns", "\"dns\" is none of closed, open, quic"},
		{"mtu", "link a > b mtu=67", "mtu: \"67\" is no whole number from 68 to 65535"},
		{"mtu of the source", ends + "link s > a > d mtu=1400", "t:4: mtu of a link out of s, the source"},
		{"mtu of IPv6", ends + "link s > a/link a > d mtu=1279", "t:5: mtu 1279 is less than the 1280 bytes"},
		{"nat", "node a nat=yes", "write: nat=restore|keep-checksum"},
		{"nat address family", "node a nat-address=2001:db8::1", "is not IPv4"},
		{"nat address of many", "node a b nat-address=192.0.2.1", "belongs to one node"},
		{"nat address taken", ends + "node a nat-address=198.18.0.1/link s > a > d", "t:4: s and a both have"},
		{"duplicates", "node a duplicates=17", "from 0 to 16"},
		{"two sources", "node a source/node b source", "t:3: a is the source already"},
		{"many sources", "node a b source", "2 nodes on the line of the source"},
		{"role value", "node a source=yes", "takes no value"},
		{"range", "node a[1..2", "no range of nodes"},
		{"range order", "node a[2..1]", "last of \"a[2..1]\""},
		{"range first", "node a[x..1]", "first of"},
		{"range name", "node [1..2]", "is no node name"},
		{"range size", "node a[1..5000]", "last of"},
		{"link short", "link a", "link without \">\""},
		{"link empty side", "link a >", "nothing on one side"},
		{"link empty left", "link > a", "nothing on one side"},
		{"link empty middle", "link a > > b", "nothing on one side"},
		{"link key", "link a > b weight=2", "unknown key \"weight\" of a link"},
		{"link bare key", "link a > b delay=-1ms", "is no time"},
		{"link twice", "link a > b/link a > b", "t:3: link a > b is on line 2 already; for a greater share write b*2"},
		{"weight left", "link a*2 > b", "no link leads into it"},
		{"weight zero", "link a > b*0", "weight of b"},
		{"group size", "link a[1..4096] b > c", "more than 4096 nodes"},
		{"nodes", "node a[1..4096]/node b", "t:3: more than 4096 nodes"},
		{"links", "link a[1..300] > b[1..300]", "more than 65536 links"},
		{"no source", "node d destination", "t:2: no source; write: node src source"},
		{"no destination", "node s source", "t:2: no destination"},
		{"both", "node a source/node b", "no destination"},
		{"loop", ends + "link s > a > b > d/link b > a", "closes a loop"},
		{"loop to itself", ends + "link s > a > d/link a > a", "t:5: link a > a closes a loop"},
		{"unreached", ends + "link s > d/link x > d", "t:5: no path from s to x"},
		{"dead end", ends + "link s > d/link s > x", "t:5: no path from x to d"},
		{"no effect", ends + "node r drop-udp/link s > r > d", "t:4: drop-udp has no effect on r, which is a router"},
		{"source silent", "node s source silent/node d destination/link s > d", "t:2: silent has no effect on s, which is the source"},
		{"two sections", "link a > b/-- topology --", "t:3: a second section"},
		{"two sections of prefixes", "link a > b/-- prefixes --/-- prefixes --", `t:4: a second section "prefixes"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "-- topology --\n" + strings.ReplaceAll(tt.text, "/", "\n") + "\n"
			if strings.Contains(tt.text, "mpls=") || strings.Contains(tt.text, "limit=") {
				text = "-- topology --\n" + tt.text + "\n"
			}
			text = strings.ReplaceAll(text, "|", "/")
			_, err := Parse("t", []byte(text))
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if !strings.Contains(got, tt.want) || !strings.HasPrefix(got, "t:") || strings.Contains(got, "\n") {
				t.Errorf("got %q\nwant one line with %q", got, tt.want)
			}
		})
	}
	if _, err := Parse("t", []byte("only a comment")); err == nil || !strings.Contains(err.Error(), "-- topology --") {
		t.Errorf("without a section: %v", err)
	}
}

// TestPrefixes keeps the section of prefixes as it is.
func TestPrefixes(t *testing.T) {
	const network = "node s source\nnode d destination\nlink s > d\n"
	tests := []struct{ name, text, want string }{
		{"none", "-- topology --\n" + network, ""},
		{"after", "-- topology --\n" + network + "-- prefixes --\nprefix # no remark here\n192.0.2.0/24\n", "prefix # no remark here\n192.0.2.0/24\n"},
		{"before", "-- prefixes --\nany\nthing\n-- topology --\n" + network, "any\nthing\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("t", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Prefixes) != tt.want || (got.Prefixes == nil) != (tt.want == "") {
				t.Errorf("%q, want %q", got.Prefixes, tt.want)
			}
		})
	}
}

func TestSourceIsDestination(t *testing.T) {
	_, err := Parse("t", []byte("-- topology --\nnode a source destination\n"))
	if err == nil || !strings.Contains(err.Error(), "t:2: a is both") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range BuiltinNames() {
		data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "topologies", name+ending))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("-- topology --\nlink a[1..4096] > b[1..4096]\n"))
	f.Add([]byte("-- topology --\r\nnode a source\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse("f", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("not one line with its place: %q", err)
			}
			return
		}
		if len(got.Nodes) > MaxNodes || len(got.Edges) > MaxLinks || got.Size().Paths == 0 {
			t.Fatalf("%d nodes, %d links, %d paths", len(got.Nodes), len(got.Edges), got.Size().Paths)
		}
	})
}
