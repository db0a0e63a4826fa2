// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"traceflow"
	"traceflow/internal/enrich"
	"traceflow/render"
)

// changed writes a built-in network with changes, old and new text in turn, and
// returns the file's name.
func changed(t *testing.T, name string, changes ...string) string {
	t.Helper()
	data, err := os.ReadFile("../../testdata/topologies/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%s has no %q", name, changes[i])
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	file := filepath.Join(t.TempDir(), name+".txtar")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// ofAS64500 describes the exits of that AS.
func ofAS64500(trace *traceflow.Trace) []string {
	out := []string{}
	for _, x := range trace.Exits() {
		if x.Near.ASN == 64500 {
			out = append(out, strings.TrimSpace(string(x.Class)+" "+string(x.Confidence)+string(x.Reason)))
		}
	}
	return out
}

// TestExits discovers networks with each kind of exit, and what hides it, in both
// families.
func TestExits(t *testing.T) {
	const inLeft = "node in.left.example"
	tests := []struct {
		name    string
		network string
		changes []string
		flags   string
		want    []string
	}{
		{"relax", "relax", nil, "", []string{"relax-border medium"}},
		{"relax, by ICMP", "relax", nil, "-I", []string{"relax-border medium"}},
		{"relax, so many flows", "relax", nil, "-P 24", []string{"relax-border medium"}},
		{"relax, by destinations", "relax", nil, "--vary dst", []string{"relax-border medium"}},
		{"relax by a hash of destinations: ports do not show it", "relax", []string{"node border.example.net", "node border.example.net balance=destination"}, "", nil},
		{
			"relax by a hash of destinations", "relax",
			[]string{"node border.example.net", "node border.example.net balance=destination"},
			"--vary dst",
			[]string{"relax-border low"},
		},
		{
			"relax, the member is not known", "relax",
			[]string{"198.51.100.82,64502,RIGHT,,,EX-IX,\n", "", "2001:db8:ffff::2,64502,RIGHT,,,EX-IX,\n", ""},
			"",
			[]string{"relax-border low"},
		},
		{"relax? packet by packet", "relax", []string{"node border.example.net", "node border.example.net balance=packet"}, "", []string{"undetermined per-packet"}},
		{"relax? silent", "relax", []string{inLeft, inLeft + " silent"}, "", []string{"undetermined silent-hop"}},
		{"relax? MPLS", "relax", []string{inLeft, inLeft + " return-extra=4"}, "", []string{"undetermined hidden-mpls"}},
		{"relax? quoted TTL", "relax", []string{inLeft, inLeft + " quoted-ttl=3"}, "", []string{"undetermined hidden-mpls"}},
		{
			"relax? lengths", "relax",
			[]string{"> out.right.example > in.far.example", "> out.right.example > m1 > m2 > in.far.example", "-- prefixes --\nprefix,asn,as_name,country,city,ixp,member\n", "-- prefixes --\nprefix,asn,as_name,country,city,ixp,member\n198.18.0.0/15,64504,MIDDLE,,,,\n2001:db8::/64,64504,MIDDLE,,,,\n"},
			"",
			[]string{"undetermined unequal-lengths"},
		},
		{"relax? nobody knows", "relax", []string{"198.51.100.0/26,64501,LEFT,,,,\n", "", "2001:db8:501::/48,64501,LEFT,,,,\n", ""}, "", []string{"undetermined unknown-owner"}},
		{"several exits", "exits", nil, "", []string{"multi-exit medium"}},
		{"several exits, so many flows", "exits", nil, "-P 16", []string{"multi-exit medium"}},
		{"several exits? silent", "exits", []string{"node pe1.example.net", "node pe1.example.net silent"}, "", []string{"undetermined silent-hop"}},
		{"parallel ports", "ixp-ports", []string{" balance=destination", ""}, "", []string{"ixp-parallel high"}},
		{"parallel ports, by destinations", "ixp-ports", nil, "--vary dst", []string{"ixp-parallel medium"}},
		{"parallel ports by a hash of destinations: ports do not show it", "ixp-ports", nil, "", nil},
		{
			"parallel ports? nobody knows whose", "ixp-ports", []string{
				" balance=destination", "", "198.51.100.82,64503,CONTENT,,,EX-IX,\n", "", "2001:db8:ffff::2,64503,CONTENT,,,EX-IX,\n", "",
			}, "", []string{"undetermined unknown-member"},
		},
		{"no exits", "ixp", nil, "", nil},
		{"no data", "d", nil, "", nil},
	}
	for _, tt := range tests {
		for _, family := range []string{"-4", "-6"} {
			t.Run(tt.name+family, func(t *testing.T) {
				trace := traceOf(t, append([]string{"--sim", changed(t, tt.network, tt.changes...), family, "--seed", "3"}, strings.Fields(tt.flags)...)...)
				if got := ofAS64500(trace); !slices.Equal(got, tt.want) {
					t.Errorf("%v, want %v\n%+v", got, tt.want, trace.Exits())
				}
			})
		}
	}
}

// TestSameASExits has a border with two links to one AS. A public table cannot
// tell whether the border is that AS's own router; the user's table can.
func TestSameASExits(t *testing.T) {
	file := changed(t, "relax",
		"198.51.100.82,64502,RIGHT,,,EX-IX,\n", "", "198.51.100.64/26,,,,,EX-IX,", "198.51.100.64/26,64501,LEFT,,,,",
		"198.51.100.128/26,64502,RIGHT,,,,", "198.51.100.128/26,64501,LEFT,,,,")
	trace := traceOf(t, "--sim", file, "-4", "--seed", "3")
	if got := ofAS64500(trace); !slices.Equal(got, []string{"undetermined link-address"}) {
		t.Errorf("public table: %v", got)
	}
	if text := summary(t, trace); strings.Contains(text, "Exits:") {
		t.Errorf("nothing can be told, and is:\n%s", text)
	}
	public, err := enrich.ParsePrefixes(strings.NewReader("prefix,asn\n198.51.100.0/25,64501\n198.51.100.128/26,64501\n198.51.100.192/26,64503\n203.0.113.0/24,64503\n"), "public")
	if err != nil {
		t.Fatal(err)
	}
	own, err := enrich.ParsePrefixes(strings.NewReader("prefix,asn\n192.0.2.0/24,64500\n"), "own")
	if err != nil {
		t.Fatal(err)
	}
	var store enrich.Store
	store.AddTable(traceflow.DataSet{Name: "public", Kind: "sim"}, public)
	store.AddTable(traceflow.DataSet{Name: "own", Kind: traceflow.KindPrefixes}, own)
	annotator := enrich.Annotator{Offline: []enrich.Lookup{&store}}
	trace.Annotations, trace.DataSets = nil, nil
	annotator.Annotate(t.Context(), trace)
	if got := ofAS64500(trace); !slices.Equal(got, []string{"same-as-multipath medium"}) {
		t.Errorf("own table: %v %v", got, trace.DataSets)
	}
	const want = "Exits: AS64500 leaves at TTL 2 (192.0.2.9) to AS64501: parallel links to one AS, ordinary eBGP multipath (medium; "
	if text := summary(t, trace); !strings.Contains(text, want) || strings.Contains(text, "AS64500 to AS64501") {
		t.Errorf("%s", text)
	}

	trace = traceOf(t, "--sim", "ixp-ports", "-4", "--seed", "3")
	trace.Annotations, trace.DataSets = nil, nil
	annotator.Annotate(t.Context(), trace)
	if text := summary(t, trace); !strings.Contains(text, "Flows to one address leave AS64500 by one way; whether others of its prefix do was not asked: --vary dst.") {
		t.Errorf("%s", text)
	}
}

func summary(t *testing.T, trace *traceflow.Trace) string {
	t.Helper()
	var b strings.Builder
	if err := render.Summary(&b, trace); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestExitsText reads what stands in formats for people: the same once more in
// other words nowhere.
func TestExitsText(t *testing.T) {
	tests := []struct {
		args string
		want string
		not  string
	}{
		{
			"relax", "to AS64501 LEFT and AS64502 RIGHT at EX-IX, equal AS-path length 2: consistent with as-path multipath-relax (medium; ",
			"AS64500 EXAMPLE-NET to AS6450",
		},
		{
			"exits", "AS64500 EXAMPLE-NET leaves by 2 routers (192.0.2.21, 192.0.2.37) to AS64501 LEFT and AS64502 RIGHT, equal AS-path length 2: several exits",
			"AS64500 EXAMPLE-NET to AS6450",
		},
		{"ixp-ports --vary dst", "to AS64503 CONTENT at EX-IX: 2 parallel ports of one member (medium; ", "AS64500 EXAMPLE-NET to"},
	}
	for _, tt := range tests {
		for _, format := range []string{"text", "markdown"} {
			got := traceSim(t, append([]string{"--quiet", "--seed", "3", "--format", format, "--sim"}, strings.Fields(tt.args)...)...)
			text := strings.NewReplacer(`\`, "").Replace(got.out)
			if !strings.Contains(text, tt.want) || strings.Contains(text, tt.not) || strings.Count(text, "Exits:") != 1 {
				t.Errorf("%s of %s: no %q, or %q:\n%s", format, tt.args, tt.want, tt.not, text)
			}
		}
	}
}
