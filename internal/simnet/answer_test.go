// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// String is a reply as the tests want it: sender, ICMP type and code, quoted
// TTL, TTL on arrival, time.
func (r reply) String() string {
	return fmt.Sprintf("%s %d/%d q%d t%d %v", r.from, r.typ, r.code, r.e.Quote.IP.TTL, r.ip.TTL, r.after)
}

// TestAnswers sends a probe with each TTL from 1 to 5 and compares all that
// comes back. IPv6 differs in types and codes alone.
func TestAnswers(t *testing.T) {
	const line = "link s > a > b > d delay=1ms"
	tests := []struct {
		name, text string
		want, six  []string // six for IPv6
	}{
		{
			"plain", line,
			[]string{"a 11/0 q1 t64 2ms", "b 11/0 q1 t63 4ms", "d 3/3 q1 t62 6ms", "d 3/3 q2 t62 6ms", "d 3/3 q3 t62 6ms"},
			[]string{"a 3/0 q1 t64 2ms", "b 3/0 q1 t63 4ms", "d 1/4 q1 t62 6ms", "d 1/4 q2 t62 6ms", "d 1/4 q3 t62 6ms"},
		},
		{
			"silent", line + "; node a silent",
			[]string{"b 11/0 q1 t63 4ms", "d 3/3 q1 t62 6ms", "d 3/3 q2 t62 6ms", "d 3/3 q3 t62 6ms"},
			[]string{"b 3/0 q1 t63 4ms", "d 1/4 q1 t62 6ms", "d 1/4 q2 t62 6ms", "d 1/4 q3 t62 6ms"},
		},
		{
			"drop-udp", line + "; node d destination drop-udp",
			[]string{"a 11/0 q1 t64 2ms", "b 11/0 q1 t63 4ms"},
			[]string{"a 3/0 q1 t64 2ms", "b 3/0 q1 t63 4ms"},
		},
		{
			"silent destination", line + "; node d destination silent",
			[]string{"a 11/0 q1 t64 2ms", "b 11/0 q1 t63 4ms"},
			[]string{"a 3/0 q1 t64 2ms", "b 3/0 q1 t63 4ms"},
		},
		{
			"keep-ttl", line + "; node a keep-ttl",
			[]string{"b 11/0 q1 t64 4ms", "d 3/3 q1 t63 6ms", "d 3/3 q2 t63 6ms", "d 3/3 q3 t63 6ms", "d 3/3 q4 t63 6ms"},
			[]string{"b 3/0 q1 t64 4ms", "d 1/4 q1 t63 6ms", "d 1/4 q2 t63 6ms", "d 1/4 q3 t63 6ms", "d 1/4 q4 t63 6ms"},
		},
		{
			"reply-ttl", line + "; node a reply-ttl=255; node b reply-ttl=1; node d destination reply-ttl=3",
			[]string{"a 11/0 q1 t255 2ms", "d 3/3 q1 t1 6ms", "d 3/3 q2 t1 6ms", "d 3/3 q3 t1 6ms"},
			[]string{"a 3/0 q1 t255 2ms", "d 1/4 q1 t1 6ms", "d 1/4 q2 t1 6ms", "d 1/4 q3 t1 6ms"},
		},
		{
			"answer-delay", line + "; node a answer-delay=10ms",
			[]string{"b 11/0 q1 t63 4ms", "d 3/3 q1 t62 6ms", "d 3/3 q2 t62 6ms", "d 3/3 q3 t62 6ms", "a 11/0 q1 t64 12ms"},
			[]string{"b 3/0 q1 t63 4ms", "d 1/4 q1 t62 6ms", "d 1/4 q2 t62 6ms", "d 1/4 q3 t62 6ms", "a 3/0 q1 t64 12ms"},
		},
		{
			"duplicates", line + "; node b duplicates=2",
			[]string{
				"a 11/0 q1 t64 2ms", "b 11/0 q1 t63 4ms", "b 11/0 q1 t63 4ms", "b 11/0 q1 t63 4ms",
				"d 3/3 q1 t62 6ms", "d 3/3 q2 t62 6ms", "d 3/3 q3 t62 6ms",
			},
			[]string{
				"a 3/0 q1 t64 2ms", "b 3/0 q1 t63 4ms", "b 3/0 q1 t63 4ms", "b 3/0 q1 t63 4ms",
				"d 1/4 q1 t62 6ms", "d 1/4 q2 t62 6ms", "d 1/4 q3 t62 6ms",
			},
		},
		{
			"unreachable=host", line + "; node b unreachable=host",
			[]string{"a 11/0 q1 t64 2ms", "b 11/0 q1 t63 4ms", "b 3/1 q2 t63 4ms", "b 3/1 q3 t63 4ms", "b 3/1 q4 t63 4ms"},
			[]string{"a 3/0 q1 t64 2ms", "b 3/0 q1 t63 4ms", "b 1/3 q2 t63 4ms", "b 1/3 q3 t63 4ms", "b 1/3 q4 t63 4ms"},
		},
		{
			"unreachable=net", line + "; node a unreachable=net",
			[]string{"a 11/0 q1 t64 2ms", "a 3/0 q2 t64 2ms", "a 3/0 q3 t64 2ms", "a 3/0 q4 t64 2ms", "a 3/0 q5 t64 2ms"},
			[]string{"a 3/0 q1 t64 2ms", "a 1/0 q2 t64 2ms", "a 1/0 q3 t64 2ms", "a 1/0 q4 t64 2ms", "a 1/0 q5 t64 2ms"},
		},
		{
			"unreachable=prohibited", line + "; node a keep-ttl unreachable=prohibited",
			[]string{"a 3/13 q1 t64 2ms", "a 3/13 q2 t64 2ms", "a 3/13 q3 t64 2ms", "a 3/13 q4 t64 2ms", "a 3/13 q5 t64 2ms"},
			[]string{"a 1/1 q1 t64 2ms", "a 1/1 q2 t64 2ms", "a 1/1 q3 t64 2ms", "a 1/1 q4 t64 2ms", "a 1/1 q5 t64 2ms"},
		},
		{
			"nat=restore", line + "; node a nat=restore",
			[]string{"a 11/0 q1 t64 2ms", "b 11/0 q1 t63 4ms", "d 3/3 q1 t62 6ms", "d 3/3 q2 t62 6ms", "d 3/3 q3 t62 6ms"},
			[]string{"a 3/0 q1 t64 2ms", "b 3/0 q1 t63 4ms", "d 1/4 q1 t62 6ms", "d 1/4 q2 t62 6ms", "d 1/4 q3 t62 6ms"},
		},
		{
			"links of many delays", "link s > a delay=3ms; link a > b delay=50us; link b > d delay=1s",
			[]string{"a 11/0 q1 t64 6ms", "b 11/0 q1 t63 6.1ms", "d 3/3 q1 t62 2.0061s", "d 3/3 q2 t62 2.0061s", "d 3/3 q3 t62 2.0061s"},
			[]string{"a 3/0 q1 t64 6ms", "b 3/0 q1 t63 6.1ms", "d 1/4 q1 t62 2.0061s", "d 1/4 q2 t62 2.0061s", "d 1/4 q3 t62 2.0061s"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, tt.text)
				f := flow(top, 4000, v6)
				var packets [][]byte
				for ttl := range uint8(5) {
					packets = append(packets, probe(f, ttl+1, 12))
				}
				var got []string
				for _, r := range exchange(t, top, packets...) {
					got = append(got, r.String())
					sent := packets[0]
					q := r.e.Quote
					if q.IP.Source != f.Source || q.IP.Destination != f.Destination || q.SourcePort != 4000 || r.ip.Destination != f.Source {
						t.Errorf("%v: quotes %+v", r, q)
					}
					quoted := slices.Clone(r.body[8:])
					h := r.ip.HeaderLength // as long as that of the probe
					if string(quoted[h:]) != string(sent[h:]) {
						t.Errorf("%v: quotes %x of %x", r, quoted, sent)
					}
					if !v6 && packet.Checksum(quoted[:20]) != 0 {
						t.Errorf("%v: header checksum of the quote is wrong", r)
					}
				}
				want := tt.want
				if v6 {
					want = tt.six
				}
				if !slices.Equal(got, want) {
					t.Errorf("\n got %q\nwant %q", got, want)
				}
			})
		})
	}
}

