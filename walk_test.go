// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addr(n int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}) }

var far = addr(254)

// reply is an exchange of flow 1 that router n answered; 254 is the
// destination, 0 silence.
func reply(ttl, n, quoted int) Exchange {
	e := Exchange{Flow: 1, TTL: uint8(ttl), Attempt: 1}
	switch n {
	case 0:
	case 254:
		e.Reply = Reply{Kind: PortUnreachable, Address: far, HeaderQuoted: true, QuotedTTL: uint8(quoted)}
	default:
		e.Reply = Reply{Kind: TimeExceeded, Address: addr(n), HeaderQuoted: true, QuotedTTL: uint8(quoted)}
	}
	return e
}

func refused(ttl, n, quoted int) Exchange {
	e := reply(ttl, n, quoted)
	e.Reply.Kind = Unreachable
	return e
}

func failed(ttl int) Exchange {
	return Exchange{Flow: 1, TTL: uint8(ttl), Attempt: 1, Err: errors.New("no buffer space")}
}

// notAsked stands for a TTL that was not probed; 0 is silence.
const notAsked = -1

// hopsOf writes a walk's hops as numbers.
func hopsOf(w *Walk) []int {
	out := []int{}
	for _, h := range w.Hops {
		n := 0
		switch {
		case h.Kind == NotAsked:
			n = notAsked
		case h.Kind != NoReply:
			n = int(h.Address.As4()[3])
		}
		out = append(out, n)
	}
	return out
}

func TestNewWalk(t *testing.T) {
	tests := []struct {
		name      string
		first     uint8
		exchanges []Exchange
		end       End
		hops      []int
	}{
		{"nothing", 1, nil, EndUnknown, []int{}},
		{"plain", 1, []Exchange{reply(1, 1, 1), reply(2, 2, 1), reply(3, 254, 1)}, EndReached, []int{1, 2, 254}},
		{"any order", 1, []Exchange{reply(3, 254, 1), reply(1, 1, 1), reply(2, 2, 1)}, EndReached, []int{1, 2, 254}},
		{"beyond the end", 1, []Exchange{reply(1, 1, 1), reply(2, 254, 1), reply(3, 254, 2), reply(9, 254, 8)}, EndReached, []int{1, 254}},
		{"the end lost, quotes tell", 1, []Exchange{reply(1, 1, 1), reply(2, 0, 0), reply(3, 254, 2)}, EndReached, []int{1, 254}},
		{"the end lost, quotes do not", 1, []Exchange{reply(1, 1, 1), reply(2, 0, 0), reply(3, 254, 0)}, EndReached, []int{1, 0, 254}},
		{"only the scout, quotes tell", 1, []Exchange{reply(64, 254, 60)}, EndReached, []int{notAsked, notAsked, notAsked, notAsked, 254}},
		{"only the scout, quotes do not", 1, []Exchange{reply(64, 254, 1)}, EndUnknown, []int{}},
		{"quote of more than was sent", 1, []Exchange{reply(1, 1, 1), reply(2, 254, 9)}, EndReached, []int{1, 254}},
		{"quote nearer than a router", 1, []Exchange{reply(1, 1, 1), reply(2, 2, 1), reply(3, 254, 3)}, EndReached, []int{1, 2, 254}},
		{"refused", 1, []Exchange{reply(1, 1, 1), refused(2, 1, 1)}, EndUnreachable, []int{1, 1}},
		{"reached counts more than refused", 1, []Exchange{reply(1, 1, 1), refused(2, 2, 1), reply(3, 254, 1)}, EndReached, []int{1, 2, 254}},
		{"first TTL 3", 3, []Exchange{reply(3, 3, 1), reply(4, 254, 1)}, EndReached, []int{3, 254}},
		{"first TTL beyond the end", 5, []Exchange{reply(5, 254, 3)}, EndReached, nil},
		{"before the first TTL", 3, []Exchange{reply(1, 1, 1), reply(3, 3, 1)}, EndUnknown, []int{3}},
		{"silent end", 1, []Exchange{reply(1, 1, 1), reply(2, 0, 0), reply(3, 0, 0)}, EndUnknown, []int{1, 0, 0}},
		{"not sent", 1, []Exchange{failed(1), failed(2)}, EndNotSent, nil},
		{"a packet in between not sent", 1, []Exchange{reply(1, 1, 1), failed(2), reply(3, 3, 1), reply(4, 254, 0)}, EndReached, []int{1, 0, 3, 254}},
		{"TTL 255", 254, []Exchange{reply(254, 4, 1), reply(255, 254, 1)}, EndReached, []int{4, 254}},
		{"a later answer", 1, []Exchange{reply(1, 0, 0), reply(1, 1, 1), reply(1, 9, 1)}, EndUnknown, []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := NewWalk(Flow{ID: 1, Destination: far}, tt.first, tt.exchanges)
			if tt.name == "reached counts more than refused" {
				// A refusal is no hop, so there is nothing at its TTL.
				tt.hops = []int{1, 0, 254}
			}
			if w.End != tt.end {
				t.Errorf("end %v, want %v", w.End, tt.end)
			}
			want := tt.hops
			if want == nil {
				want = []int{}
			}
			if diff := cmp.Diff(want, hopsOf(&w)); diff != "" {
				t.Errorf("hops (-want +got)\n%s", diff)
			}
			if got := w.Distance(); got != int(tt.first)-1+len(want) && tt.name != "first TTL beyond the end" {
				t.Errorf("distance %d, want %d", got, int(tt.first)-1+len(want))
			}
		})
	}
}

// TestWalkEndWithoutQuote has a destination whose distance no quote tells. The
// TTL before the first answer from it is silent: a router's silence if the
// destination answers all else, a lost reply if it answers little.
func TestWalkEndWithoutQuote(t *testing.T) {
	router, destination := netip.MustParseAddr("198.51.100.4"), netip.MustParseAddr("203.0.113.9")
	reply := func(kind ReplyKind, from netip.Addr, ttl uint8) Reply {
		return Reply{Kind: kind, Address: from, TTL: ttl}
	}
	tests := []struct {
		name      string
		farSilent int // probes beyond, in vain
		want      int
	}{
		{"the destination answers all else", 0, 6},
		{"the destination answers little", 8, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var all []Exchange
			for ttl := uint8(1); ttl <= 4; ttl++ {
				all = append(all, Exchange{Flow: 1, TTL: ttl, Reply: reply(TimeExceeded, router, 64-ttl)})
			}
			for range 9 {
				all = append(all, Exchange{Flow: 1, TTL: 5})
			}
			// It comes back one hop further than router 4: TTL 5, as far as that tells.
			all = append(all, Exchange{Flow: 1, TTL: 6, Reply: reply(PortUnreachable, destination, 59)},
				Exchange{Flow: 1, TTL: 7, Reply: reply(PortUnreachable, destination, 59)})
			for range tt.farSilent {
				all = append(all, Exchange{Flow: 1, TTL: 7})
			}
			w := NewWalk(Flow{ID: 1, Destination: destination}, 1, all)
			if got := w.Distance(); w.End != EndReached || got != tt.want {
				t.Errorf("got %v at %d, want reached at %d", w.End, got, tt.want)
			}
		})
	}
}
