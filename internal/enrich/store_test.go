// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/enrich/enrichtest"
)

// given writes files to add, by name.
func given(t testing.TB, files map[string]string) (paths []string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// folderWith has data sets of every kind, which disagree: what each says tells who
// said it.
func folderWith(t testing.TB) Folder {
	t.Helper()
	folder := Folder(t.TempDir())
	city := mmdbFile(t, "GeoLite2-City",
		enrichtest.Network{Prefix: "192.0.2.0/24", Country: "MM", City: "Of the MMDB"},
		enrichtest.Network{Prefix: "203.0.113.0/24", Country: "MM"})
	asn := mmdbFile(t, "ipinfo bundle_location_lite.mmdb", enrichtest.Network{Prefix: "0.0.0.0/1", ASN: 65006, ASName: "Six by MMDB", Country: "IP"},
		enrichtest.Network{Prefix: "128.0.0.0/1", ASN: 65006, ASName: "Six by MMDB", Country: "IP"})
	files := given(t, map[string]string{
		"ours.csv": "prefix,asn,as_name,country,city,ixp,member\n192.0.2.0/29,65001,One,OW,Ours,,\n10.0.0.0/8,65001,,,,,\n198.51.100.128/28,,,,,Our-IX,\n",
		"pdb.json": `{"ix": {"data": [{"id": 7, "name": "PDB-IX", "proto_unicast": true}]},
			"ixpfx": {"data": [{"id": 1, "ixlan_id": 7, "prefix": "198.51.100.0/24"}]},
			"netixlan": {"data": [{"id": 1, "ix_id": 7, "ixlan_id": 7, "asn": 65002, "ipaddr4": "198.51.100.2"}]},
			"net": {"data": [{"asn": 65002, "name": "Two by PeeringDB"}, {"asn": 65003, "name": "Three by PeeringDB"}]}}`,
		"ris":     "65003\t192.0.2.0/26\t9\n65003\t10.0.0.0/8\t1\n65003\t198.51.100.0/24\t4\n65006\t203.0.113.64/26\t4\n",
		"pfx2as":  "192.0.2.0\t25\t65004\n",
		"iptoasn": "192.0.2.0\t192.0.3.255\t65005\tIA\tFive by IPtoASN\n",
	})
	for _, path := range append(files, city, asn) {
		if _, err := folder.Add(Addition{Files: []string{path}}); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestStoreAnnotate(t *testing.T) {
	prefix := netip.MustParsePrefix
	tests := []struct {
		name, address string
		want          traceflow.Annotation
	}{
		{"own table first, named by itself", "192.0.2.1", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65001}, Name: "One", Prefix: prefix("192.0.2.0/29"), Source: "prefixes"},
			Place:  traceflow.Place{Country: "OW", City: "Ours", Source: "prefixes"},
		}},
		{"then RISwhois, named by PeeringDB; the MMDB that knows a city", "192.0.2.9", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65003}, Name: "Three by PeeringDB", Prefix: prefix("192.0.2.0/26"), Source: "riswhois-ipv4"},
			Place:  traceflow.Place{Country: "MM", City: "Of the MMDB", Source: "geolite2-city"},
		}},
		{"then pfx2as", "192.0.2.100", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65004}, Prefix: prefix("192.0.2.0/25"), Source: "pfx2as-ipv4"},
			Place:  traceflow.Place{Country: "MM", City: "Of the MMDB", Source: "geolite2-city"},
		}},
		{"then IPtoASN, which knows no prefix; places rather of an MMDB", "192.0.2.200", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65005}, Name: "Five by IPtoASN", Source: "iptoasn-ipv4"},
			Place:  traceflow.Place{Country: "MM", City: "Of the MMDB", Source: "geolite2-city"},
		}},
		{"then an MMDB", "198.18.0.1", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65006}, Name: "Six by MMDB", Source: "ipinfo-bundle-location-lite"},
			Place:  traceflow.Place{Country: "IP", Source: "ipinfo-bundle-location-lite"},
		}},
		{"named by the MMDB that says the same AS", "203.0.113.70", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65006}, Name: "Six by MMDB", Prefix: prefix("203.0.113.64/26"), Source: "riswhois-ipv4"},
			Place:  traceflow.Place{Country: "MM", Source: "geolite2-city"},
		}},
		{"a port: the member, whatever BGP says", "198.51.100.2", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65002}, Name: "Two by PeeringDB", Source: "peeringdb"},
			Place:  traceflow.Place{Country: "IP", Source: "ipinfo-bundle-location-lite"},
			Port:   traceflow.Port{IXP: "PDB-IX", Prefix: prefix("198.51.100.0/24"), Member: 65002, MemberName: "Two by PeeringDB", Source: "peeringdb"},
		}},
		{"a peering LAN: nobody, whatever BGP says", "198.51.100.3", traceflow.Annotation{
			Place: traceflow.Place{Country: "IP", Source: "ipinfo-bundle-location-lite"},
			Port:  traceflow.Port{IXP: "PDB-IX", Prefix: prefix("198.51.100.0/24"), Source: "peeringdb"},
		}},
		{"a peering LAN of one's own", "198.51.100.130", traceflow.Annotation{
			Place: traceflow.Place{Country: "IP", Source: "ipinfo-bundle-location-lite"},
			Port:  traceflow.Port{IXP: "Our-IX", Prefix: prefix("198.51.100.128/28"), Source: "prefixes"},
		}},
		{"private: one's own table alone", "10.1.2.3", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65001}, Name: "One", Prefix: prefix("10.0.0.0/8"), Source: "prefixes"},
		}},
		{"private: nobody", "192.168.0.1", traceflow.Annotation{}},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", traceflow.Annotation{
			Origin: traceflow.Origin{ASNs: []uint32{65001}, Name: "One", Prefix: prefix("192.0.2.0/29"), Source: "prefixes"},
			Place:  traceflow.Place{Country: "OW", City: "Ours", Source: "prefixes"},
		}},
		{"in no table", "2001:db8::1", traceflow.Annotation{}},
	}
	store := OpenStore(folderWith(t))
	defer store.Close()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got traceflow.Annotation
			store.Annotate(netip.MustParseAddr(tt.address), &got)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	before := traceflow.Annotation{
		Origin: traceflow.Origin{ASNs: []uint32{1}, Source: "x"}, Place: traceflow.Place{City: "X", Source: "x"}, Port: traceflow.Port{IXP: "X", Source: "x"},
	}
	after := before
	store.Annotate(netip.MustParseAddr("198.51.100.2"), &after)
	if diff := cmp.Diff(before, after, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
		t.Errorf("what was said before (-want +got)\n%s", diff)
	}
	var none traceflow.Annotation
	store.Annotate(netip.Addr{}, &none)
	if !none.IsZero() {
		t.Errorf("of no address: %+v", none)
	}
	if problems := store.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

