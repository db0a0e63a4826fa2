// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"traceflow/packet"
)

// timeExceeded is the type of that message for the family of an address.
func timeExceeded(a netip.Addr) uint8 {
	if a.Is4() {
		return packet.ICMPv4TimeExceeded
	}
	return packet.ICMPv6TimeExceeded
}

// lengthOf is a length field of that many bytes in the second word of an ICMP
// error's header.
func lengthOf(a netip.Addr, bytes int) uint32 {
	if a.Is4() {
		return uint32(bytes/4) << 16
	}
	return uint32(bytes/8) << 24
}

// rawError is an ICMP error with any body and second word, to say things that
// AppendICMPError would not.
func rawError(src, dst netip.Addr, typ uint8, word uint32, pieces ...[]byte) []byte {
	return packet.AppendICMPError(nil, src, dst, typ, 0, word, slices.Concat(pieces...), nil, packet.CompliantLayout)
}

// padded is a quote with zeros behind it, cut at n bytes.
func padded(quote []byte, n int) []byte {
	b := make([]byte, n)
	copy(b, quote)
	return b
}

func TestAppendICMPError(t *testing.T) {
	ext := "2000 be19 0008 01 01 05dc1b01"
	tests := []struct {
		name     string
		src, dst netip.Addr
		typ      uint8
		code     uint8
		rest     uint32
		quote    int
		ext      string
		layout   packet.Layout
		// want is the second word, the length of the quote with its padding, and
		// the extensions.
		word   string
		length int
		after  string
	}{
		{"IPv4 without extensions", routerV4, hostV4, 11, 0, 0, 28, "", packet.CompliantLayout, "00000000", 28, ""},
		{"IPv4 without extensions, legacy", routerV4, hostV4, 11, 0, 0, 200, "", packet.LegacyLayout, "00000000", 200, ""},
		{"IPv4 short quote", routerV4, hostV4, 11, 0, 0, 28, ext, packet.CompliantLayout, "00200000", 128, ext},
		{"IPv4 quote of 128", routerV4, hostV4, 11, 0, 0, 128, ext, packet.CompliantLayout, "00200000", 128, ext},
		{"IPv4 quote of 129", routerV4, hostV4, 11, 0, 0, 129, ext, packet.CompliantLayout, "00210000", 132, ext},
		{"IPv4 longest quote", routerV4, hostV4, 11, 0, 0, 1020, ext, packet.CompliantLayout, "00ff0000", 1020, ext},
		{"IPv4 quote that is too long", routerV4, hostV4, 11, 0, 0, 1021, ext, packet.CompliantLayout, "00ff0000", 1020, ext},
		{"IPv4 legacy, short quote", routerV4, hostV4, 11, 0, 0, 28, ext, packet.LegacyLayout, "00000000", 128, ext},
		{"IPv4 legacy, long quote", routerV4, hostV4, 11, 0, 0, 300, ext, packet.LegacyLayout, "00000000", 128, ext},
		{"IPv4 MTU beside the length", routerV4, hostV4, 3, 4, 1400, 28, ext, packet.CompliantLayout, "00200578", 128, ext},
		{"IPv4 pointer beside the length", routerV4, hostV4, 12, 0, 20 << 24, 28, ext, packet.CompliantLayout, "14200000", 128, ext},
		{"IPv4 redirect takes none", routerV4, hostV4, 5, 0, 0xcb007109, 28, ext, packet.CompliantLayout, hexRouterV4, 28, ""},
		{"IPv6 without extensions", routerV6, hostV6, 3, 0, 0, 48, "", packet.CompliantLayout, "00000000", 48, ""},
		{"IPv6 short quote", routerV6, hostV6, 3, 0, 0, 48, ext, packet.CompliantLayout, "10000000", 128, ext},
		{"IPv6 quote of 129", routerV6, hostV6, 1, 4, 0, 129, ext, packet.CompliantLayout, "11000000", 136, ext},
		{"IPv6 quote that is too long", routerV6, hostV6, 1, 4, 0, 3000, ext, packet.CompliantLayout, "ff000000", 2040, ext},
		{"IPv6 legacy", routerV6, hostV6, 3, 0, 0, 200, ext, packet.LegacyLayout, "00000000", 128, ext},
		{"IPv6 packet too big takes none", routerV6, hostV6, 2, 0, 1400, 48, ext, packet.CompliantLayout, "00000578", 48, ""},
		{"IPv6 parameter problem takes none", routerV6, hostV6, 4, 0, 40, 48, ext, packet.LegacyLayout, "00000028", 48, ""},
	}
	r := random()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			quote := randomBytes(r, tt.quote)
			got := packet.AppendICMPError([]byte{0xaa}, tt.src, tt.dst, tt.typ, tt.code, tt.rest, quote, unhex(t, tt.ext), tt.layout)
			if got[0] != 0xaa {
				t.Fatal("what was before has changed")
			}
			got = got[1:]
			protocol := packet.ProtocolICMP
			if !tt.src.Is4() {
				protocol = packet.ProtocolICMPv6
			}
			if !packet.ValidChecksum(got, tt.src, tt.dst, protocol) {
				t.Error("not valid")
			}
			diff(t, "type, code", []byte{tt.typ, tt.code}, got[:2])
			diff(t, "second word", unhex(t, tt.word), got[4:8])
			diff(t, "body", slices.Concat(padded(quote, tt.length), unhex(t, tt.after)), got[8:])
		})
	}
}

