// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

func TestAppendSYNOptions(t *testing.T) {
	b := packet.AppendSYNOptions([]byte{0xaa}, 1460, 0x01020304, 7)
	want := unhex(
		t,
		/* what was there            */ "aa",
		/* maximum segment size 1460 */ "02 04 05b4",
		/* SACK permitted            */ "04 02",
		/* timestamps                */ "08 0a 01020304 00000000",
		/* no operation              */ "01",
		/* window scale              */ "03 03 07",
	)
	diff(t, "options", want, b)
	// An independent reader finds the same.
	segment := packet.AppendTCP(nil, hostV4, targetV4, &packet.TCP{Flags: packet.FlagSYN, Options: b[1:]}, nil)
	var theirs layers.TCP
	if err := theirs.DecodeFromBytes(segment, nopFeedback{}); err != nil {
		t.Fatal(err)
	}
	var kinds []layers.TCPOptionKind
	for _, o := range theirs.Options {
		kinds = append(kinds, o.OptionType)
	}
	diff(t, "kinds", []layers.TCPOptionKind{2, 4, 8, 1, 3}, kinds)
	ours, _, err := packet.DecodeTCP(segment)
	if err != nil {
		t.Fatal(err)
	}
	value, echo, ok := ours.Timestamps()
	diff(t, "timestamps", []any{uint32(0x01020304), uint32(0), true}, []any{value, echo, ok})
}

func TestTimestamps(t *testing.T) {
	const stamps = "08 0a 01020304 05060708"
	tests := []struct {
		name, hex string
		ok        bool
	}{
		{"no options", "", false},
		{"alone", stamps, true},
		{"after two of no operation", "01 01" + stamps, true},
		{"after others", "02 04 05b4 04 02" + stamps + "01 03 03 07", true},
		{"after one that is unknown", "fd 06 08 0a 08 0a" + stamps, true},
		{"after the end", "00" + stamps, false},
		{"twice: the first counts", stamps + "08 0a 00000000 00000000", true},
		{"another length", "08 09 01020304 050607", false},
		{"another length, and then one in order", "08 04 0102" + stamps, true},
		{"cut", "08 0a 01020304 050607", false},
		{"no length", "08", false},
		{"a length of 0 before it", "02 00" + stamps, false},
		{"a length of 1 before it", "02 01" + stamps, false},
		{"a length beyond the end before it", "02 ff" + stamps, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := packet.TCP{Options: unhex(t, tt.hex)}
			value, echo, ok := h.Timestamps()
			if ok != tt.ok || ok && (value != 0x01020304 || echo != 0x05060708) {
				t.Errorf("got %#x, %#x, %t; want %t", value, echo, ok, tt.ok)
			}
		})
	}
}

func FuzzTimestamps(f *testing.F) {
	f.Add(packet.AppendSYNOptions(nil, 1460, 1, 7))
	f.Add(unhex(f, "01 01 08 0a 01020304 05060708"))
	f.Add(unhex(f, "02 00 08 0a 01020304 05060708"))
	f.Add([]byte(strings.Repeat("\x01", 40)))
	f.Fuzz(func(t *testing.T, options []byte) {
		h := packet.TCP{Options: options}
		value, echo, ok := h.Timestamps()
		if !ok {
			diff(t, "nothing", []uint32{0, 0}, []uint32{value, echo})
			return
		}
		if !strings.Contains(string(options), "\x08\x0a") {
			t.Fatalf("timestamps %d %d in %x", value, echo, options)
		}
	})
}