// TestNoAnswer holds packets that no network answers.
func TestNoAnswer(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		top := topologytest.Parse(t, "link s > a > d")
		f := flow(top, 4000, v6)
		elsewhere := f
		elsewhere.Destination = netip.MustParseAddr("203.0.113.1")
		if v6 {
			elsewhere.Destination = netip.MustParseAddr("2001:db8:1::1")
		}
		wrong := probe(f, 9, 12)
		wrong[len(wrong)-1]++ // UDP checksum
		short := probe(f, 9, 12)
		short[len(short)-12-3]++ // UDP length
		other := probe(f, 9, 12)
		h := packet.IP{Source: f.Source, Destination: f.Destination, Protocol: 132, TTL: 9}
		other = append(packet.AppendIP(other[:0], &h, 12), make([]byte, 12)...)
		answered := exchange(t, top, probe(f, 1, 12))[0]
		h = packet.IP{Source: f.Source, Destination: f.Destination, Protocol: answered.ip.Protocol, TTL: 1}
		icmpError := append(packet.AppendIP(nil, &h, len(answered.body)), answered.body...)
		for _, r := range exchange(t, top, probe(elsewhere, 9, 12), probe(elsewhere, 1, 12), wrong, short, other, icmpError) {
			t.Errorf("answered: %v", r)
		}
	})
}