// One whole message byte by byte, the way a router sends it.
func TestDecodeICMPErrorFixture(t *testing.T) {
	b := unhex(
		t,
		/* time exceeded, checksum          */ "0b 00 1234",
		/* length: 32 words                 */ "00 20 0000",
		/* the probe's IP header            */ quoteV4UDP,
		/* the probe's UDP header           */ quoteUDPHeader,
		/* the probe's payload              */ quotePayload,
		/* padding to 128                   */ zeros(88),
		/* version 2, checksum              */ "2000 98cf",
		/* 3 labels                         */ "0010 01 01",
		/* 24001, TC 5, not bottom, TTL 1   */ "05dc1 a 01",
		/* 16, TC 0, not bottom, TTL 2      */ "00010 0 02",
		/* 3, TC 1, bottom, TTL 255         */ "00003 3 ff",
	)
	// The checksum, from the definition.
	binary.BigEndian.PutUint16(b[8+128+2:], 0)
	binary.BigEndian.PutUint16(b[8+128+2:], ^slowSum(0, b[8+128:]))

	got, err := packet.DecodeICMPError(b, routerV4, hostV4)
	if err != nil {
		t.Fatal(err)
	}
	want := packet.ICMPError{
		ICMP: packet.ICMP{Type: packet.ICMPv4TimeExceeded, Checksum: 0x1234, QuoteUnits: 128, Body: b[8:]},
		Quote: packet.Quote{
			IP: wantV4, SourcePort: 40000, DestinationPort: 33434, UDPLength: 20, Checksum: 0xbeef,
			Payload: []byte("probe data 1"),
		},
		Extensions: b[8+128:],
	}
	diff(t, "error", want, got)
	diff(t, "labels", []packet.LabelStackEntry{
		{Label: 24001, TC: 5, TTL: 1}, {Label: 16, TTL: 2}, {Label: 3, TC: 1, Bottom: true, TTL: 255},
	}, got.Extensions.AppendMPLS(nil))
}

