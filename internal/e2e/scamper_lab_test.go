// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"traceflow/internal/netlab"
)

// runs is where a tool and the command are run.
type runs struct {
	tool func(name string, args ...string) (string, error)
	ours func(args ...string) *outcome
}

// TestTUNScamper runs traceflow and scamper on the same networks, one and the
// same flow each, and compares --format scamper with what sc_warts2json writes:
// which keys there are, of which types, and the values that are the network's
// and not the tool's. TCP is not among them: scamper sends it on Ethernet only.
func TestTUNScamper(t *testing.T) {
	needScamper(t)
	for _, name := range []string{"d", "mpls", "silent", "prohibited", "drop-all"} {
		t.Run(name, func(t *testing.T) {
			network := openTUN(t, name)
			here := runs{
				tool: func(name string, args ...string) (string, error) {
					out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
					return string(out), err
				},
				ours: func(args ...string) *outcome { return runHere(t, args...) },
			}
			for _, destination := range []netip.Addr{network.Nodes[network.Destination].Address4, network.Nodes[network.Destination].Address6} {
				for _, protocol := range []string{"--udp", "--icmp"} {
					t.Run(protocol[2:]+"-"+destination.String(), func(t *testing.T) { besideScamper(t, here, protocol, destination) })
				}
			}
		})
	}
}

// TestLabScamper does so with kernels that forward, and with TCP.
func TestLabScamper(t *testing.T) {
	needScamper(t)
	needTool(t, "ip", "iproute2")
	for _, name := range []string{"d", "silent"} {
		t.Run(name, func(t *testing.T) {
			l := build(t, name)
			there := runs{
				tool: func(name string, args ...string) (string, error) {
					cmd := l.Command(t.Context(), name, args...)
					var out bytes.Buffer
					cmd.Stdout, cmd.Stderr = &out, &out
					err := l.Run(cmd)
					return out.String(), err
				},
				ours: func(args ...string) *outcome { return l.run(t, false, args...) },
			}
			if out, err := there.tool("sh", "-c", toScamper); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			destination := l.Topology().Nodes[l.Topology().Destination].Address4
			for _, protocol := range []string{"--udp", "--icmp", "--tcp"} {
				t.Run(protocol[2:], func(t *testing.T) { besideScamper(t, there, protocol, destination) })
			}
		})
	}
}

// toScamper gives scamper the route to the gateway's own address, without which
// it does not start, and the device its address.
const toScamper = `set -e
gateway=$(ip -4 route get {dst} | sed -n 's/.* via \([^ ]*\).*/\1/p')
device=$(ip -4 route get {dst} | sed -n 's/.* dev \([^ ]*\).*/\1/p')
ip address add {src}/32 dev $device
ip route add $gateway/32 dev $device`

func needScamper(t *testing.T) {
	t.Helper()
	netlab.Require(t)
	for _, tool := range []string{"scamper", "sc_warts2json"} {
		needTool(t, tool, "scamper")
	}
}

// needTool skips a test without a program; where skips are forbidden, it fails.
func needTool(t testing.TB, tool, debian string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("TRACEFLOW_LAB") == "require" {
		t.Fatalf("TRACEFLOW_LAB=require: needs %s, of the Debian package %s", tool, debian)
	}
	t.Skipf("needs %s, of the Debian package %s", tool, debian)
}

func besideScamper(t *testing.T, r runs, protocol string, destination netip.Addr) {
	args := []string{"--format", "scamper", "--quiet", "--rate", "0", "-w", "0.5", "--retries", "0", "-P", "1", "--wire", "raw", protocol, destination.String()}
	o := r.ours(args...)
	ours := readObjects(t, []byte(o.stdout))
	if len(ours) != 3 {
		t.Fatalf("%d lines, not those of one trace: exit code %d, %s", len(ours), o.code, o.stderr)
	}
	options := "trace -w 1 -q 1 -g 3 "
	switch protocol {
	case "--icmp":
		options += fmt.Sprintf("-P icmp-paris -d %d", number(ours[1]["icmp_sum"]))
	case "--tcp":
		options += fmt.Sprintf("-P tcp -s %d -d %d", number(ours[1]["sport"]), number(ours[1]["dport"]))
	default:
		options += fmt.Sprintf("-P udp-paris -s %d -d %d", number(ours[1]["sport"]), number(ours[1]["dport"]))
	}
	warts := filepath.Join(t.TempDir(), "trace.warts")
	if out, err := r.tool("scamper", "-O", "warts", "-o", warts, "-p", "1000", "-c", options, "-i", destination.String()); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := r.tool("sc_warts2json", warts)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	theirs := readObjects(t, []byte(out))
	if len(theirs) != 3 {
		t.Fatalf("scamper has %d lines, not those of one trace: %s", len(theirs), out)
	}
	for i := range ours {
		compareObjects(t, fmt.Sprint(ours[i]["type"]), ours[i], theirs[i])
	}
	compareHops(t, ours[1], theirs[1])
}

