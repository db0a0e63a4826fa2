// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"traceflow"
	"traceflow/packet"
)

// natQuote is a quote of 8 bytes of a packet of IPv4 that a NAT has given
// another port, which stands in it, and another address, which does not.
func natQuote(sent []byte, port uint16, by uint16) answer {
	b := append([]byte(nil), sent[:28]...)
	binary.BigEndian.PutUint16(b[20:], port)
	binary.BigEndian.PutUint16(b[26:], uint16((int(binary.BigEndian.Uint16(b[26:]))+int(by))%0xffff))
	a, err := decodeAnswer(&traceflow.Datagram{Data: timeExceeded(liar4, b)}, true)
	if err != nil {
		panic(err)
	}
	return a
}

// TestStrayByTwo wants short quotes from behind a NAT to be believed from the
// second packet on that shows the same difference, and then both.
func TestStrayByTwo(t *testing.T) {
	out := newOutstanding() // whose first two are of one flow
	steps := []struct {
		name  string
		quote answer
		want  []*attempt
	}{
		{"the first says nothing yet", natQuote(out.sent[0], 5, 700), nil},
		{"nor does it twice", natQuote(out.sent[0], 5, 700), nil},
		{"nor another difference", natQuote(out.sent[1], 5, 701), nil},
		{"nor another port", natQuote(out.sent[1], 6, 700), nil},
		{"nor an ID that no packet has", natQuote(flip(out.sent[1], 5), 5, 700), nil},
		{"nor the same of another flow", natQuote(out.sent[2], 5, 700), nil},
		{"the second confirms", natQuote(out.sent[1], 5, 700), out.attempts[:2]},
		{"then one is enough", natQuote(out.sent[0], 5, 700), out.attempts[:1]},
	}
	for _, s := range steps {
		credits, _ := out.stray(&s.quote)
		if len(credits) != len(s.want) {
			t.Fatalf("%s: %d credits, want %d", s.name, len(credits), len(s.want))
		}
		for i, c := range credits {
			if c.to != s.want[i] {
				t.Errorf("%s: credit %d is not the packet's", s.name, i)
			}
		}
	}
}

// TestStrangers wants guesses about flows that a NAT has translated to be no
// longer believed after maxForged wrong ones, whatever they then guess, but for
// those that hold the cookie.
func TestStrangers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wrong  int
		length int // of the quote
		want   int // replies
	}{
		{"few guesses", maxForged - 1, 28, 1},
		{"many guesses", maxForged, 28, 0},
		{"many guesses, and a long quote", maxForged, 47, 1},
	} {
		out := newOutstanding()
		out.tripsTo(netip.MustParseAddr("198.18.0.9"))
		right := func(length int) answer {
			b := append([]byte(nil), out.sent[0]...)
			from := netip.MustParseAddrPort("198.18.0.1:33453")
			to := netip.MustParseAddrPort("203.0.113.5:5")
			copy(b[12:], to.Addr().AsSlice())
			binary.BigEndian.PutUint16(b[20:], to.Port())
			binary.BigEndian.PutUint16(b[26:], packet.TranslatedChecksum(binary.BigEndian.Uint16(b[26:]), from, to))
			a, err := decodeAnswer(&traceflow.Datagram{Data: timeExceeded(liar4, b[:length])}, true)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		for range tt.wrong {
			a := right(28)
			a.tag ^= 1 << 16
			out.match([]answer{a})
		}
		out.match([]answer{right(tt.length)})
		if got := out.Stats(); got.Replies != tt.want || got.Foreign != tt.wrong+1-tt.want {
			t.Errorf("%s: %+v, want %d replies", tt.name, got, tt.want)
		}
	}
}