func TestDecodeICMPErrorRefuses(t *testing.T) {
	quoteV4, quoteV6 := quoteV4UDP+quoteUDPHeader, quoteV6UDP+quoteUDPHeader
	tests := []struct {
		name     string
		src, dst netip.Addr
		hex      string
		want     error
		layer    string
		offset   int
	}{
		{"IPv4 echo reply", routerV4, hostV4, "00 00 0000 00000000" + quoteV4, packet.ErrMalformed, "ICMP", 0},
		{"IPv4 type 1", routerV4, hostV4, "01 00 0000 00000000" + quoteV4, packet.ErrMalformed, "ICMP", 0},
		{"IPv4 source quench", routerV4, hostV4, "04 00 0000 00000000" + quoteV4, packet.ErrMalformed, "ICMP", 0},
		{"IPv4 redirect", routerV4, hostV4, "05 00 0000 00000000" + quoteV4, packet.ErrMalformed, "ICMP", 0},
		{"IPv6 echo request", routerV6, hostV6, "80 00 0000 00000000" + quoteV6, packet.ErrMalformed, "ICMP", 0},
		{"IPv6 type 0", routerV6, hostV6, "00 00 0000 00000000" + quoteV6, packet.ErrMalformed, "ICMP", 0},
		{"IPv6 type 11", routerV6, hostV6, "0b 00 0000 00000000" + quoteV6, packet.ErrMalformed, "ICMP", 0},
		{"IPv4 with a quote of IPv6", routerV4, hostV4, "0b 00 0000 00000000" + quoteV6, packet.ErrMalformed, "ICMP quote", 0},
		{"IPv6 with a quote of IPv4", routerV6, hostV6, "03 00 0000 00000000" + quoteV4, packet.ErrMalformed, "ICMP quote", 0},
		{"IPv4 with a quote of neither", routerV4, hostV4, "0b 00 0000 00000000 00", packet.ErrMalformed, "ICMP quote", 0},
		{"IPv6 with a quote of neither", routerV6, hostV6, "03 00 0000 00000000" + zeros(64), packet.ErrMalformed, "IP", 0},
		{"no quote", routerV4, hostV4, "0b 00 0000 00000000", packet.ErrTruncated, "IP", 0},
		{"half an IP header", routerV4, hostV4, "0b 00 0000 00000000 45b80028", packet.ErrTruncated, "IPv4", 0},
		{"27 bytes", routerV4, hostV4, "0b 00 0000 00000000" + quoteV4[:len(quoteV4)-2], packet.ErrTruncated, "quoted transport header", 0},
		{"27 bytes and a length of 128", routerV4, hostV4, "0b 00 0000 00200000" + quoteV4[:len(quoteV4)-2], packet.ErrTruncated, "quoted transport header", 0},
		{"a later fragment", routerV4, hostV4, "0b 00 0000 00000000 45 00 0028 abcd 0001 01 11 0000" + hexHostV4 + hexTargetV4 + quoteUDPHeader, packet.ErrMalformed, "ICMP quote", 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := packet.DecodeICMPError(unhex(t, tt.hex), tt.src, tt.dst)
			checkError(t, err, tt.want, tt.layer, tt.offset)
		})
	}
}

func TestIsICMPError(t *testing.T) {
	want := map[bool][]uint8{true: {3, 11, 12}, false: {1, 2, 3, 4}}
	for _, f := range families {
		for typ := range 256 {
			if got, want := packet.IsICMPError(f.router, uint8(typ)), slices.Contains(want[f.router.Is4()], uint8(typ)); got != want {
				t.Errorf("%s type %d: got %v, want %v", f.name, typ, got, want)
			}
		}
	}
}

