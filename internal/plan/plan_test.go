// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	data, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read("plan.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	noChange := []Expectation{{Kind: "no-change", Line: 28}}
	want := &Plan{
		Name: "core-edge", Budget: 2 * time.Minute, Rate: 500, Passes: 3,
		Targets: []Target{
			{Destination: "198.51.100.1", Flows: 64, Protocol: "tcp", Port: 443, Labels: map[string]string{"site": "fra", "group": "transit"}, Line: 15},
			{Destination: "2001:db8::1", Flows: 64, Protocol: "tcp", Port: 443, Labels: map[string]string{"site": "fra", "group": "transit"}, Line: 16},
			{Destination: "192.0.2.1", Labels: map[string]string{"site": "fra"}, Line: 18},
			{Destination: "www.example.net", Flows: 32, Protocol: "icmp", Family: 6, Vary: "dst", MTU: true, Labels: map[string]string{"site": "ams", "role": "web"}, Expect: noChange, Line: 19},
		},
		Expect: []Expectation{
			{Kind: "drain", Values: []string{"AS64500", "198.51.100.0/24"}, Line: 30},
			{Kind: "width", From: 4, To: 3, Line: 31},
			{Kind: "rehashed", Line: 32},
		},
		ExpectEnd: []Expectation{
			{Kind: "no-change", Line: 33},
			{Kind: "rehashed", Values: []string{"192.0.2.0/24"}, Line: 33},
		},
		Policy: Policy{
			Severity: map[string]string{"latency-up": "ignore", "as-path-changed": "regression"},
			Latency:  2 * time.Millisecond, LatencyPart: 0.2, Loss: 0.01, Alpha: 0.05,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// It travels in the snapshot.
	travelled, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	back := &Plan{}
	if err := json.Unmarshal(travelled, back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("as JSON (-want +got):\n%s", diff)
	}
}

func TestAtEnd(t *testing.T) {
	back, gone := []Expectation{{Kind: "no-change"}}, []Expectation{{Kind: "lost"}}
	lasting := &Plan{Name: "lasting", Targets: []Target{{Destination: "a", Expect: gone}}, Expect: gone}
	if diff := cmp.Diff(lasting, lasting.AtEnd()); diff != "" {
		t.Errorf("what it expects is to last (-want +got):\n%s", diff)
	}
	p := &Plan{Name: "back", Targets: []Target{{Destination: "a", Expect: gone}, {Destination: "b"}}, Expect: gone, ExpectEnd: back}
	want := &Plan{Name: "back", Targets: []Target{{Destination: "a"}, {Destination: "b"}}, Expect: back}
	if diff := cmp.Diff(want, p.AtEnd()); diff != "" {
		t.Errorf("all is to be back (-want +got):\n%s", diff)
	}
	if len(p.Targets[0].Expect) != 1 || len(p.ExpectEnd) != 1 {
		t.Error("the plan itself has changed")
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct {
		name, plan string
		want       string // line, column and part of the message
	}{
		{"nothing", "", "1:1: the plan is empty"},
		{"a remark", "# nothing\n", "1:1: the plan is empty"},
		{"no YAML", "targets: [192.0.2.1\nrate: 5\n", "2:5: no YAML"},
		{"a tab", "targets:\n\t- 192.0.2.1\n", "2:1: no YAML"},
		{"a list", "- 192.0.2.1\n", "1:1: this is a list; write keys and values: name, budget"},
		{"no targets", "rate: 5\n", "1:1: there are no targets"},
		{"empty targets", "targets:\n", "1:1: there are no targets"},
		{"unknown key", "targets: [192.0.2.1]\nrates: 5\n", "2:1: unknown key \"rates\" (did you mean rate?)"},
		{"unknown key of a target", "targets:\n- destination: 192.0.2.1\n  flow: 5\n", "3:3: unknown key \"flow\" (did you mean flows?)"},
		{"key twice", "rate: 5\ntargets: [192.0.2.1]\nrate: 6\n", "3:1: rate stands here again; it is in line 1"},
		{"bad address", "targets:\n- 192.0.2.1\n- 192.0.2.256\n", "3:3: \"192.0.2.256\" is no address"},
		{"bad address of IPv6", "targets:\n- 2001:db8::g\n", "2:3: \"2001:db8::g\" is neither an address nor a name"},
		{"prefix", "targets:\n- 192.0.2.0/24\n", "2:3: \"192.0.2.0/24\" is neither an address nor a name"},
		{"a number", "targets: [12]\n", "1:11: \"12\" is no address"},
		{"control characters", "targets: [\"a\\x1b[31m\"]\n", "1:11: there are control characters"},
		{"multicast", "targets: [224.0.0.1]\n", "1:11: 224.0.0.1 is not the address of one host"},
		{"link-local", "targets: ['fe80::1%eth0']\n", "1:11: fe80::1%eth0 is not the address of one host"},
		{"wrong family", "defaults: {family: 6}\ntargets: [192.0.2.1]\n", "2:11: 192.0.2.1 is no IPv6 address"},
		{"no family", "defaults: {family: 5}\ntargets: [192.0.2.1]\n", "1:20: \"5\" is neither 4 nor 6"},
		{"duplicate", "targets:\n- 192.0.2.1\n- destination: 192.0.2.1\n", "3:16: \"192.0.2.1\" is in line 2, too"},
		{"duplicate in a group", "targets: [h.example]\ngroups:\n- targets: [H.example.]\n", "1:11: \"h.example\" is in line 3, too"},
		{"no destination", "targets:\n- flows: 5\n", "2:3: the target has no destination"},
		{"group without targets", "groups:\n- name: a\n", "2:3: the group has no targets"},
		{"flows", "targets: [192.0.2.1]\ndefaults:\n  flows: 0\n", "3:10: \"0\" is no whole number from 1 to 256"},
		{"passes", "targets: [192.0.2.1]\npasses: 1\n", "2:9: \"1\" is no whole number from 2 to 50"},
		{"rate", "targets: [192.0.2.1]\nrate: fast\n", "2:7: rate \"fast\" is not between 1 and 10000000"},
		{"protocol", "targets: [192.0.2.1]\ndefaults: {protocol: sctp}\n", "2:22: \"sctp\" is none of udp, tcp, icmp"},
		{"vary", "targets: [192.0.2.1]\ndefaults: {vary: dstport}\n", "2:18: \"dstport\" is none of srcport, dst"},
		{"port", "targets: [192.0.2.1]\ndefaults: {port: 65536}\n", "2:18: \"65536\" is no whole number from 1 to 65535"},
		{"port of ICMP", "targets: [192.0.2.1]\ndefaults: {port: 5, protocol: icmp}\n", "1:11: \"192.0.2.1\": ICMP has no ports"},
		{"mtu of TCP", "targets: [192.0.2.1]\ndefaults: {mtu: true, protocol: tcp}\n", "1:11: \"192.0.2.1\": a SYN carries no data"},
		{"ends", "targets: [192.0.2.1]\ndefaults: {ends: 2000}\n", "2:18: \"2000\" is no whole number from 1 to 1000"},
		{"impossible budget of ends", "targets: [192.0.2.1]\nbudget: 10s\ndefaults: {flows: 16, ends: 100}\n", "2:9: a budget of 10s is impossible: 16 flows to 1 targets in 2 passes are about 3680 packets, which take 1m4s at 500 a second; a budget of 1m4s would do, or 2 flows in all"},
		{"mtu", "targets: [192.0.2.1]\ndefaults: {mtu: yes}\n", "2:17: \"yes\" is neither true nor false"},
		{"budget", "targets: [192.0.2.1]\nbudget: soon\n", "2:9: \"soon\" is no time"},
		{"negative budget", "targets: [192.0.2.1]\nbudget: -5\n", "2:9: \"-5\" is not more than 0"},
		{"impossible budget", "targets: [192.0.2.1, 192.0.2.2]\nbudget: 1s\ndefaults: {flows: 32}\n", "2:9: a budget of 1s is impossible: 64 flows to 2 targets in 2 passes are about 2048 packets, which take 4.1s at 500 a second; a budget of 5s would do, or a rate of 2048, or 15 flows in all"},
		{"width", "targets: [192.0.2.1]\nexpect: {width: less}\n", "2:17: \"less\" is no change of width; write 4->3"},
		{"width to the same", "targets: [192.0.2.1]\nexpect: {width: 4->4}\n", "2:17: \"4->4\" is no change of width; write 4->3"},
		{"width from none", "targets: [192.0.2.1]\nexpect: {width: [0->4]}\n", "2:18: \"0->4\" is no change of width; write 4->3"},
		{"relax", "targets: [192.0.2.1]\nexpect: {relax: maybe}\n", "2:17: \"maybe\" is neither on nor off"},
		{"no-change of what", "targets: [192.0.2.1]\nexpect: {no-change: [x]}\n", "2:22: no-change takes no value"},
		{"latency", "targets: [192.0.2.1]\nexpect: {latency-up: fast}\n", "2:22: \"fast\" is no time; write 5ms"},
		{"reroute of an interface", "targets: [192.0.2.1]\nexpect: {rerouted: xe-0/0/0}\n", "2:20: \"xe-0/0/0\" is no address and no prefix"},
		{"nothing to expect", "targets: [192.0.2.1]\nexpect: [unmeasured]\n", "2:10: unmeasured is nothing to expect"},
		{"what nobody knows", "targets: [192.0.2.1]\npolicy:\n  severity: {unmeasured: ignore}\n", "3:26: unmeasured cannot be ignore: what nobody knows is never green"},
		{"alpha", "targets: [192.0.2.1]\npolicy: {alpha: 60%}\n", "2:17: \"60%\" is not below 50 %"},
		{"all of it lost", "targets: [192.0.2.1]\npolicy: {loss: 1}\n", "2:16: \"1\" is not below 100 %"},
		{"name of a label", "targets: [192.0.2.1]\ndefaults: {labels: {\"\": a}}\n", "2:21: the name of a label has 1 to 200 bytes"},
		{"width of nothing", "targets: [192.0.2.1]\nexpect: [width]\n", "2:10: width takes what it changes from and to"},
		{"drain of nothing", "targets: [192.0.2.1]\nexpect: [drain]\n", "2:10: drain takes what traffic is taken off"},
		{"expectation", "targets: [192.0.2.1]\nexpect:\n  drains: [AS1]\n", "3:3: unknown kind of change \"drains\" (did you mean drain?)"},
		{"severity of what", "targets: [192.0.2.1]\npolicy:\n  severity: {latency: info}\n", "3:14: unknown kind of change \"latency\""},
		{"severity", "targets: [192.0.2.1]\npolicy:\n  severity: {lost: bad}\n", "3:20: \"bad\" is none of ignore, info, change, regression"},
		{"part", "targets: [192.0.2.1]\npolicy: {loss: 200%}\n", "2:16: \"200%\" is no part of a whole"},
		{"alias", "targets: &a [192.0.2.1]\n", "1:10: anchors and aliases are not read here"},
		{"labels", "targets: [192.0.2.1]\ndefaults: {labels: [a]}\n", "2:20: this is a list; write keys and values"},
		{"two documents", "targets: [192.0.2.1]\n---\ntargets: [192.0.2.1]\n", "2:1: a second document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("p.yaml", []byte(tt.plan))
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); !strings.HasPrefix(got, "p.yaml:") || !strings.Contains(got, tt.want) {
				t.Errorf("got  %s\nwant p.yaml:%s", got, tt.want)
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q is not one harmless line", err)
			}
		})
	}
}