// TestDataSetsAreThoseUsed wants the sets that have said something, with their
// dates and licences.
func TestDataSetsAreThoseUsed(t *testing.T) {
	store := OpenStore(folderWith(t))
	defer store.Close()
	if got := store.DataSets(); len(got) > 0 {
		t.Errorf("before anything was asked: %+v", got)
	}
	var a traceflow.Annotation
	store.Annotate(netip.MustParseAddr("192.0.2.9"), &a)
	var got []string
	for _, d := range store.DataSets() {
		if len(d.SHA256) != 64 {
			t.Errorf("%s: checksum %q", d.Name, d.SHA256)
		}
		got = append(got, fmt.Sprintf("%s %s %s", d.Name, d.Kind, d.Licence))
	}
	want := []string{"peeringdb peeringdb PeeringDB AUP", "riswhois-ipv4 riswhois RIPE NCC terms", "geolite2-city mmdb GeoLite EULA"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTableInMemory is the table of a simulated network, without a folder and
// beside a set of the same name.
func TestTableInMemory(t *testing.T) {
	store := OpenStore(Folder(filepath.Join(t.TempDir(), "none")))
	if !store.Empty() || len(store.Problems()) > 0 {
		t.Errorf("a folder that is not there: %v", store.Problems())
	}
	set := traceflow.DataSet{Name: "sim", Kind: string(KindPrefixes), Date: time.Unix(1, 0)}
	store.AddTable(set, compiled(t, "prefix,asn\n192.0.2.0/24,64500\n"))
	set.Date = time.Time{}
	store.AddTable(set, compiled(t, "prefix,asn\n192.0.0.0/16,64501\n"))
	for address, want := range map[string]string{"192.0.2.1": "sim", "192.0.1.1": "sim-2"} {
		var a traceflow.Annotation
		if store.Annotate(netip.MustParseAddr(address), &a); a.Origin.Source != want {
			t.Errorf("%s: %+v, want it from %s", address, a.Origin, want)
		}
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// TestStoreGoesOnWithoutBrokenSets breaks one file after another: one clear line
// for each, and the rest still answers.
func TestStoreGoesOnWithoutBrokenSets(t *testing.T) {
	truncate := func(t *testing.T, path string) {
		if err := os.Truncate(path, 100); err != nil {
			t.Fatal(err)
		}
	}
	alter := func(t *testing.T, path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-pageSize] ^= 0xff // where the heap of a small table begins
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	exchange := func(t *testing.T, path string) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, info.Size()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, file string
		do         func(*testing.T, string)
		want       string
	}{
		{"missing", "riswhois-ipv4", remove, "data set riswhois-ipv4 is left out: "},
		{"cut short", "riswhois-ipv4", truncate, "data set riswhois-ipv4 is left out: "},
		{"altered", "riswhois-ipv4", alter, "data set riswhois-ipv4 is left out: the file is damaged"},
		{"another file", "riswhois-ipv4", exchange, "data set riswhois-ipv4 is left out: not a compiled table"},
		{"MMDB missing", "geolite2-city", remove, "data set geolite2-city is left out: "},
		{"MMDB cut short", "geolite2-city", truncate, "data set geolite2-city is left out: "},
		{"MMDB another file", "geolite2-city", exchange, "data set geolite2-city is left out: no MMDB file that can be read: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := folderWith(t)
			files, err := filepath.Glob(folder.path(tt.file + "-*"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			tt.do(t, files[0])
			store := OpenStore(folder)
			defer store.Close()
			var a traceflow.Annotation
			for range 3 {
				a = traceflow.Annotation{}
				store.Annotate(netip.MustParseAddr("192.0.2.9"), &a)
			}
			if len(a.Origin.ASNs) == 0 || a.Place.Country == "" || a.Origin.Source == tt.file || a.Place.Source == tt.file {
				t.Errorf("got %+v", a)
			}
			problems := store.Problems()
			if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), tt.want) || strings.Contains(problems[0].Error(), "\n") {
				t.Errorf("got %q, want one that begins with %q", problems, tt.want)
			}
		})
	}
	t.Run("manifest", func(t *testing.T) {
		folder := folderWith(t)
		truncate(t, folder.path(manifestFile))
		store := OpenStore(folder)
		if problems := store.Problems(); !store.Empty() || len(problems) != 1 || strings.Contains(problems[0].Error(), "\n") {
			t.Errorf("got %q", problems)
		}
	})
}

// TestStoreIsSafeForConcurrentUse is for the race detector.
func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	store := OpenStore(folderWith(t))
	defer store.Close()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 200 {
				var a traceflow.Annotation
				store.Annotate(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + j)}), &a)
				_ = store.DataSets()
			}
		})
	}
	all.Wait()
}