// Where routers put extensions, with 1 to 8 labels each.
func TestExtensionsAreFound(t *testing.T) {
	for _, f := range families {
		v4 := f.host.Is4()
		headers, unit := 28, 4
		if !v4 {
			headers, unit = 48, 8
		}
		short := []byte("a short payload")
		long := randomBytes(random(), 600)
		shortProbe := probe(f.host, f.target, 1, short)
		longProbe := probe(f.host, f.target, 1, long)
		length := func(n int) uint32 { return lengthOf(f.host, n) }
		layouts := []struct {
			name string
			// message is one with this extension structure; quoted is the payload
			// that must be found in its quote.
			message func(x []byte) (word uint32, body [][]byte)
			quoted  []byte
			// checksum says that nothing is taken for extensions without one.
			checksum bool
		}{
			{"compliant, padded", func(x []byte) (uint32, [][]byte) {
				return length(128), [][]byte{padded(shortProbe, 128), x}
			}, short, false},
			{"compliant, headers only, padded", func(x []byte) (uint32, [][]byte) {
				return length(128), [][]byte{padded(longProbe, 128), x}
			}, long[:128-headers], false},
			{"compliant, long quote", func(x []byte) (uint32, [][]byte) {
				return length(512), [][]byte{longProbe[:512], x}
			}, long[:512-headers], false},
			{"compliant, more padding than is needed", func(x []byte) (uint32, [][]byte) {
				return length(256), [][]byte{padded(shortProbe, 256), x}
			}, short, false},
			{"legacy, padded", func(x []byte) (uint32, [][]byte) {
				return 0, [][]byte{padded(shortProbe, 128), x}
			}, short, false},
			{"legacy, cut", func(x []byte) (uint32, [][]byte) {
				return 0, [][]byte{longProbe[:128], x}
			}, long[:128-headers], true},
			{"the length before padding", func(x []byte) (uint32, [][]byte) {
				return length(72), [][]byte{padded(longProbe[:72], 128), x}
			}, long[:72-headers], true},
			{"the odd length before padding", func(x []byte) (uint32, [][]byte) {
				odd := 17 * unit // 68 bytes of IPv4 were seen in the wild; 136 of IPv6 are 128 or more
				return length(odd), [][]byte{padded(longProbe[:odd], max(odd, 128)), x}
			}, long[:17*unit-headers], v4},
			{"a length below that of the headers, padded", func(x []byte) (uint32, [][]byte) {
				return length(8), [][]byte{padded(shortProbe, 128), x}
			}, short, false},
			{"no padding, and the length says so", func(x []byte) (uint32, [][]byte) {
				return length(64), [][]byte{longProbe[:64], x}
			}, long[:64-headers], false},
			{"no padding and no length", func(x []byte) (uint32, [][]byte) {
				return 0, [][]byte{longProbe[:64], x}
			}, long[:64-headers], true},
			{"nothing but headers and no length", func(x []byte) (uint32, [][]byte) {
				at := (headers + unit - 1) / unit * unit
				return 0, [][]byte{longProbe[:at], x}
			}, long[:(headers+unit-1)/unit*unit-headers], true},
			{"a length beyond the end, at 128", func(x []byte) (uint32, [][]byte) {
				return length(1000), [][]byte{padded(shortProbe, 128), x}
			}, short, true},
			{"a length within the extensions", func(x []byte) (uint32, [][]byte) {
				return length(136), [][]byte{padded(shortProbe, 128), x}
			}, short, true},
			{"a length before the extensions", func(x []byte) (uint32, [][]byte) {
				return length(128), [][]byte{padded(shortProbe, 160), x}
			}, short, true},
			{"a length of 0 with a long quote", func(x []byte) (uint32, [][]byte) {
				return 0, [][]byte{longProbe[:256], x}
			}, long[:256-headers], true},
		}
		for _, layout := range layouts {
			t.Run(f.name+" "+layout.name, func(t *testing.T) {
				for n := 1; n <= 8; n++ {
					stack := packet.AppendMPLSObject(nil, labels(n))
					other := packet.AppendInterfaceObject(nil, &packet.InterfaceInfo{Index: 7, Name: []byte("xe-0/0/1"), MTU: 9192})
					for variant, structure := range map[string]func() []byte{
						"as it should be":               func() []byte { return mpls(n) },
						"the version in the lower half": func() []byte { x := mpls(n); x[0] = 2; fixChecksum(x); return x },
						"no checksum":                   func() []byte { x := mpls(n); x[2], x[3] = 0, 0; return x },
						"another class before":          func() []byte { return packet.AppendExtensions(nil, slices.Concat(other, stack)) },
						"another class after":           func() []byte { return packet.AppendExtensions(nil, slices.Concat(stack, other)) },
						"other classes around": func() []byte {
							unknown := packet.AppendObject(nil, packet.Object{Class: 0xf7, CType: 1, Payload: []byte("private")})
							return packet.AppendExtensions(nil, slices.Concat(unknown, other, stack, unknown))
						},
					} {
						x := structure()
						want := labels(n)
						if layout.checksum && variant == "no checksum" {
							want = nil
						}
						word, body := layout.message(x)
						b := rawError(f.router, f.host, timeExceeded(f.host), word, body...)
						e, err := packet.DecodeICMPError(b, f.router, f.host)
						if err != nil {
							t.Fatal(err)
						}
						what := fmt.Sprintf("%d labels, %s", n, variant)
						diff(t, what, want, e.Extensions.AppendMPLS(nil))
						if want != nil {
							diff(t, what+": extensions", x, []byte(e.Extensions))
							diff(t, what+": payload", layout.quoted, e.Quote.Payload)
						}
						diff(t, what+": checksum of UDP", binary.BigEndian.Uint16(body[0][headers-2:]), e.Quote.Checksum)
					}
				}
			})
		}
	}
}

