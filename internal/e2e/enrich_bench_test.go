// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/enrich"
	"traceflow/internal/enrich/enrichtest"
)

// TestBenchEnrich opens data sets of the size of the Internet's and annotates 1,000
// addresses that lie anywhere, as no trace does.
func TestBenchEnrich(t *testing.T) {
	const (
		prefixes, exchanges, members = 1_000_000, 1000, 40
		addresses, times             = 1000, 7
		limit                        = 50 * time.Millisecond
	)
	files := t.TempDir()
	paths := []string{
		riswhoisFile(t, files, prefixes), peeringDBFile(t, files, exchanges, members),
		mmdbOfSlash(t, files, "GeoLite2-ASN", 18), mmdbOfSlash(t, files, "GeoLite2-City", 17),
	}
	folder := enrich.Folder(t.TempDir())
	fmt.Printf("offline data: %d prefixes, 2 MMDB files, %d ports of exchange points:\n", prefixes, exchanges*members)
	for _, path := range paths {
		start := time.Now()
		sets, err := folder.Add(enrich.Addition{Files: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("  data add: %-14s %8d rows, %5.1f MB, %v\n", sets[0].Name, sets[0].Rows, float64(sets[0].Bytes)/1e6, time.Since(start).Round(time.Millisecond))
	}
	random := rand.New(rand.NewPCG(1, 2))
	asked := make([]netip.Addr, addresses)
	for i := range asked {
		asked[i] = netip.AddrFrom4([4]byte{byte(11 + random.IntN(88)), byte(random.IntN(256)), byte(random.IntN(256)), byte(random.IntN(256))})
	}
	var best, opened time.Duration
	for i := range times {
		start := time.Now()
		store := enrich.OpenStore(folder)
		open := time.Since(start)
		known := 0
		for _, address := range asked {
			var a traceflow.Annotation
			store.Annotate(address, &a)
			if len(a.Origin.ASNs) > 0 && a.Origin.Name != "" && a.Place.City != "" {
				known++
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if problems := store.Problems(); len(problems) > 0 || known != addresses {
			t.Fatalf("%d of %d addresses are known: %v", known, addresses, problems)
		}
		if i == 0 || took < best {
			best, opened = took, open
		}
	}
	fmt.Printf("  opening alone: %v\n", opened.Round(10*time.Microsecond))
	reached(t, fmt.Sprintf("open and annotate %d addresses, best of %d", addresses, times), best.Round(10*time.Microsecond), limit, best <= limit)
}

// write writes a file line by line.
func write(t *testing.T, path string, lines func(w *bufio.Writer)) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	lines(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// riswhoisFile has a /9 of every /8 from 11 up, and more than enough within them:
// /16, /22 and /24.
func riswhoisFile(t *testing.T, folder string, prefixes int) string {
	return write(t, filepath.Join(folder, "ris"), func(w *bufio.Writer) {
		random := rand.New(rand.NewPCG(3, 4))
		for i := range prefixes {
			var p netip.Prefix
			switch a := netip.AddrFrom4([4]byte{byte(11 + i>>13), byte(i >> 5), byte(i << 3), 0}); {
			case i < 256:
				p = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(11 + i/2), byte(i << 7)}), 9)
			case i%256 == 0:
				p = netip.PrefixFrom(a, 16)
			case i%5 == 0:
				p = netip.PrefixFrom(a, 22)
			default:
				p = netip.PrefixFrom(a, 24)
			}
			fmt.Fprintf(w, "%d\t%s\t%d\n", 1+random.IntN(80_000), p.Masked(), 1+random.IntN(350))
		}
	})
}

func peeringDBFile(t *testing.T, folder string, exchanges, members int) string {
	return write(t, filepath.Join(folder, "pdb.json"), func(w *bufio.Writer) {
		fmt.Fprint(w, `{"ix": {"data": [{"id": 0, "name": "IX", "proto_unicast": true}`)
		for i := range exchanges {
			fmt.Fprintf(w, `, {"id": %d, "name": "Exchange %d", "proto_unicast": true}`, i+1, i+1)
		}
		fmt.Fprint(w, `]}, "ixpfx": {"data": [{"id": 0, "ixlan_id": 1, "prefix": "198.18.0.0/24"}`)
		for i := 1; i < exchanges; i++ {
			fmt.Fprintf(w, `, {"id": %d, "ixlan_id": %d, "prefix": "198.18.%d.%d/26"}`, i, i+1, i>>2, i&3<<6)
		}
		fmt.Fprint(w, `]}, "net": {"data": [{"asn": 1, "name": "Network 1"}`)
		for asn := 2; asn <= 80_000; asn++ {
			fmt.Fprintf(w, `, {"asn": %d, "name": "Network %d"}`, asn, asn)
		}
		fmt.Fprint(w, `]}, "netixlan": {"data": [{"ixlan_id": 1, "asn": 1, "ipaddr4": "198.18.0.1"}`)
		for i := 1; i < exchanges; i++ {
			for m := range members {
				fmt.Fprintf(w, `, {"ixlan_id": %d, "asn": %d, "ipaddr4": "198.18.%d.%d"}`, i+1, i*members+m+1, i>>2, i&3<<6+m+1)
			}
		}
		fmt.Fprint(w, `]}}`)
	})
}

// mmdbOfSlash says something else of every prefix of that length.
func mmdbOfSlash(t *testing.T, folder, databaseType string, bits int) string {
	t.Helper()
	networks := make([]enrichtest.Network, 0, 1<<bits)
	for i := range 1 << bits {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i << (32 - bits) >> 24), byte(i << (32 - bits) >> 16), byte(i << (32 - bits) >> 8)}), bits)
		networks = append(networks, enrichtest.Network{Prefix: p.String(), ASN: uint32(i + 1), ASName: fmt.Sprint("Network ", i+1), Country: "DE", City: fmt.Sprint("City ", i+1)})
	}
	b, err := enrichtest.MMDB(databaseType, networks...)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, databaseType+".mmdb")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
