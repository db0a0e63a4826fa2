// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"slices"
	"time"

	"traceflow"
)

// MTU measures the path MTU of walks, one flow of each distinct path (RFC 1191,
// RFC 8201 and, for what vanishes, RFC 8899). Packets of many sizes that must
// not be fragmented go as far as the flow was answered; what is answered has
// got through.
//
// A size that is not answered has vanished only if a small packet of the same
// flow that was sent after it was answered, several times over: what is lost, or
// withheld by a rate limit, is so whatever its size.
type MTU struct {
	// Walks are the flows, one for each path.
	Walks []traceflow.Walk
	// Largest and Smallest are the sizes between which the answer is looked for,
	// in bytes with the IP header: what this host's interface can send, and what
	// the flows were seen to get through with.
	Largest, Smallest int
	// TimeLimit bounds the time taken; 0 is DefaultTimeLimit.
	TimeLimit time.Duration
}

const (
	// vanishings is how often a size has to vanish to be believed: at 20 % loss
	// of what small packets do not suffer, once in 125.
	vanishings = 3
	// mtuSizes is how many sizes are tried at once.
	mtuSizes = 8
	// limitedPause is how long to wait for a destination that answers nothing any
	// more: Linux answers one packet a second then.
	limitedPause = time.Second
	// deafRounds is after how many rounds without any answer a flow is given up.
	deafRounds = 5
)

// commonSizes are MTUs that links have: Ethernet, PPPoE, tunnels (GRE, IPsec,
// VXLAN, WireGuard), the least of IPv6 and of IPv4.
var commonSizes = []int{9000, 4352, 1500, 1492, 1480, 1476, 1472, 1460, 1450, 1440, 1420, 1400, 1380, 1350, 1280, 1006, 576}

// sizing is the search on one flow.
type sizing struct {
	walk traceflow.Walk
	ttl  int // how far packets go
	// low got through and high does not.
	low, high int
	said      int              // MTU that a router has told, to be tried
	vanished  map[int]int      // how often each size has
	refused   *traceflow.Reply // that a packet of the size high was too big
	refusedAt int              // TTL that it was sent with
	deaf      int              // rounds in a row without an answer
	// reached is, in a black hole, how far packets of the size high come.
	locating bool
	tries    int
	reached  int
	done     bool
	ceiling  int  // what high was at first
	local    bool // this host could not send a size
}