func readObjects(t *testing.T, lines []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range bytes.Lines(lines) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, object)
	}
	return all
}

// unknown are the keys that a trace does not have: what it would take to know
// them is not kept.
var unknown = []string{"reply_tos", "reply_ipid", "reply_size", "icmp_q_ipl"}

// compareObjects wants every key of one object in the other, of the same type,
// and none more.
func compareObjects(t *testing.T, at string, ours, theirs map[string]any) {
	t.Helper()
	for key, their := range theirs {
		our, ok := ours[key]
		switch {
		case !ok && !slices.Contains(unknown, key):
			t.Errorf("%s: no %s, which scamper has as %v", at, key, their)
		case ok && fmt.Sprintf("%T", our) != fmt.Sprintf("%T", their):
			t.Errorf("%s: %s is %v, with scamper %v", at, key, our, their)
		}
		if object, ok := their.(map[string]any); ok {
			inner, _ := our.(map[string]any)
			compareObjects(t, at+"."+key, inner, object)
		}
	}
	for key := range ours {
		if _, ok := theirs[key]; !ok {
			t.Errorf("%s: %s is no key that scamper has here", at, key)
		}
	}
}

// compareHops compares what was answered, TTL by TTL.
func compareHops(t *testing.T, ours, theirs map[string]any) {
	t.Helper()
	for _, key := range []string{"type", "version", "method", "src", "dst", "sport", "dport", "icmp_sum", "stop_reason", "stop_data", "hop_count", "firsthop", "tos"} {
		// How much silence is enough is the tool's.
		if key == "hop_count" && theirs["stop_reason"] == "GAPLIMIT" {
			continue
		}
		if fmt.Sprint(ours[key]) != fmt.Sprint(theirs[key]) {
			t.Errorf("%s is %v, with scamper %v", key, ours[key], theirs[key])
		}
	}
	mine, other := byTTL(ours), byTTL(theirs)
	for ttl, their := range other {
		our, ok := mine[ttl]
		if !ok {
			t.Errorf("nothing at TTL %d, scamper has %v", ttl, their)
			continue
		}
		compareObjects(t, fmt.Sprint("TTL ", ttl), our, their)
		for _, key := range []string{"addr", "probe_ttl", "probe_id", "reply_ttl", "icmp_type", "icmp_code", "icmp_q_ttl", "icmp_q_tos", "icmpext"} {
			if fmt.Sprint(our[key]) != fmt.Sprint(their[key]) {
				t.Errorf("TTL %d: %s is %v, with scamper %v", ttl, key, our[key], their[key])
			}
		}
	}
	for ttl := range mine {
		if _, ok := other[ttl]; !ok {
			t.Errorf("scamper has nothing at TTL %d, ours is %v", ttl, mine[ttl])
		}
	}
	if len(mine) == 0 && !strings.Contains(fmt.Sprint(ours["stop_reason"]), "GAP") {
		t.Error("no hop was compared")
	}
}

func byTTL(trace map[string]any) map[int]map[string]any {
	hops, _ := trace["hops"].([]any)
	out := make(map[int]map[string]any)
	for _, h := range hops {
		if hop, ok := h.(map[string]any); ok {
			out[number(hop["probe_ttl"])] = hop
		}
	}
	return out
}

func number(v any) int {
	n, _ := v.(float64)
	return int(n)
}
