// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"testing"

	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

// A SYN with maximum segment size and SACK permitted, as named pieces.
var tcpSYN = []string{
	/* ports            */ "9c40 01bb",
	/* sequence         */ "12345678",
	/* acknowledgment   */ "00000000",
	/* 7 words, SYN     */ "70 02",
	/* window           */ "faf0",
	/* checksum, urgent */ "abcd 0000",
	/* MSS 1460         */ "02 04 05b4",
	/* SACK, end        */ "04 02 00 00",
}

func TestDecodeTCP(t *testing.T) {
	tests := []struct {
		name    string
		pieces  []string
		want    packet.TCP
		payload string
	}{
		{
			"SYN with options", tcpSYN,
			packet.TCP{
				SourcePort: 40000, DestinationPort: 443, Sequence: 0x12345678, Flags: packet.FlagSYN,
				Window: 64240, Checksum: 0xabcd, Options: unhex(t, "020405b4 04020000"),
			},
			"",
		},
		{
			"RST and ACK",
			[]string{"01bb 9c40 00000000 12345679 50 14 0000 1234 0000"},
			packet.TCP{
				SourcePort: 443, DestinationPort: 40000, Acknowledgment: 0x12345679,
				Flags: packet.FlagRST | packet.FlagACK, Checksum: 0x1234,
			},
			"",
		},
		{
			"every flag, reserved bits, urgent data",
			[]string{"0001 0002 ffffffff fffffffe 5f ff ffff ffff 8000", "64617461"},
			packet.TCP{
				SourcePort: 1, DestinationPort: 2, Sequence: 0xffffffff, Acknowledgment: 0xfffffffe,
				Flags: packet.FlagFIN | packet.FlagSYN | packet.FlagRST | packet.FlagPSH | packet.FlagACK |
					packet.FlagURG | packet.FlagECE | packet.FlagCWR,
				Window: 0xffff, Checksum: 0xffff, Urgent: 0x8000,
			},
			"64617461",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, payload, err := packet.DecodeTCP(unhex(t, tt.pieces...))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "header", tt.want, got)
			diff(t, "payload", unhex(t, tt.payload), payload)
		})
	}
}

func TestDecodeTCPRefuses(t *testing.T) {
	const ports = "9c40 01bb 00000000 00000000"
	tests := []struct {
		name   string
		hex    string
		want   error
		offset int
	}{
		{"nothing", "", packet.ErrTruncated, 0},
		{"19 bytes", ports + "50 02 0000 0000 00", packet.ErrTruncated, 0},
		{"a header of no words", ports + "00 02 0000 0000 0000", packet.ErrMalformed, 12},
		{"a header of 4 words", ports + "40 02 0000 0000 0000", packet.ErrMalformed, 12},
		{"options that are not there", ports + "60 02 0000 0000 0000 000000", packet.ErrTruncated, 12},
		{"40 bytes of options that are not there", ports + "f0 02 0000 0000 0000" + zeros(39), packet.ErrTruncated, 12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := packet.DecodeTCP(unhex(t, tt.hex))
			checkError(t, err, tt.want, "TCP", tt.offset)
		})
	}
}

func TestAppendTCPPadsOptions(t *testing.T) {
	for n := range 41 {
		options := make([]byte, n)
		for i := range options {
			options[i] = 1
		}
		b := packet.AppendTCP(nil, hostV4, targetV4, &packet.TCP{Options: options}, []byte("data"))
		got, payload, err := packet.DecodeTCP(b)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "options", append(options, make([]byte, -n&3)...), got.Options)
		diff(t, "payload", []byte("data"), payload)
		if !packet.ValidChecksum(b, hostV4, targetV4, packet.ProtocolTCP) {
			t.Errorf("not valid with %d bytes of options", n)
		}
	}
	mustPanic(t, func() {
		packet.AppendTCP(nil, hostV4, targetV4, &packet.TCP{Options: make([]byte, 41)}, nil)
	})
}

func TestTCPAgreesWithGopacket(t *testing.T) {
	r := random()
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			v4 := f.host.Is4()
			for range 1000 {
				src, dst := randomAddr(r, v4), randomAddr(r, v4)
				payload := randomBytes(r, r.IntN(100))
				h := packet.TCP{
					SourcePort: uint16(r.Uint32()), DestinationPort: uint16(r.Uint32()),
					Sequence: r.Uint32(), Acknowledgment: r.Uint32(), Flags: packet.TCPFlags(r.Uint32()),
					Window: uint16(r.Uint32()), Urgent: uint16(r.Uint32()),
				}
				theirs := &layers.TCP{
					SrcPort: layers.TCPPort(h.SourcePort), DstPort: layers.TCPPort(h.DestinationPort),
					Seq: h.Sequence, Ack: h.Acknowledgment, Window: h.Window, Urgent: h.Urgent,
					FIN: h.Flags&packet.FlagFIN != 0, SYN: h.Flags&packet.FlagSYN != 0,
					RST: h.Flags&packet.FlagRST != 0, PSH: h.Flags&packet.FlagPSH != 0,
					ACK: h.Flags&packet.FlagACK != 0, URG: h.Flags&packet.FlagURG != 0,
					ECE: h.Flags&packet.FlagECE != 0, CWR: h.Flags&packet.FlagCWR != 0,
				}
				for range r.IntN(3) {
					data := randomBytes(r, 2*r.IntN(6))
					theirs.Options = append(theirs.Options, layers.TCPOption{OptionType: 253, OptionLength: uint8(2 + len(data)), OptionData: data})
					h.Options = append(append(h.Options, 253, uint8(2+len(data))), data...)
				}
				if err := theirs.SetNetworkLayerForChecksum(network(src, dst, packet.ProtocolTCP)); err != nil {
					t.Fatal(err)
				}
				want := serialize(t, theirs, gopacketPayload(payload))
				diff(t, "encoding", want, packet.AppendTCP(nil, src, dst, &h, payload))

				got, rest, err := packet.DecodeTCP(want)
				if err != nil {
					t.Fatal(err)
				}
				h.Options = append(h.Options, make([]byte, -len(h.Options)&3)...)
				h.Checksum = theirs.Checksum
				diff(t, "decoding", h, got)
				diff(t, "payload", payload, rest)
			}
		})
	}
}

func FuzzDecodeTCP(f *testing.F) {
	f.Add(unhex(f, tcpSYN...))
	f.Add(unhex(f, "01bb 9c40 00000000 12345679 50 14 0000 1234 0000 64617461"))
	f.Add(unhex(f, "01bb 9c40 00000000 12345679 f0 14 0000 1234 0000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, payload, err := packet.DecodeTCP(b)
		if err != nil {
			checkDecodable(t, err)
			return
		}
		if len(b) != 20+len(h.Options)+len(payload) {
			t.Fatalf("%d+%d bytes out of %d", len(h.Options), len(payload), len(b))
		}
		again := packet.AppendTCP(nil, hostV6, targetV6, &h, payload)
		h2, payload2, err := packet.DecodeTCP(again)
		if err != nil {
			t.Fatal(err)
		}
		h.Checksum = h2.Checksum
		diff(t, "decoding of the encoding", h, h2)
		diff(t, "payload", payload, payload2)
		// But for the reserved bits and the checksum, the bytes are the same.
		want := append([]byte(nil), b...)
		want[12] &= 0xf0
		copy(want[16:18], again[16:18])
		diff(t, "encoding of the decoding", want, again)
	})
}
