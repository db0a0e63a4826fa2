// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"traceflow"
	"traceflow/render"
)

// masked are the flags and hops that are tried on every built-in network.
var masked = []struct {
	flags string
	hops  []int
}{
	{"", []int{2, 1, 254}},
	{"--paths 6 --mtu -I", []int{1, 3}},
	{"--vary dst -T", []int{2}},
}

// TestMaskLeaksNothing traces every built-in network in virtual time, hides
// hops, and looks for what must not be known any more in every format.
func TestMaskLeaksNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute under the race detector; make test runs it without")
	}
	loose, strict := schemas(t)
	hidden := 0
	for _, tt := range masked {
		for _, family := range []string{"-4", "-6"} {
			for _, name := range networks() {
				t.Run(name+family+tt.flags, func(t *testing.T) {
					got := traceSim(t, append([]string{"--sim", name, family, "--json", "--quiet"}, strings.Fields(tt.flags)...)...)
					if got.code == exitUsage {
						return
					}
					var whole traceflow.Trace
					if err := json.Unmarshal([]byte(got.out), &whole); err != nil {
						t.Fatal(err)
					}
					whole.VantagePoint.Hostname, whole.VantagePoint.Interface = "secret-host", "secret-interface"
					annotate(&whole)
					before := encode(t, &whole)
					for i, hops := range tt.hops {
						m := whole.Mask(hops)
						hidden += checkMask(t, &whole, m, hops)
						if m.Reached() != whole.Reached() {
							t.Errorf("--mask %d: reached %t, want %t", hops, m.Reached(), whole.Reached())
						}
						if i > 0 {
							continue
						}
						document := encode(t, m)
						if n, err := validate(loose, strict, document); n != 1 || err != nil {
							t.Errorf("--mask %d: %d documents: %v", hops, n, err)
						}
						same(t, string(document), "-j")
						if again := encode(t, m.Mask(hops)); !bytes.Equal(document, again) {
							t.Errorf("--mask %d twice is not the same", hops)
						}
					}
					if now := encode(t, &whole); !bytes.Equal(before, now) {
						t.Error("the trace itself has changed")
					}
				})
			}
		}
	}
	if hidden < 1000 {
		t.Errorf("only %d addresses were looked for", hidden)
	}
}

// annotate gives every address of a trace a name.
func annotate(t *traceflow.Trace) {
	seen := make(map[netip.Addr]bool)
	for a := range answered(t, 0, 255) {
		seen[a] = true
	}
	seen[t.VantagePoint.Address] = true
	t.Annotations, t.DataSets = nil, []traceflow.DataSet{{Name: "rdns", Kind: "dns"}, {Name: "secret-set", Kind: "user"}}
	for _, a := range sorted(seen) {
		t.Annotations = append(t.Annotations, traceflow.Annotation{Address: a, Hostname: traceflow.Hostname{Name: "name-of-" + a.String(), Source: "rdns"}})
	}
}