// fixChecksum makes the checksum of an extension structure right again.
func fixChecksum(x []byte) {
	x[2], x[3] = 0, 0
	binary.BigEndian.PutUint16(x[2:], packet.Checksum(x))
}

// What looks a bit like extensions is none, and the message is still good.
func TestExtensionsAreNotFound(t *testing.T) {
	valid := mpls(2)
	change := func(at int, to byte, fix bool) []byte {
		x := slices.Clone(valid)
		x[at] = to
		if fix {
			fixChecksum(x)
		}
		return x
	}
	bad := []struct {
		name string
		x    []byte
	}{
		{"nothing", nil},
		{"a header alone", unhex(t, "2000 dfff")},
		{"half an object header", unhex(t, "2000 0000 0004")},
		{"a wrong checksum", change(11, 0x55, false)},
		{"version 1", change(0, 0x10, true)},
		{"version 3", change(0, 0x30, true)},
		{"version 0", change(0, 0x00, true)},
		{"both halves wrong", change(0, 0x12, true)},
		{"an object of no length", change(5, 0, true)},
		{"an object of 3 bytes", change(5, 3, true)},
		{"an object that ends too early", change(5, 8, true)},
		{"an object that ends too late", change(5, 16, true)},
		{"a very long object", change(4, 0xff, true)},
		{"bytes behind the objects", append(slices.Clone(valid), 0, 0, 0)},
	}
	for _, f := range families {
		payload := []byte("payload")
		quote := padded(probe(f.host, f.target, 1, payload), 128)
		for _, tt := range bad {
			for name, word := range map[string]uint32{"compliant": lengthOf(f.host, 128), "legacy": 0, "short length": lengthOf(f.host, 64)} {
				t.Run(f.name+" "+name+" "+tt.name, func(t *testing.T) {
					b := rawError(f.router, f.host, timeExceeded(f.host), word, quote, tt.x)
					e, err := packet.DecodeICMPError(b, f.router, f.host)
					if err != nil {
						t.Fatal(err)
					}
					if e.Extensions != nil {
						t.Errorf("found %x", []byte(e.Extensions))
					}
					diff(t, "payload", payload, e.Quote.Payload)
				})
			}
		}
	}
}

// Our own payload comes back in quotes, and it must not come back as a label
// stack, whatever it is.
func TestPayloadIsNoExtension(t *testing.T) {
	x := mpls(3)
	noChecksum := slices.Clone(x)
	noChecksum[2], noChecksum[3] = 0, 0
	for _, f := range families {
		headers := 28
		if !f.host.Is4() {
			headers = 48
		}
		for _, tt := range []struct {
			name    string
			payload []byte
			quoted  func(b []byte) []byte
		}{
			{"all of the payload", x, func(b []byte) []byte { return b }},
			{"the end of the payload", slices.Concat(make([]byte, 8), x), func(b []byte) []byte { return b }},
			{"no checksum at 128, quoted whole", slices.Concat(make([]byte, 128-headers), noChecksum), func(b []byte) []byte { return b }},
			{"no checksum at 128, quoted as far", slices.Concat(make([]byte, 128-headers), noChecksum, make([]byte, 50)), func(b []byte) []byte { return b[:len(b)-50] }},
			{"no checksum, quoted as far", slices.Concat(make([]byte, 8), noChecksum, make([]byte, 50)), func(b []byte) []byte { return b[:len(b)-50] }},
			{"padding behind it", x, func(b []byte) []byte { return padded(b, 128) }},
		} {
			t.Run(f.name+" "+tt.name, func(t *testing.T) {
				quote := tt.quoted(probe(f.host, f.target, 1, tt.payload))
				e, err := packet.DecodeICMPError(rawError(f.router, f.host, timeExceeded(f.host), 0, quote), f.router, f.host)
				if err != nil {
					t.Fatal(err)
				}
				if e.Extensions != nil {
					t.Errorf("found %x", []byte(e.Extensions))
				}
				diff(t, "payload", tt.payload[:min(len(quote)-headers, len(tt.payload))], e.Quote.Payload)
			})
		}
	}
}

