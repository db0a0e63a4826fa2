// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"traceflow"
	"traceflow/packet"
)

// numbered is the packet with another IP ID, as the kernel would send it.
func numbered(b []byte, id uint16) []byte {
	return withHeader(b, func(h *packet.IP) { h.ID = id })
}

// remember tells r of a UDP packet.
func remember(r *renumbering, b []byte) {
	h, body, err := packet.DecodeIP(b)
	if err != nil {
		panic(err)
	}
	u, _, err := packet.DecodeUDP(body)
	if err != nil {
		panic(err)
	}
	r.sent(quotedPacket{
		netip.AddrPortFrom(h.Source, u.SourcePort), netip.AddrPortFrom(h.Destination, u.DestinationPort), u.Checksum,
	}, h.ID)
}

func TestRenumbering(t *testing.T) {
	id := identity{tag: newTag(0x1234, 0x5678), cookie: 42}
	ours := probePacket(false, id)
	theirs := probePacket(false, identity{tag: newTag(0x1234, 0x9999)})
	tests := []struct {
		name     string
		received []byte
		want     []byte // nil: the same
	}{
		{"whole quote", errorFrom(router4, packet.ICMPv4TimeExceeded, 0, numbered(ours, 9)), errorFrom(router4, packet.ICMPv4TimeExceeded, 0, ours)},
		{
			"short quote", errorFrom(router4, packet.ICMPv4DestinationUnreachable, 3, numbered(ours, 9)[:28]),
			errorFrom(router4, packet.ICMPv4DestinationUnreachable, 3, ours[:28]),
		},
		{"not one of ours", errorFrom(router4, packet.ICMPv4TimeExceeded, 0, numbered(theirs, 9)), nil},
		{"quote cut short", errorFrom(router4, packet.ICMPv4TimeExceeded, 0, numbered(ours, 9)[:27]), nil},
		{"not an error", numbered(ours, 9), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRenumbering()
			remember(r, ours)
			got := slices.Clone(tt.received)
			r.received(got)
			want := tt.want
			if want == nil {
				want = tt.received
			} else {
				// The quoted header's own checksum stays: routers leave it broken too.
				at := 20 + 8 + 10
				want = slices.Clone(want)
				copy(want[at:], tt.received[at:at+2])
				_, body, _ := packet.DecodeIP(want)
				binary.BigEndian.PutUint16(body[2:], 0)
				binary.BigEndian.PutUint16(body[2:], packet.Checksum(body))
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
		})
	}
}

// TestRenumberingReaches wants the engine to believe the reply.
func TestRenumberingReaches(t *testing.T) {
	id := identity{tag: newTag(0x1234, 0x5678), cookie: 42}
	r := newRenumbering()
	remember(r, probePacket(false, id))
	d := traceflow.Datagram{Data: errorFrom(router4, packet.ICMPv4TimeExceeded, 0, numbered(probePacket(false, id), 9))}
	r.received(d.Data)
	a, err := decodeAnswer(&d, true)
	if err != nil || a.tag != id.tag || a.cookie != id.cookie {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestRenumberingForgets(t *testing.T) {
	r := newRenumbering()
	from, to := netip.AddrPortFrom(here4, 1), netip.AddrPortFrom(far4, 2)
	for i := range maxRenumbered + 10 {
		r.sent(quotedPacket{netip.AddrPortFrom(here4, uint16(i>>16)), to, uint16(i)}, 7)
	}
	if len(r.ids) != maxRenumbered || len(r.recent) != maxRenumbered {
		t.Errorf("%d remembered in %d places, want %d", len(r.ids), len(r.recent), maxRenumbered)
	}
	if _, known := r.ids[quotedPacket{netip.AddrPortFrom(here4, 0), to, 9}]; known {
		t.Error("the tenth is still known")
	}
	if _, known := r.ids[quotedPacket{from, to, 9}]; !known {
		t.Error("the last is not known")
	}
}

func FuzzRenumbering(f *testing.F) {
	ours := probePacket(false, identity{tag: newTag(0x1234, 0x5678)})
	r := newRenumbering()
	remember(r, ours)
	f.Add(errorFrom(router4, packet.ICMPv4TimeExceeded, 0, numbered(ours, 9)))
	f.Add(errorFrom(router4, packet.ICMPv4TimeExceeded, 0, ours[:20]))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := slices.Clone(b)
		r.received(got)
		before, after := icmpQuoting(b), icmpQuoting(got)
		if !bytes.Equal(b, got) && (packet.Checksum(before) == 0) != (packet.Checksum(after) == 0) {
			t.Fatalf("%x became %x: the checksum is not what it was", b, got)
		}
	})
}