func sorted(set map[netip.Addr]bool) []netip.Addr {
	out := make([]netip.Addr, 0, len(set))
	for a := range set {
		out = append(out, a)
	}
	for i := range out {
		for j := i; j > 0 && out[j].Less(out[j-1]); j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// answered are the addresses that answered probes with TTLs from one to another.
func answered(t *traceflow.Trace, from, to uint8) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	all := [][]traceflow.Exchange{t.Exchanges}
	if t.Finish != nil {
		all = append(all, t.Finish.Exchanges)
	}
	for _, exchanges := range all {
		for i := range exchanges {
			if e := &exchanges[i]; e.Reply.Kind.Answered() && e.TTL >= from && e.TTL <= to {
				out[e.Reply.Address] = true
			}
		}
	}
	return out
}

// checkMask looks for what a masked trace must not tell. It returns how many
// addresses that were.
func checkMask(t *testing.T, whole, m *traceflow.Trace, asked int) int {
	t.Helper()
	n := m.Config.Masked
	if n > asked {
		t.Fatalf("--mask %d hides %d hops", asked, n)
	}
	secrets := make(map[string]bool)
	add := func(a netip.Addr) { secrets[a.String()] = !isDestination(whole, a) }
	add(whole.VantagePoint.Address)
	visible := answered(whole, uint8(n+1), 255)
	for a := range answered(whole, 0, uint8(n)) {
		if visible[a] && !refusesOnly(whole, a, uint8(n)) {
			continue
		}
		add(a)
		if a == whole.Destination.Address {
			t.Errorf("--mask %d hides the destination", asked)
		}
	}
	for i := range whole.Exchanges {
		if q := whole.Exchanges[i].Reply.Quote; q != nil && q.Source.IsValid() && !visible[q.Source.Addr()] {
			add(q.Source.Addr())
		}
	}
	for _, x := range whole.Findings().NATs {
		if x.Source.IsValid() && !visible[x.Source.Addr()] {
			add(x.Source.Addr())
		}
	}
	for i := range m.MTUs {
		if p := &m.MTUs[i]; p.LimitTTL > 0 && int(p.LimitTTL) <= n {
			t.Errorf("--mask %d: an MTU is limited at TTL %d", asked, p.LimitTTL)
		}
	}
	for format, write := range formats {
		var out bytes.Buffer
		if err := write(&out, m, render.Options{}); err != nil {
			t.Fatal(err)
		}
		if format == "vert" {
			if err := render.Summary(&out, m); err != nil {
				t.Fatal(err)
			}
			remark(Env{Err: &out}, m, false)
			announce(Env{Err: &out}, m)
			complain(Env{Err: &out}, m.Stats.SendErrors, firstUnsent(m))
		}
		for _, name := range []string{"secret-host", "secret-interface", "secret-set"} {
			if strings.Contains(out.String(), name) {
				t.Errorf("--mask %d --format %s tells %s", asked, format, name)
			}
		}
		for text := range strings.FieldsFuncSeq(out.String(), outsideAddress) {
			if secrets[strings.Trim(text, ".:")] {
				t.Errorf("--mask %d --format %s tells %s", asked, format, text)
			}
		}
	}
	return len(secrets)
}

// outsideAddress reports whether a character is part of no address. Addresses
// are looked for as a whole: 192.0.2.1 is no part of 192.0.2.11.
func outsideAddress(r rune) bool { return !strings.ContainsRune("0123456789abcdef.:", r) }

// refusesOnly reports whether all that an address said at TTLs above n was to
// refuse what was to go further, from the place that it has within them.
func refusesOnly(t *traceflow.Trace, a netip.Addr, n uint8) bool {
	for i := range t.Exchanges {
		e := &t.Exchanges[i]
		if e.Reply.Address == a && e.TTL > n && (e.Reply.Kind == traceflow.TimeExceeded || a == t.Destination.Address || isDestination(t, a)) {
			return false
		}
	}
	return true
}

func isDestination(t *traceflow.Trace, a netip.Addr) bool {
	for i := range t.Flows {
		if t.Flows[i].Destination == a {
			return true
		}
	}
	return false
}

func encode(t *testing.T, trace *traceflow.Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := render.JSON(&b, trace, render.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMaskKeepsTheRest hides hops and compares what is left with what a trace
// says that began there.
func TestMaskKeepsTheRest(t *testing.T) {
	for _, name := range []string{"b", "d", "e", "mpls", "silent", "far"} {
		for hops := range 3 {
			whole := traceOf(t, "--sim", name, "--paths", "6").Mask(hops)
			began := traceOf(t, "--sim", name, "--paths", "6", "-f", fmt.Sprint(whole.Config.FirstTTL))
			var got, want bytes.Buffer
			for _, x := range []struct {
				t   *traceflow.Trace
				out *bytes.Buffer
			}{{whole, &got}, {began, &want}} {
				if err := render.Vert(x.out, x.t, render.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			if got.String() != want.String() {
				t.Errorf("%s without the first %d hops:\n%swant\n%s", name, hops, got.String(), want.String())
			}
		}
	}
}

// TestMaskWhatIsSaid runs the command where something is said on standard error:
// of a router that refuses within the hidden hops, of flows, of the summary.
func TestMaskWhatIsSaid(t *testing.T) {
	for _, name := range []string{"prohibited", "unreachable", "silent", "nat-all", "cgnat", "mtu"} {
		for _, flags := range []string{"-P 4", "", "-P 4 --mtu"} {
			args := append([]string{"--sim", name}, strings.Fields(flags)...)
			whole := traceOf(t, args...)
			for _, hops := range []uint8{1, 2, 3, 4} {
				got := traceSim(t, append(args, "--mask", fmt.Sprint(hops))...)
				m := whole.Mask(int(hops))
				text := got.out + got.err
				for a := range answered(whole, 0, uint8(m.Config.Masked)) {
					if answered(m, 0, 255)[a] || a == whole.Destination.Address {
						continue
					}
					if regexp.MustCompile(regexp.QuoteMeta(a.String()) + `($|[^0-9])`).MatchString(text) {
						t.Errorf("%v --mask %d tells %s:\n%s", args, hops, a, text)
					}
				}
				if want := fmt.Sprintf("first %d hops are hidden", hops); m.Config.Masked > 1 && m.Config.Masked == int(hops) && !strings.Contains(text, want) {
					t.Errorf("%v --mask %d does not say so:\n%s", args, hops, text)
				}
			}
		}
	}
}