func TestCost(t *testing.T) {
	tests := []struct {
		name         string
		flows        int
		hops, rate   float64
		packets      int
		takes, slack time.Duration
	}{
		// The figure of the issue: 100 targets, 16 flows, 2 passes.
		{"by the rate", 1600, Hops, 500, 51200, 102 * time.Second, time.Second},
		{"by the first router", 1600, 4, 500, 12800, 64 * time.Second, time.Second},
		{"on the own network", 1600, Hops, 1000, 51200, 51 * time.Second, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packets, takes := Cost(tt.flows, 2, tt.hops, tt.rate)
			if packets != tt.packets || (takes-tt.takes).Abs() > tt.slack {
				t.Errorf("got %d packets in %v, want %d in %v", packets, takes, tt.packets, tt.takes)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	data, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("targets: &a [*a]\n"))
	f.Add([]byte("targets: [{destination: 192.0.2.1, labels: {a: b}}]\nexpect: {width: [4->3, 16→15]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read("p", data)
		if err == nil {
			if len(p.Targets) == 0 || p.Affordable() != nil {
				t.Errorf("read %d targets; %v", len(p.Targets), p.Affordable())
			}
			if _, err := json.Marshal(p); err != nil {
				t.Error(err)
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Line < 1 || e.Column < 1 || e.Message == "" {
			t.Errorf("%#v has no place", err)
		}
	})
}
