// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"traceflow/packet"
)

// capture reads a file of testdata/captures: hex, in which lines that begin
// with # name what follows. The first of them say where it comes from.
func capture(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "captures", name+".txt"))
	if err != nil {
		tb.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return b
}

// reading is what an odd reply must be read as.
type reading struct {
	Source, Destination netip.Addr
	TTL, TOS            uint8
	ID                  uint16
	SourcePort          uint16
	Checksum            uint16
	Payload             int // bytes
	Labels              []packet.LabelStackEntry
	Interfaces          []packet.InterfaceInfo
}

// plain is the reading of what is not odd: a quote of the probe of all
// captures that is like it was sent.
func plain(edit func(*reading)) reading {
	r := reading{
		Source: hostV4, Destination: targetV4, TTL: 1, ID: 0x1f3a, SourcePort: 40000, Checksum: 0x5a17, Payload: 19,
	}
	edit(&r)
	return r
}

// icmpCaptures are the files with an ICMP error.
var icmpCaptures = map[string]reading{
	"legacy-cisco": plain(func(r *reading) { r.Labels = []packet.LabelStackEntry{{Label: 24001, Bottom: true, TTL: 1}} }),
	"version-in-low-nibble": plain(func(r *reading) {
		r.Labels = []packet.LabelStackEntry{{Label: 16004, TTL: 1}, {Label: 24001, Bottom: true, TTL: 1}}
	}),
	"length-before-padding": plain(func(r *reading) {
		r.Payload, r.Labels = 40, []packet.LabelStackEntry{{Label: 299792, Bottom: true, TTL: 1}}
	}),
	"no-checksum": plain(func(r *reading) { r.Labels = []packet.LabelStackEntry{{Label: 3, Bottom: true, TTL: 255}} }),
	"short-original": plain(func(r *reading) {
		r.Payload, r.Labels = 0, []packet.LabelStackEntry{{Label: 24005, TC: 5, Bottom: true, TTL: 1}}
	}),
	"eight-bytes":                plain(func(r *reading) { r.Payload = 0 }),
	"byte-swapped-length":        plain(func(r *reading) { r.ID = 0x3a1f }),
	"quoted-destination-changed": plain(func(r *reading) { r.Destination, r.TTL = addr("198.51.100.99"), 5 }),
	"zero-ttl":                   plain(func(r *reading) { r.TTL = 0 }),
	"implicit-tunnel":            plain(func(r *reading) { r.TTL = 3 }),
	"opaque-tunnel":              plain(func(r *reading) { r.Labels = []packet.LabelStackEntry{{Label: 24017, Bottom: true, TTL: 251}} }),
	"untranslated-nat": plain(func(r *reading) {
		r.Source, r.SourcePort, r.Checksum = addr("203.0.113.100"), 50000, 0xb8a3
	}),
	"checksum-left": plain(func(r *reading) { r.Checksum = 0xb8a3 }),
	"dscp-bleached": plain(func(r *reading) { r.TOS = 1 }),
	"interface-linux": plain(func(r *reading) {
		r.Interfaces = []packet.InterfaceInfo{{Index: 3, Address: routerV4, Name: []byte("eth1"), MTU: 1500}}
	}),
	"interface-longest-name": plain(func(r *reading) {
		r.Labels = []packet.LabelStackEntry{{Label: 16004, Bottom: true, TTL: 1}}
		r.Interfaces = []packet.InterfaceInfo{
			{Index: 0x207, Name: []byte(strings.Repeat("a", 63))},
			{Role: packet.RoleNextHop, Address: addr("198.51.100.10")},
		}
	}),
	"ipv6-labels": plain(func(r *reading) {
		r.Source, r.Destination, r.ID, r.TOS = hostV6, targetV6, 0, 0x0b
		r.Labels = []packet.LabelStackEntry{{Label: 16004, TTL: 1}, {Label: 24001, TTL: 1}, {Label: 24002, Bottom: true, TTL: 1}}
	}),
	"ipv6-legacy-long-quote": plain(func(r *reading) {
		r.Source, r.Destination, r.ID, r.Payload = hostV6, targetV6, 0, 192
		r.Labels = []packet.LabelStackEntry{{Label: 24001, Bottom: true, TTL: 1}}
	}),
}

func TestCapturesOfErrors(t *testing.T) {
	for name, want := range icmpCaptures {
		t.Run(name, func(t *testing.T) {
			b := capture(t, name)
			outer, body, err := packet.DecodeIP(b)
			if err != nil {
				t.Fatal(err)
			}
			if !packet.ValidChecksum(body, outer.Source, outer.Destination, outer.Protocol) || outer.Length != len(b) {
				t.Error("no reply that a host would take: checksum or length")
			}
			if outer.Source.Is4() && packet.Checksum(b[:outer.HeaderLength]) != 0 {
				t.Error("no reply that a host would take: header checksum")
			}
			e, err := packet.DecodeICMPError(body, outer.Source, outer.Destination)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "reading", want, reading{
				Source: e.Quote.IP.Source, Destination: e.Quote.IP.Destination, TTL: e.Quote.IP.TTL, TOS: e.Quote.IP.TOS,
				ID: e.Quote.IP.ID, SourcePort: e.Quote.SourcePort, Checksum: e.Quote.Checksum, Payload: len(e.Quote.Payload),
				Labels: e.Extensions.AppendMPLS(nil), Interfaces: e.Extensions.AppendInterfaces(nil),
			})
		})
	}
}

// The two captures of one NAT tell the same of it.
func TestCapturesOfNAT(t *testing.T) {
	const sent, quoted = 0x5a17, 0xb8a3
	public := addr("203.0.113.100")
	port, ok := packet.TranslatedPort(packet.ChecksumDelta(sent, quoted), hostV4, public, 40000)
	diff(t, "translated port", []any{uint16(50000), true}, []any{port, ok})
}

func TestCaptureOfVersionNegotiation(t *testing.T) {
	v, err := packet.DecodeVersionNegotiation(capture(t, "quic-version-negotiation"))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "destination ID", unhex(t, "1112131415161718"), v.DestinationID)
	diff(t, "source ID", unhex(t, "0102030405060708"), v.SourceID)
	diff(t, "versions", []uint32{0x5a9ababa, 0x6b3343cf, 1}, v.AppendVersions(nil))
}

func TestCaptureOfSYNACK(t *testing.T) {
	h, payload, err := packet.DecodeTCP(capture(t, "tcp-syn-ack-linux"))
	if err != nil || len(payload) > 0 {
		t.Fatalf("%v, %d bytes of payload", err, len(payload))
	}
	value, echo, ok := h.Timestamps()
	diff(t, "timestamps", []any{uint32(0x1cafe001), uint32(0x00bada55), true}, []any{value, echo, ok})
}

// Every file is read by a test, and says where it comes from.
func TestCapturesInUse(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/*")
	if err != nil {
		t.Fatal(err)
	}
	others := []string{"quic-version-negotiation", "tcp-syn-ack-linux"}
	if len(files) != len(icmpCaptures)+len(others) {
		t.Errorf("%d files, %d are read", len(files), len(icmpCaptures)+len(others))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if _, ok := icmpCaptures[name]; !ok && !slices.Contains(others, name) {
			t.Errorf("%s belongs to no test", file)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if origin, _, _ := strings.Cut(string(text), "\n\n"); !strings.HasPrefix(origin, "# ") || !strings.HasSuffix(origin, ".") {
			t.Errorf("%s does not begin with a sentence about where it comes from", file)
		}
	}
}
