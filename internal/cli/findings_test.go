// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		if s := &trace.Stats; s.Unmatched > 0 && (kind != "keep-port" || s.Unmatched > s.Probes/20) {
			t.Errorf("%s: %+v", kind, *s)
		}
	}
}
