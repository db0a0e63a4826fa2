// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"bytes"
	"testing"

	"traceflow/packet"
)

func TestAppendQUICProbe(t *testing.T) {
	destination, source := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, [8]byte{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18}
	b := packet.AppendQUICProbe([]byte{0xaa}, destination, source, packet.QUICMinimum)
	want := unhex(
		t,
		/* what was there             */ "aa",
		/* long header, fixed bit     */ "c0",
		/* a reserved version         */ "1a2a3a4a",
		/* destination connection ID  */ "08 0102030405060708",
		/* source connection ID       */ "08 1112131415161718",
		/* padding to 1200            */ zeros(1200-23),
	)
	diff(t, "probe", want, b)
	// Where the engine writes.
	b = b[1:]
	diff(t, "destination ID", destination[:], b[packet.QUICDestinationID:packet.QUICSourceIDLength])
	diff(t, "length of the source ID", byte(8), b[packet.QUICSourceIDLength])
	diff(t, "source ID", source[:], b[packet.QUICSourceID:packet.QUICProbeHeader])
	if v := packet.QUICProbeVersion; v&0x0f0f0f0f != 0x0a0a0a0a {
		t.Errorf("version %#08x is not reserved", v)
	}
	if packet.QUICDestinationID%2 != 0 {
		t.Error("a checksum cannot be fixed up at an odd offset")
	}
	q, err := packet.DecodeQUIC(b)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "header", packet.QUIC{
		Version: packet.QUICProbeVersion, DestinationID: destination[:], SourceID: source[:], Rest: make([]byte, 1200-23),
	}, q)

	diff(t, "shortest", 23, len(packet.AppendQUICProbe(nil, destination, source, 23)))
	mustPanic(t, func() { packet.AppendQUICProbe(nil, destination, source, 22) })
}

func TestVersionNegotiation(t *testing.T) {
	tests := []struct {
		name                string
		destination, source []byte
		versions            []uint32
	}{
		{"one version", []byte("12345678"), []byte("abcdefgh"), []uint32{1}},
		{"several", []byte("12345678"), []byte("abcdefgh"), []uint32{0x6b3343cf, 1, 0xff00001d, 0x1a2a3a4a}},
		{"no connection IDs", nil, nil, []uint32{1}},
		{"connection IDs of later versions", bytes.Repeat([]byte{7}, 255), bytes.Repeat([]byte{8}, 21), []uint32{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := packet.AppendVersionNegotiation([]byte{0xaa}, tt.destination, tt.source, tt.versions...)
			v, err := packet.DecodeVersionNegotiation(b[1:])
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "destination ID", tt.destination, v.DestinationID)
			diff(t, "source ID", tt.source, v.SourceID)
			diff(t, "versions", tt.versions, v.AppendVersions(nil))
		})
	}
	diff(t, "bytes", unhex(t, "c0 00000000 02 6162 01 63 00000001 6b3343cf"),
		packet.AppendVersionNegotiation(nil, []byte("ab"), []byte("c"), 1, 0x6b3343cf))
	mustPanic(t, func() { packet.AppendVersionNegotiation(nil, make([]byte, 256), nil) })
	mustPanic(t, func() { packet.AppendVersionNegotiation(nil, nil, make([]byte, 256)) })
}

func TestDecodeVersionNegotiationRefuses(t *testing.T) {
	tests := []struct {
		name, hex string
		want      error
		offset    int
	}{
		{"nothing", "", packet.ErrTruncated, 0},
		{"5 bytes", "80 00000000", packet.ErrTruncated, 0},
		{"a short header", "40 00000000 00 00 00000001", packet.ErrMalformed, 0},
		{"version 1", "c0 00000001 00 00 00000001", packet.ErrMalformed, 1},
		{"a destination ID that is cut", "80 00000000 05 01020304", packet.ErrTruncated, 5},
		{"no source ID", "80 00000000 04 01020304", packet.ErrTruncated, 5},
		{"a source ID that is cut", "80 00000000 01 01 02 01", packet.ErrTruncated, 5},
		{"no versions", "80 00000000 01 01 01 02", packet.ErrMalformed, 7},
		{"half a version", "80 00000000 00 00 00000001 0000", packet.ErrTruncated, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := packet.DecodeVersionNegotiation(unhex(t, tt.hex))
			checkError(t, err, tt.want, "QUIC", tt.offset)
		})
	}
}

func FuzzDecodeQUIC(f *testing.F) {
	f.Add(packet.AppendQUICProbe(nil, [8]byte{1}, [8]byte{2}, 64))
	f.Add(packet.AppendVersionNegotiation(nil, []byte("12345678"), []byte("abcdefgh"), 1, 0x6b3343cf))
	f.Add(packet.AppendVersionNegotiation(nil, make([]byte, 255), nil, 1))
	f.Add(unhex(f, "80 00000000 01 01 02 01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := packet.DecodeQUIC(b)
		v, errNegotiation := packet.DecodeVersionNegotiation(b)
		if err != nil {
			checkDecodable(t, err)
			diff(t, "error", err, errNegotiation)
			return
		}
		if n := 7 + len(q.DestinationID) + len(q.SourceID) + len(q.Rest); n != len(b) {
			t.Fatalf("%d bytes out of %d", n, len(b))
		}
		if errNegotiation != nil {
			checkDecodable(t, errNegotiation)
			return
		}
		versions := v.AppendVersions(nil)
		if len(versions) == 0 || q.Version != 0 {
			t.Fatalf("version %d, %d versions", q.Version, len(versions))
		}
		again := packet.AppendVersionNegotiation(nil, v.DestinationID, v.SourceID, versions...)
		diff(t, "encoding of the decoding", b[1:], again[1:])
	})
}
