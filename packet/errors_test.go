// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"errors"
	"testing"

	"traceflow/packet"
)

func TestDecodeErrorSaysWhere(t *testing.T) {
	tests := []struct {
		name string
		err  packet.DecodeError
		want string
	}{
		{"truncated", packet.DecodeError{Layer: "UDP", Offset: 0, Err: packet.ErrTruncated}, "packet: UDP at byte 0: truncated"},
		{"malformed", packet.DecodeError{Layer: "TCP", Offset: 12, Err: packet.ErrMalformed}, "packet: TCP at byte 12: malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever counts broken packets asks for the kind with errors.Is and for the
// place with errors.As, through whatever wrapped the error since.
func TestDecodeErrorUnwraps(t *testing.T) {
	_, _, err := packet.DecodeUDP(nil)
	err = errors.Join(errors.New("receive"), err)
	if !errors.Is(err, packet.ErrTruncated) {
		t.Errorf("%v is not ErrTruncated", err)
	}
	if errors.Is(err, packet.ErrMalformed) {
		t.Errorf("%v is ErrMalformed", err)
	}
	checkError(t, err, packet.ErrTruncated, "UDP", 0)
}

// A decoder that fails returns nothing else, so that nobody works with half a
// header.
func TestDecodersReturnNothingWithAnError(t *testing.T) {
	tcp := unhex(t, "0050c350 00000001 00000002 f0020000 00000000")
	fragment := unhex(t, "4500001c 00010001 40110000", hexHostV4, hexTargetV4, "82358235 00080000")
	tests := []struct {
		name   string
		decode func() (got, zero any, err error)
	}{
		{"IP", func() (any, any, error) {
			h, p, err := packet.DecodeIP(unhex(t, "4600001c 00000000 40110000", hexHostV4, hexTargetV4))
			return []any{h, p}, []any{packet.IP{}, []byte(nil)}, err
		}},
		{"UDP", func() (any, any, error) {
			u, p, err := packet.DecodeUDP(unhex(t, "8235 8235 0007 0000"))
			return []any{u, p}, []any{packet.UDP{}, []byte(nil)}, err
		}},
		{"TCP", func() (any, any, error) {
			s, p, err := packet.DecodeTCP(tcp)
			return []any{s, p}, []any{packet.TCP{}, []byte(nil)}, err
		}},
		{"ICMP", func() (any, any, error) {
			m, err := packet.DecodeICMP(tcp[:7], hostV4, targetV4)
			return m, packet.ICMP{}, err
		}},
		{"ICMP error", func() (any, any, error) {
			e, err := packet.DecodeICMPError(append(unhex(t, "0b00 0000 00000000"), fragment...), hostV4, targetV4)
			return e, packet.ICMPError{}, err
		}},
		{"quote", func() (any, any, error) {
			q, err := packet.DecodeQuote(fragment)
			return q, packet.Quote{}, err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, zero, err := tt.decode()
			if err == nil {
				t.Fatal("no error")
			}
			checkDecodable(t, err)
			diff(t, "result beside an error", zero, got)
		})
	}
}