// TestOneFamily sends the family that the network has not.
func TestOneFamily(t *testing.T) {
	whole := topologytest.Parse(t, "link s > a > d")
	for family, v6 := range map[string]bool{"4": true, "6": false} {
		top := topologytest.Parse(t, "family "+family+"; link s > a > d")
		if got := exchange(t, top, probe(flow(whole, 1, v6), 1, 2)); len(got) != 0 {
			t.Errorf("a network of family %s answers %v", family, got)
		}
		if got := exchange(t, top, probe(flow(whole, 1, !v6), 1, 2)); len(got) != 1 {
			t.Errorf("a network of family %s answers %v", family, got)
		}
	}
}

// TestLimit sends 10 probes at once and then one every 400 ms: six are
// answered at once, then one each second.
func TestLimit(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		top := topologytest.Parse(t, "node a limit=6/1s; link s > a > d delay=1ms")
		packet := probe(flow(top, 1, v6), 1, 2)
		synctest.Test(t, func(t *testing.T) {
			w := New(top).Open()
			start := time.Now()
			for range 10 {
				send(t, w, packet)
			}
			go func() {
				for range 10 {
					time.Sleep(400 * ms)
					send(t, w, packet)
				}
			}()
			var got []time.Duration
			for _, d := range collect(t, w, time.Minute) {
				got = append(got, d.Time.Sub(start))
			}
			// The bucket fills from the first answer on, so the seventh is earned
			// after one second: the probe of 1.2 s. Its change of 200 ms counts for
			// the next one.
			want := []time.Duration{2 * ms, 2 * ms, 2 * ms, 2 * ms, 2 * ms, 2 * ms, 1202 * ms, 2002 * ms, 3202 * ms, 4002 * ms}
			if !slices.Equal(got, want) {
				t.Errorf("\n got %v\nwant %v", got, want)
			}
		})
	})
}