// Random payload of any length quoted to any length never has extensions.
func TestRandomPayloadIsNoExtension(t *testing.T) {
	r := random()
	for range 20000 {
		f := families[r.IntN(2)]
		b := probe(f.host, f.target, 1, randomBytes(r, 100+r.IntN(400)))
		b = b[:48+r.IntN(len(b)-47)]
		// The version is there more often than by chance.
		for at := 48; at < len(b); at += 8 {
			b[at] = 0x20
		}
		word := lengthOf(f.host, r.IntN(64)*8)
		e, err := packet.DecodeICMPError(rawError(f.router, f.host, timeExceeded(f.host), word, b), f.router, f.host)
		if err != nil {
			t.Fatal(err)
		}
		if e.Extensions != nil {
			t.Fatalf("found %x in %x", []byte(e.Extensions), b)
		}
	}
}

// Messages that cannot have extensions are not searched for any: what is there
// is quote (RFC 4884, section 4).
func TestOtherErrorsHaveNoExtensions(t *testing.T) {
	long := make([]byte, 400)
	quote := probe(hostV6, targetV6, 1, long)[:128]
	for _, typ := range []uint8{packet.ICMPv6PacketTooBig, packet.ICMPv6ParameterProblem} {
		b := rawError(routerV6, hostV6, typ, 1280, quote, mpls(1))
		e, err := packet.DecodeICMPError(b, routerV6, hostV6)
		if err != nil {
			t.Fatal(err)
		}
		if e.Extensions != nil || e.QuoteUnits != 0 {
			t.Errorf("type %d: found %x, length %d", typ, []byte(e.Extensions), e.QuoteUnits)
		}
		diff(t, "payload", len(quote)-48+len(mpls(1)), len(e.Quote.Payload))
		diff(t, "MTU and pointer", uint32(1280), e.MTU+e.Pointer)
	}
}

// A compliant length ends the quote even when there is nothing behind it that
// makes sense.
func TestLengthEndsTheQuote(t *testing.T) {
	for _, f := range families {
		quote := probe(f.host, f.target, 1, make([]byte, 400))[:128]
		b := rawError(f.router, f.host, timeExceeded(f.host), lengthOf(f.host, 128), quote, []byte("no extensions"))
		e, err := packet.DecodeICMPError(b, f.router, f.host)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "payload", len(quote)-len(probe(f.host, f.target, 1, nil)), len(e.Quote.Payload))
		if e.Extensions != nil {
			t.Errorf("found %x", []byte(e.Extensions))
		}
	}
}

// The search for extensions takes time that grows with the square of the
// length, so it has an end.
func TestSearchIsBounded(t *testing.T) {
	quote := probe(hostV4, targetV4, 1, make([]byte, 60000))
	body := slices.Concat(quote[:40000], mpls(1))
	e, err := packet.DecodeICMPError(rawError(routerV4, hostV4, 11, 0, body), routerV4, hostV4)
	if err != nil {
		t.Fatal(err)
	}
	if e.Extensions != nil {
		t.Errorf("searched %d bytes", len(body))
	}
	// But not where the length says.
	body = slices.Concat(quote[:1020], mpls(400))
	e, err = packet.DecodeICMPError(rawError(routerV4, hostV4, 11, lengthOf(hostV4, 1020), body), routerV4, hostV4)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "labels", 400, len(e.Extensions.AppendMPLS(nil)))
}

