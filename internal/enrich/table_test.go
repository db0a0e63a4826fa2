// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compiled makes a table in memory out of CSV.
func compiled(t testing.TB, csv string) *Table {
	t.Helper()
	table, err := ParsePrefixes(strings.NewReader(csv), "ours")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func ask(t testing.TB, table *Table, address string) record {
	t.Helper()
	r, err := table.lookup(netip.MustParseAddr(address))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// compareRecords lets go-cmp into them.
var compareRecords = cmp.AllowUnexported(record{})

// TestTableAgainstList looks random addresses up in tables of random prefixes, of
// which many lie within others, and in a list from which the longest is picked.
func TestTableAgainstList(t *testing.T) {
	const seed = 5
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range 30 {
		b := newBuilder()
		prefixes := make(map[netip.Prefix]uint32)
		for range 1 + random.IntN(400) {
			p := randomPrefix(random)
			if _, ok := prefixes[p]; ok {
				continue
			}
			asn := 1 + random.Uint32N(50)
			prefixes[p] = asn
			if err := b.addPrefix(p, record{asns: []uint32{asn}, originBits: uint8(p.Bits())}, 0); err != nil {
				t.Fatal(err)
			}
		}
		encoded, err := b.build()
		if err != nil {
			t.Fatal(err)
		}
		table, err := tableOf(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.verify(); err != nil {
			t.Fatal(err)
		}
		for p := range prefixes {
			last := lastAddress(p)
			for _, address := range []netip.Addr{p.Addr(), last, p.Addr().Prev(), last.Next(), randomPrefix(random).Addr()} {
				if !address.IsValid() {
					continue
				}
				want := record{}
				for q, asn := range prefixes {
					if q.Contains(address) && (want.asns == nil || q.Bits() > int(want.originBits)) {
						want = record{asns: []uint32{asn}, originBits: uint8(q.Bits())}
					}
				}
				got, err := table.lookup(address)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, compareRecords); diff != "" {
					t.Fatalf("round %d (seed %d), %s: (-want +got)\n%s", round, seed, address, diff)
				}
			}
		}
	}
}

// randomPrefix draws from few addresses, both ends of each family among them.
func randomPrefix(random *rand.Rand) netip.Prefix {
	pick := func() byte { return []byte{0, 1, 2, 127, 254, 255}[random.IntN(6)] }
	var b [16]byte
	for i := range b {
		b[i] = pick()
	}
	if random.IntN(2) == 0 {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[:4])), random.IntN(33)).Masked()
	}
	if address := netip.AddrFrom16(b); !address.Is4In6() {
		return netip.PrefixFrom(address, random.IntN(129)).Masked()
	}
	return netip.MustParsePrefix("::/0")
}

