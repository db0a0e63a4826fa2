// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
)

// traceFile traces a network that is written down for it, eight flows of it.
func traceFile(t *testing.T, lines string, args ...string) *traceflow.Trace {
	t.Helper()
	path := filepath.Join(t.TempDir(), "network.txtar")
	if err := os.WriteFile(path, []byte("-- topology --\n"+strings.ReplaceAll(lines, "; ", "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return traceOf(t, append([]string{"--sim", path, "--paths", "8"}, args...)...)
}

// traceOf returns the document of a run, as a reader of it sees it.
func traceOf(t *testing.T, args ...string) *traceflow.Trace {
	t.Helper()
	got := traceSim(t, append(args, "--json", "--quiet")...)
	var trace traceflow.Trace
	if err := json.Unmarshal([]byte(got.out), &trace); err != nil {
		t.Fatalf("%v; exit code %d: %s", err, got.code, got.err)
	}
	return &trace
}

// TestNATs puts NATs of every kind into a path, in front of routers with long
// and with short quotes, and wants exactly the hops named where they begin, for
// every kind of probe. Where no quote can tell, none is.
func TestNATs(t *testing.T) {
	for _, kind := range []string{"restore", "keep-checksum", "keep-port", "keep-all"} {
		for _, ports := range []string{"translate", "keep"} {
			for _, short := range []bool{false, true} {
				for _, family := range []string{"-4", "-6"} {
					for _, protocol := range []string{"--udp", "--quic", "--tcp", "--icmp"} {
						name := fmt.Sprintf("%s/%s/short=%t/%s/%s", kind, ports, short, family[1:], protocol[2:])
						t.Run(name, func(t *testing.T) {
							quote := ""
							if short {
								quote = map[string]string{"-4": " quote=28", "-6": " quote=48"}[family]
							}
							trace := traceFile(t, "default tos=keep"+quote+"; node src source; node dst destination; "+
								"node n1 nat="+kind+" nat-ports="+ports+" nat-address=203.0.113.5 nat-address6=2001:db8:77::5; "+
								"link src > r1 > n1 > r2 > a[1..2] > c > dst", family, protocol)
							var want []string
							if short && family == "-6" && !tellsShort(kind, ports == "keep", protocol) {
								// Nothing that is left of the packet tells it well enough.
								checkNATs(t, trace, nil)
								return
							}
							if showsNAT(kind, ports == "keep", short, family == "-6", protocol) {
								want = []string{"3 after 2"}
							}
							checkNATs(t, trace, want)
							for _, w := range trace.Graph.Walks {
								if w.Distance() != 6 {
									t.Errorf("flow %d: the destination is at %d, want 6", w.Flow.ID, w.Distance())
								}
								for j, r := range w.Hops {
									if !r.Address.IsValid() {
										t.Errorf("flow %d: no answer at TTL %d", w.Flow.ID, j+1)
									}
								}
							}
						})
					}
				}
			}
		}
	}
}

// showsNAT reports whether the quotes from behind a NAT differ from what was
// sent.
func showsNAT(kind string, keepsPorts, short, v6 bool, protocol string) bool {
	checksum := protocol == "--tcp" && !short || protocol == "--udp" || protocol == "--quic" ||
		protocol == "--icmp" && (v6 || !keepsPorts) // the checksum of ICMPv4 covers no address
	switch kind {
	case "keep-checksum":
		return checksum
	case "keep-port":
		return checksum || !keepsPorts
	case "keep-all":
		return true
	}
	return false
}

// tellsShort reports whether a quote of 8 bytes behind a NAT of IPv6, where no
// IP ID is, still tells whose it is.
func tellsShort(kind string, keepsPorts bool, protocol string) bool {
	switch {
	case kind == "restore" || protocol == "--tcp":
		return true
	case protocol == "--icmp": // by flow and sequence number
		return kind == "keep-checksum" || kind == "keep-port" && keepsPorts
	}
	return false
}

// checkNATs compares where NATs are said to begin for certain, as "TTL after
// TTL", and wants nothing else.
func checkNATs(t *testing.T, trace *traceflow.Trace, want []string) {
	t.Helper()
	var got []string
	for _, x := range trace.Findings().NATs {
		if x.Evidence.Certain() {
			got = append(got, fmt.Sprintf("%d after %d", x.TTL, x.After))
		} else {
			got = append(got, fmt.Sprintf("%d after %d: %s", x.TTL, x.After, x.Evidence))
		}
		if len(trace.Flows) != x.Flows {
			t.Errorf("%d flows show %+v, want all %d", x.Flows, x, len(trace.Flows))
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("NATs at TTL %v, want %v; %+v", got, want, trace.Stats)
	}
}

// TestNATOfManyFlows has so many flows behind a NAT and short quotes that their
// first ones, which nothing confirms yet, would pass for an attack.
func TestNATOfManyFlows(t *testing.T) {
	for _, kind := range []string{"keep-checksum", "keep-port", "keep-all"} {
		trace := traceFile(t, "default quote=28; node src source; node dst destination; node n1 nat="+kind+" nat-address=203.0.113.5; "+
			"link src > r1 > n1 > r2 > a[1..2] > c > dst", "-4", "--paths", "200")
		checkNATs(t, trace, []string{"3 after 2"})
		// Of keep-port nothing but the IP ID tells flows apart at first, and some
		// packets have the same.
		// With any NAT, two packets in flight may: then one is asked again.
		if s := &trace.Stats; s.Unmatched > 3 && (kind != "keep-port" || s.Unmatched > s.Probes/20) {
			t.Errorf("%s: %+v", kind, *s)
		}
	}
}

// TestFindings traces every built-in network with every kind of probe and
// family, and wants the findings that its file describes, and none elsewhere.
func TestFindings(t *testing.T) {
	nat := func(ttl, after int, evidence string) string {
		return fmt.Sprintf("NAT %d after %d: %s", ttl, after, evidence)
	}
	want := map[string]struct {
		four, six []string // by family; six is nil if it is as four
	}{
		"nat": {[]string{nat(2, 1, "private-addresses")}, []string{}},
		// Nothing that comes back tells it from a NAT that restores all.
		"private":      {[]string{nat(3, 2, "private-addresses")}, []string{}},
		"nat-checksum": {[]string{nat(2, 1, "quoted-checksum")}, nil},
		"nat-all":      {[]string{nat(2, 1, "quoted-source")}, nil},
		"cgnat":        {[]string{nat(2, 1, "quoted-checksum"), nat(4, 3, "quoted-checksum")}, nil},
		"mpls":         {[]string{"explicit tunnel 2 to 3 by labels, 0 hidden"}, nil},
		"ixp":          {[]string{"explicit tunnel 3 to 3 by labels, 0 hidden"}, nil},
		"ixp-drained":  {[]string{"explicit tunnel 3 to 3 by labels, 0 hidden"}, nil},
		"tunnel-implicit": {
			[]string{"implicit tunnel 4 to 5 by quoted-ttl, 0 hidden"}, nil,
		},
		"tunnel-opaque":    {[]string{"opaque tunnel 4 to 4 by label-ttl, 5 hidden"}, nil},
		"tunnel-invisible": {[]string{"invisible tunnel 4 to 4 by return-length, 3 hidden"}, nil},
		"zero-ttl":         {[]string{"zero TTL at 3"}, nil},
		"bleach":           {[]string{"dscp 0 to 10 at 4 after 3"}, nil},
		"interfaces": {
			[]string{"interface 7 eth0 1500 at 2", "interface 8 eth1 1500 at 2", "interface 0 up 0 at 3"}, nil,
		},
	}
	for _, name := range networks() {
		for _, family := range []string{"-4", "-6"} {
			for _, protocol := range []string{"--udp", "--quic", "--tcp", "--icmp"} {
				t.Run(name+family+protocol, func(t *testing.T) {
					args := []string{"--sim", name, family, protocol, "--paths", "8", "--json", "--quiet"}
					got := traceSim(t, args...)
					if got.code == exitUsage && strings.Contains(got.err, "of that family") {
						return
					}
					var trace traceflow.Trace
					if err := json.Unmarshal([]byte(got.out), &trace); err != nil {
						t.Fatalf("%v: %s", err, got.err)
					}
					expect := want[name].four
					switch six := want[name].six; {
					case name == "interfaces" && family == "-6" && protocol == "--icmp":
						expect = slices.Delete(slices.Clone(expect), 1, 2) // where none of these flows goes
					case family == "-6" && six != nil:
						expect = six
					}
					if diff := cmp.Diff(expect, findings(&trace), cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("(-want +got)\n%s", diff)
					}
				})
			}
		}
	}
}

// findings writes all findings of a trace as words.
func findings(trace *traceflow.Trace) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	f := trace.Findings()
	for _, x := range f.NATs {
		add("NAT %d after %d: %s", x.TTL, x.After, x.Evidence)
	}
	for _, x := range f.Tunnels {
		add("%s tunnel %d to %d by %s, %d hidden", x.Kind, x.From, x.To, x.Evidence, x.Hidden)
	}
	for _, x := range f.Remarks {
		add("%s %d to %d at %d after %d", x.Field, x.From, x.To, x.TTL, x.After)
	}
	for _, x := range f.ZeroTTL {
		add("zero TTL at %d", x.TTL)
	}
	for _, x := range f.Interfaces {
		add("interface %d %s %d at %d", x.Index, x.Name, x.MTU, x.TTL)
	}
	return out
}

// TestRemarks sends marked packets through the network that bleaches: each
// change is seen at the hop behind the one who makes it, and only where the
// packets went by there.
func TestRemarks(t *testing.T) {
	for _, tt := range []struct {
		tos  string
		want []string
	}{
		{"0", []string{"dscp 0 to 10 at 4 after 3"}},
		{"ef", []string{"dscp 46 to 0 at 3 after 2", "dscp 0 to 10 at 4 after 3", "dscp 46 to 10 at 4 after 3"}},
		{"0x0a", []string{
			"dscp 2 to 0 at 3 after 2", "dscp 0 to 10 at 4 after 3", "dscp 2 to 10 at 4 after 3",
			"ecn 2 to 1 at 4 after 3", "ecn 1 to 0 at 6 after 5",
		}},
	} {
		for _, family := range []string{"-4", "-6"} {
			for _, protocol := range []string{"--udp", "--quic", "--tcp", "--icmp"} {
				trace := traceOf(t, "--sim", "bleach", family, protocol, "--paths", "8", "--tos", tt.tos)
				if diff := cmp.Diff(tt.want, findings(trace), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("--tos %s %s %s (-want +got)\n%s", tt.tos, family, protocol, diff)
				}
			}
		}
	}
}