// Discover measures. What is known is valid with an error, which is that of the
// Prober.
func (m MTU) Discover(ctx context.Context, prober Prober) ([]traceflow.PathMTU, error) {
	if m.TimeLimit == 0 {
		m.TimeLimit = DefaultTimeLimit
	}
	// Where the destination answers any flow, packets of all can go as far.
	answers := slices.ContainsFunc(m.Walks, func(w traceflow.Walk) bool { return w.End == traceflow.EndReached })
	var all []*sizing
	for _, w := range m.Walks {
		last := w.LastAnswered()
		if answers && w.Reached() {
			last = w.Distance()
		}
		if n := len(w.Hops); n > 0 && w.Hops[n-1].Kind == traceflow.PacketTooBig {
			continue // not even the smallest gets through
		}
		if last > 0 {
			all = append(all, &sizing{walk: w, ttl: last, low: m.Smallest, high: m.Largest + 1, ceiling: m.Largest + 1, vanished: make(map[int]int)})
		}
	}
	started := time.Now()
	var err error
	for err == nil {
		var probes []traceflow.Probe
		from := make([]int, len(all)+1) // where the probes of each begin
		limited := false
		confirming := false
		for i, s := range all {
			from[i+1] = len(probes)
			if s.locating && s.tries == 0 && !s.done {
				if confirming {
					continue // one at a time: they may meet one router's limit
				}
				confirming, limited = true, true
			}
			probes = s.plan(probes)
			from[i+1] = len(probes)
			limited = limited || s.deaf > 0
		}
		if len(probes) == 0 || time.Since(started) > m.TimeLimit {
			break
		}
		if limited {
			if err = pause(ctx, limitedPause); err != nil {
				break
			}
		}
		var exchanges []traceflow.Exchange
		if exchanges, err = prober.Probe(ctx, probes); err != nil {
			break // what came back is not one exchange for each probe
		}
		replies := alignReplies(probes, exchanges)
		for i, s := range all {
			s.learn(probes[from[i]:from[i+1]], replies[from[i]:from[i+1]])
		}
	}
	out := make([]traceflow.PathMTU, len(all))
	for i, s := range all {
		out[i] = s.result(m.Largest)
	}
	return out, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// plan appends the flow's probes of the next round.
func (s *sizing) plan(probes []traceflow.Probe) []traceflow.Probe {
	if s.done {
		return probes
	}
	if s.locating && s.tries == 0 {
		// Alone and after a pause: a router that answers seldom may say now that
		// the packet is too big, and loss may let it through.
		return append(probes, s.probe(s.high, s.ttl), s.probe(s.low, s.ttl))
	}
	if s.locating {
		for ttl := int(s.walk.First); ttl < s.ttl; ttl++ {
			probes = append(probes, s.probe(s.high, ttl))
		}
		return probes
	}
	sizes := s.sizes()
	for _, size := range sizes {
		probes = append(probes, s.probe(size, s.ttl))
	}
	if s.high > s.low+1 || len(s.vanished) > 0 {
		probes = append(probes, s.probe(s.low, s.ttl)) // the control, after them
	}
	return probes
}

func (s *sizing) probe(size, ttl int) traceflow.Probe {
	return traceflow.Probe{Flow: s.walk.Flow, TTL: uint8(ttl), Size: size, DontFragment: true}
}

// sizes returns what to try next, the largest first.
func (s *sizing) sizes() []int {
	if s.said > s.low && s.said < s.high {
		return []int{s.said}
	}
	if s.high == s.low+1 {
		return nil
	}
	if len(s.vanished) == 0 && s.refused == nil && !s.local {
		return []int{s.high - 1} // all that the interface can send
	}
	// A router has told no MTU, or packets vanish: look between.
	var sizes []int
	for _, size := range commonSizes {
		for _, n := range []int{size, size + 1} {
			if n > s.low && n < s.high && len(sizes) < mtuSizes {
				sizes = append(sizes, n)
			}
		}
	}
	if room := s.high - s.low - 1; len(sizes) < 2 || room <= mtuSizes {
		sizes = nil
		for i := 1; i <= min(mtuSizes, room); i++ {
			sizes = append(sizes, s.low+(s.high-s.low)*i/(min(mtuSizes, room)+1))
		}
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	slices.Reverse(sizes)
	return sizes
}

// alignReplies returns for each probe the exchange that was answered, or the
// first; nil if it has none. exchanges has one or more for each probe, in their
// order.
func alignReplies(probes []traceflow.Probe, exchanges []traceflow.Exchange) []*traceflow.Exchange {
	out := make([]*traceflow.Exchange, len(probes))
	at := 0
	for i := range probes {
		for ; at < len(exchanges) && exchanges[at].Flow == probes[i].Flow.ID && exchanges[at].TTL == probes[i].TTL &&
			(out[i] == nil || exchanges[at].Attempt > 1); at++ {
			if out[i] == nil || exchanges[at].Reply.Kind.Answered() {
				out[i] = &exchanges[at]
			}
		}
	}
	return out
}

// learn takes in what the flow's probes of a round have brought.
func (s *sizing) learn(probes []traceflow.Probe, replies []*traceflow.Exchange) {
	if s.done {
		return
	}
	if s.locating {
		n := s.locate(probes, replies)
		if s.locating {
			return
		}
		probes, replies = probes[n:], replies[n:]
	}
	s.weigh(probes, replies)
}

// locate looks for the router behind which packets of the size s.high vanish.
// It returns how many replies it has looked at: all of them, unless one says
// that such packets do not vanish, which ends the locating.
func (s *sizing) locate(probes []traceflow.Probe, replies []*traceflow.Exchange) int {
	confirming, control := s.tries == 0, false
	for i, e := range replies {
		switch {
		case e == nil || !e.Reply.Kind.Answered():
		case e.Reply.Kind == traceflow.PacketTooBig:
			s.locating = false // the router had only been told to answer seldom
			s.tooBig(probes[i].Size, e)
			return i + 1
		case int(e.TTL) != s.ttl:
			s.reached = max(s.reached, int(e.TTL))
		case probes[i].Size == s.high: // loss, after all
			s.locating, s.low, s.high, s.vanished = false, s.high, s.ceiling, make(map[int]int)
			return i + 1
		default:
			control = true
		}
	}
	if s.deaf++; !confirming || control {
		s.tries, s.deaf = s.tries+1, 0
	}
	s.done = s.tries > vanishings || s.deaf >= deafRounds
	return len(replies)
}

// weigh takes in which sizes got through and which did not.
func (s *sizing) weigh(probes []traceflow.Probe, replies []*traceflow.Exchange) {
	answered := make(map[int]bool)
	var silent []int
	heard := false
	for i, e := range replies {
		size := probes[i].Size
		switch {
		case e == nil:
		case e.Reply.Kind == traceflow.PacketTooBig:
			heard = true
			s.tooBig(size, e)
		case e.Reply.Kind.Answered():
			heard = true
			answered[size] = true
			s.low = max(s.low, size)
		case e.Err != nil:
			s.local = true
			s.high = min(s.high, max(size, s.low+1)) // this host cannot send it
		default:
			silent = append(silent, size)
		}
	}
	if s.deaf++; heard {
		s.deaf = 0
	}
	s.settle(silent, answered)
}

// settle draws the round's conclusions.
func (s *sizing) settle(silent []int, answered map[int]bool) {
	control := len(answered) > 0
	for _, size := range silent {
		if size > s.low && control {
			s.vanished[size]++
			if s.vanished[size] >= vanishings && size < s.high {
				s.high, s.refused = size, nil // it is not what a router refuses that limits
			}
		}
	}
	switch {
	case s.deaf >= deafRounds:
		s.done = true
	case s.high > s.low+1:
	case s.refused == nil && s.vanished[s.high] >= vanishings:
		s.locating = true
	default:
		s.done = true
	}
	if s.refused != nil && s.said == s.low {
		s.done = true // as the router has said
	}
}

// tooBig takes in that a router refused a size.
func (s *sizing) tooBig(size int, e *traceflow.Exchange) {
	if size <= s.low {
		return // it got through at another time
	}
	if size < s.high || s.refused == nil {
		s.high = min(s.high, size)
		reply := e.Reply
		s.refused, s.refusedAt = &reply, int(e.TTL)
	}
	if told := int(e.Reply.MTU); told > s.low && told < s.high {
		s.said = told
	}
}

func (s *sizing) result(largest int) traceflow.PathMTU {
	m := traceflow.PathMTU{Flow: s.walk.Flow.ID, TTL: uint8(s.ttl), Bytes: s.low}
	switch {
	case s.low >= largest, s.local && s.high == s.low+1 && s.refused == nil && !s.locating:
		m.Whole, m.Sure = true, true
	case s.refused != nil:
		m.Sure = s.high == s.low+1 || s.said == s.low
		m.Limit, m.LimitTTL = s.refused.Address, s.limitTTL()
	case s.locating:
		m.Sure, m.BlackHole = s.done && s.tries > vanishings, true
		m.LimitTTL = uint8(s.reached)
		if i := s.reached - int(s.walk.First); i >= 0 && i < len(s.walk.Hops) {
			m.Limit = s.walk.Hops[i].Address
		}
	}
	return m
}

// limitTTL returns how far the router is that refused: where it answered the
// flow, or as the quoted TTL says.
func (s *sizing) limitTTL() uint8 {
	for i := range s.walk.Hops {
		if s.walk.Hops[i].Address == s.refused.Address {
			return s.walk.First + uint8(i)
		}
	}
	if q := int(s.refused.QuotedTTL); s.refused.HeaderQuoted && q >= 1 && q <= s.refusedAt {
		return uint8(s.refusedAt - q + 1)
	}
	return 0
}