// TestTableLongerThanAPage has lists and a heap of many pages.
func TestTableLongerThanAPage(t *testing.T) {
	b := newBuilder()
	const n = 5000
	for i := range n {
		four := netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
		six := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)})
		for _, address := range []netip.Addr{four, six} {
			r := record{asns: []uint32{uint32(i + 1)}, asName: fmt.Sprintf("AS %d %s", i, strings.Repeat("x", i%maxText/2)), originBits: unknownBits}
			b.name(uint32(i+1), r.asName)
			if err := b.addPrefix(netip.PrefixFrom(address, address.BitLen()), r, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	encoded, err := b.build()
	if err != nil {
		t.Fatal(err)
	}
	table, err := tableOf(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.verify(); err != nil {
		t.Error(err)
	}
	for i := range n {
		for _, address := range []string{fmt.Sprintf("198.18.%d.%d", i>>8, i&255), fmt.Sprintf("2001:db8::%x", i)} {
			if got := ask(t, table, address); got.asns[0] != uint32(i+1) {
				t.Fatalf("%s: AS %d, want %d", address, got.asns[0], i+1)
			}
		}
		if got, err := table.asName(uint32(i + 1)); err != nil || !strings.HasPrefix(got, fmt.Sprintf("AS %d ", i)) {
			t.Fatalf("AS %d is called %q (%v)", i+1, got, err)
		}
	}
	for _, address := range []string{"198.17.255.255", "198.19.0.0", "::", "2001:db8::ffff", "255.255.255.255"} {
		if got := ask(t, table, address); got.groups() != 0 {
			t.Errorf("%s: %+v", address, got)
		}
	}
	if name, err := table.asName(n + 1); name != "" || err != nil {
		t.Errorf("an AS that is not there is called %q (%v)", name, err)
	}
}

// TestTableIsNotTrusted alters every byte of a small table, and cuts it short at
// every length: it is refused, or, for what no lookup reads, answers as before.
func TestTableIsNotTrusted(t *testing.T) {
	const csv = "prefix,asn,as_name,country,city,ixp\n192.0.2.0/24,64500,Example,DE,Berlin,\n2001:db8::/32,64501,,,,IX\n"
	var whole bytes.Buffer
	p, err := readPrefixes(strings.NewReader(csv))
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.builder.build()
	if err != nil {
		t.Fatal(err)
	}
	whole.Write(b)
	addresses := []string{"192.0.2.9", "198.51.100.1", "2001:db8::9", "::1"}
	var want []record
	for _, a := range addresses {
		want = append(want, ask(t, compiled(t, csv), a))
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(b); i += step {
		altered := bytes.Clone(b)
		altered[i] ^= 0x41
		table, err := tableOf(altered)
		if err != nil {
			continue
		}
		if table.verify() == nil {
			t.Fatalf("byte %d altered: nothing is noticed", i)
		}
		for j, a := range addresses {
			got, err := table.lookup(netip.MustParseAddr(a))
			if err == nil && !cmp.Equal(want[j], got, compareRecords) {
				t.Fatalf("byte %d altered: %s is %+v", i, a, got)
			}
		}
	}
	for n := range len(b) {
		if _, err := tableOf(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are accepted", n, len(b))
		}
	}
	if _, err := tableOf(append(bytes.Clone(b), 0)); err == nil {
		t.Error("a byte too many is accepted")
	}
}

// TestTableOfAnotherVersion wants that said.
func TestTableOfAnotherVersion(t *testing.T) {
	b := newBuilder()
	if err := b.addPrefix(netip.MustParsePrefix("192.0.2.0/24"), record{asns: []uint32{1}}, 0); err != nil {
		t.Fatal(err)
	}
	encoded, err := b.build()
	if err != nil {
		t.Fatal(err)
	}
	encoded[11]++
	if _, err := tableOf(encoded); err == nil || !strings.Contains(err.Error(), "add it again") {
		t.Errorf("got %v", err)
	}
	if _, err := tableOf([]byte("%PDF-1.7, and so on, and on, for more than the 64 bytes of a header of ours")); !errors.Is(err, errNoTable) {
		t.Errorf("got %v", err)
	}
}

// reads counts what is read.
type reads struct {
	io.ReaderAt
	bytes int
}

func (r *reads) ReadAt(b []byte, offset int64) (int, error) {
	r.bytes += len(b)
	return r.ReaderAt.ReadAt(b, offset)
}

// TestTableIsSearchedWhereItLies wants a lookup to read two pages, and opening it
// a hundredth of the file.
func TestTableIsSearchedWhereItLies(t *testing.T) {
	b := newBuilder()
	for i := range 200_000 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(10 + i>>16), byte(i >> 8), byte(i)}), 24)
		if err := b.addPrefix(p, record{asns: []uint32{uint32(i % 3000)}, originBits: 24}, 0); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := b.build()
	if err != nil {
		t.Fatal(err)
	}
	r := &reads{ReaderAt: bytes.NewReader(encoded)}
	table, err := newTable(r, int64(len(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	if r.bytes > len(encoded)/100 {
		t.Errorf("opening it reads %d of %d bytes", r.bytes, len(encoded))
	}
	r.bytes = 0
	ask(t, table, "11.200.3.4")
	if r.bytes != 2*pageSize {
		t.Errorf("a lookup reads %d bytes", r.bytes)
	}
	r.bytes = 0
	ask(t, table, "11.200.3.5")
	if r.bytes != 0 {
		t.Errorf("the neighbour reads %d bytes", r.bytes)
	}
}

func TestBuilderRefusesCrossingRanges(t *testing.T) {
	b := newBuilder()
	address := netip.MustParseAddr
	for i, r := range [][2]string{{"192.0.2.0", "192.0.2.20"}, {"192.0.2.10", "192.0.2.30"}} {
		if err := b.add(address(r[0]), address(r[1]), record{asns: []uint32{1}}, i+1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.build(); err == nil || err.Error() != "line 2: the range overlaps that of line 1" {
		t.Errorf("got %v", err)
	}
	if _, err := newBuilder().build(); !errors.Is(err, errNoRows) {
		t.Errorf("nothing at all: got %v", err)
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", " Example \n", "Example"},
		{"no UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"long", strings.Repeat("x", 9999), strings.Repeat("x", maxText)},
		{"cut between characters", strings.Repeat("é", 200), strings.Repeat("é", maxText/2)},
		{"what is for others to escape", "\x1b[31m<b>", "\x1b[31m<b>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := clean(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzTable(f *testing.F) {
	p, err := readPrefixes(strings.NewReader("prefix,asn,as_name,ixp\n192.0.2.0/24,64500,Example,\n2001:db8::/32,64501,,IX\n"))
	if err != nil {
		f.Fatal(err)
	}
	b, err := p.builder.build()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, true)
	f.Add(b[:headerSize], false)
	// With mend, the checksums are put right: a file made to deceive.
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend {
			b = mended(b)
		}
		table, err := tableOf(b)
		if err != nil {
			return
		}
		_ = table.verify()
		for _, a := range []string{"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1"} {
			r, err := table.lookup(netip.MustParseAddr(a))
			if err != nil {
				continue
			}
			if len(r.asName) > maxText || len(r.asns) > maxOrigins {
				t.Errorf("%+v is beyond its bounds", r)
			}
			if !prefixOf(netip.MustParseAddr(a), r.originBits).IsValid() && r.originBits != unknownBits && len(r.asns) > 0 {
				t.Errorf("%+v has no prefix", r)
			}
		}
		_, _ = table.asName(64500)
	})
}

// mended returns the file with a header and checksums that are right, as far as it
// has room for them.
func mended(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) < headerSize {
		return b
	}
	var h header
	for i := range h.entries {
		h.entries[i] = uint32(b[15+4*i]) | uint32(b[14+4*i])<<8
	}
	h.heapPages = uint32(b[27])
	if h.fileSize() != int64(len(b)) {
		return b
	}
	sums := headerSize + h.directorySize() - 4*h.pages()
	for i := range h.pages() {
		sum := checksum(b[int(h.pagesAt())+i*pageSize:][:pageSize])
		copy(b[sums+4*i:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	}
	return append(h.append(nil, b[headerSize:h.pagesAt()]), b[headerSize:]...)
}