func FuzzDecodeICMPError(f *testing.F) {
	for name := range icmpCaptures {
		outer, body, err := packet.DecodeIP(capture(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, outer.Source.Is4())
	}
	for _, s := range families {
		quote := probe(s.host, s.target, 1, make([]byte, 200))
		for n := range 3 {
			var x []byte
			if n > 0 {
				x = mpls(n)
			}
			for _, layout := range []packet.Layout{packet.CompliantLayout, packet.LegacyLayout} {
				f.Add(packet.AppendICMPError(nil, s.router, s.host, timeExceeded(s.host), 0, 0, quote[:60], x, layout), s.host.Is4())
			}
		}
		f.Add(rawError(s.router, s.host, timeExceeded(s.host), lengthOf(s.host, 64), quote[:64], mpls(2)), s.host.Is4())
		f.Add(rawError(s.router, s.host, timeExceeded(s.host), 0, quote[:64], mpls(2)), s.host.Is4())
	}
	f.Fuzz(func(t *testing.T, b []byte, v4 bool) {
		s := families[0]
		if !v4 {
			s = families[1]
		}
		e, err := packet.DecodeICMPError(b, s.router, s.host)
		if err != nil {
			checkDecodable(t, err)
			return
		}
		if e.Quote.IP.Source.Is4() != v4 || !packet.IsICMPError(s.router, e.Type) {
			t.Fatalf("type %d with a quote from %v", e.Type, e.Quote.IP.Source)
		}
		if len(e.Extensions) == 0 {
			return
		}
		if e.Quote.IP.HeaderLength+len(e.Quote.Payload)+len(e.Extensions) > len(b)-8 {
			t.Fatalf("a quote of %d+%d bytes and %d of extensions in %d", e.Quote.IP.HeaderLength, len(e.Quote.Payload), len(e.Extensions), len(b))
		}
		// The structure is filled exactly.
		n := 4
		for o := range e.Extensions.Objects() {
			n += 4 + len(o.Payload)
		}
		diff(t, "objects", len(e.Extensions), n)
	})
}

// What is encoded is what is decoded, in both layouts.
func FuzzAppendICMPError(f *testing.F) {
	f.Add([]byte("payload"), []byte("object"), uint8(2), uint8(1), uint16(28), true, true)
	f.Add(make([]byte, 300), []byte{0x05, 0xdc, 0x1b, 0x01}, uint8(1), uint8(1), uint16(500), false, false)
	f.Add([]byte{}, []byte{}, uint8(0), uint8(0), uint16(0), true, false)
	f.Fuzz(func(t *testing.T, payload, object []byte, class, ctype uint8, cut uint16, v4, compliant bool) {
		if len(payload) > 60000 || len(object) > 60000 {
			return
		}
		s, layout, unit := families[0], packet.CompliantLayout, 4
		if !v4 {
			s, unit = families[1], 8
		}
		limit := 255 * unit
		if !compliant {
			layout, limit = packet.LegacyLayout, 128
		}
		quote := probe(s.host, s.target, 1, payload)
		headers := len(quote) - len(payload)
		quote = quote[:min(len(quote), headers+int(cut))]
		x := packet.AppendExtensions(nil, packet.AppendObject(nil, packet.Object{Class: class, CType: ctype, Payload: object}))
		b := packet.AppendICMPError(nil, s.router, s.host, timeExceeded(s.host), 0, 0, quote, x, layout)
		if !packet.ValidChecksum(b, s.router, s.host, s.icmp) {
			t.Fatal("not valid")
		}
		e, err := packet.DecodeICMPError(b, s.router, s.host)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "extensions", x, []byte(e.Extensions))
		want, err := packet.DecodeQuote(quote[:min(len(quote), limit)])
		if err != nil {
			t.Fatal(err)
		}
		// Padding cannot be told from what was cut off.
		got := e.Quote
		if !slices.Equal(got.Payload[:len(want.Payload)], want.Payload) {
			t.Fatalf("payload %x, want %x", got.Payload, want.Payload)
		}
		for _, c := range got.Payload[len(want.Payload):] {
			if c != 0 || len(quote) == headers+len(payload) {
				t.Fatalf("payload %x, want %x and padding", got.Payload, want.Payload)
			}
		}
		got.Payload, want.Payload = nil, nil
		diff(t, "quote", want, got)
	})
}