// TestLimitOfFamilies sees that each family has its own bucket, and that
// answers that are no errors need none.
func TestLimitOfFamilies(t *testing.T) {
	top := topologytest.Parse(t, "node d destination limit=1/1s; link s > a > d")
	four, six := flow(top, 1, false), flow(top, 1, true)
	echo := echoRequest(four, "hello")
	got := exchange(t, top, probe(four, 9, 2), probe(four, 9, 2), probe(six, 9, 2), probe(six, 9, 2), echo, echo)
	if len(got) != 4 {
		t.Errorf("%d answers, want one error of each family and two echo replies", len(got))
	}
}

func TestReplyLoss(t *testing.T) {
	top := topologytest.Parse(t, "node a reply-loss=30%; link s > a > d")
	both(t, func(t *testing.T, v6 bool) {
		var packets [][]byte
		for port := range uint16(2000) {
			packets = append(packets, probe(flow(top, port+1, v6), 1, 2), probe(flow(top, port+1, v6), 2, 2))
		}
		counts := map[string]int{}
		for _, r := range exchange(t, top, packets...) {
			counts[r.from]++
		}
		if counts["d"] != 2000 || counts["a"] < 1320 || counts["a"] > 1480 {
			t.Errorf("with 30 %% reply loss at a, 2000 probes each drew %v", counts)
		}
	})
}

func TestForwardLoss(t *testing.T) {
	top := topologytest.Parse(t, "node a forward-loss=5%; link s > a > d")
	var packets [][]byte
	for port := range uint16(2000) {
		packets = append(packets, probe(flow(top, port+1, false), 1, 2), probe(flow(top, port+1, false), 2, 2))
	}
	counts := map[string]int{}
	for _, r := range exchange(t, top, packets...) {
		counts[r.from]++
	}
	if counts["a"] != 2000 || counts["d"] < 1850 || counts["d"] > 1950 {
		t.Errorf("with 5 %% forward loss at a, 2000 probes each drew %v", counts)
	}
}

func TestJitter(t *testing.T) {
	top := topologytest.Parse(t, "link s > a > d delay=1ms jitter=100us")
	var packets [][]byte
	for port := range uint16(500) {
		packets = append(packets, probe(flow(top, port+1, false), 2, 2))
	}
	low, high := time.Hour, time.Duration(0)
	for _, r := range exchange(t, top, packets...) {
		low, high = min(low, r.after), max(high, r.after)
	}
	if low < 4*ms || low > 4*ms+80*time.Microsecond || high > 4*ms+400*time.Microsecond || high < 4*ms+320*time.Microsecond {
		t.Errorf("four crossings of 1 ms with 100 µs jitter took %v to %v", low, high)
	}
}

// TestRepeats sees that the seed settles all chance.
func TestRepeats(t *testing.T) {
	run := func(seed string) (times []time.Duration) {
		top := topologytest.Parse(t, "seed "+seed+"; node a reply-loss=50%; link s > a > d jitter=1ms")
		var packets [][]byte
		for port := range uint16(50) {
			packets = append(packets, probe(flow(top, port+1, false), 1, 2))
		}
		for _, r := range exchange(t, top, packets...) {
			times = append(times, r.after)
		}
		return times
	}
	if first := run("1"); !slices.Equal(first, run("1")) || slices.Equal(first, run("2")) {
		t.Error("the same seed gives other times, or another seed the same")
	}
}

func TestPerPacket(t *testing.T) {
	top := topologytest.Parse(t, "node r balance=packet; link s > r > a b*2 c > d")
	var packets [][]byte
	for range 8 {
		packets = append(packets, probe(flow(top, 7, false), 2, 2))
	}
	got := ""
	for _, r := range exchange(t, top, packets...) {
		got += r.from
	}
	if got != "abbcabbc" {
		t.Errorf("in turn with weights 1, 2, 1: %s", got)
	}
}
