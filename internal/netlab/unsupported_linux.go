// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"traceflow/internal/topology"
)

// Options change what Build accepts. The zero value is strict.
type Options struct {
	// IgnoreTiming builds the network without the delays and jitter of the
	// topology. Otherwise links take as long as it says (see wire), and jitter,
	// which nothing offers, is refused.
	IgnoreTiming bool
	// NoRoutes leaves the routes to others, such as daemons that run in the nodes
	// (package routing).
	NoRoutes bool
}

// UnsupportedError names what a topology asks for and a kernel cannot do.
type UnsupportedError struct {
	// Topology is the network's name; may be empty.
	Topology string
	// Behaviours has one entry for each node or edge and behaviour, such as
	// "node r1: MPLS labels".
	Behaviours []string
}

// Error names all behaviours.
func (e *UnsupportedError) Error() string {
	name := e.Topology
	if name == "" {
		name = "topology"
	}
	return fmt.Sprintf("%s: not possible with kernels: %s", name, strings.Join(e.Behaviours, "; "))
}

// Is reports whether target is errors.ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

// maxWeight is the largest weight of a next hop: rtnh_hops has 8 bits and
// holds the weight minus one.
const maxWeight = 256

// check returns an UnsupportedError for everything that a kernel cannot do,
// and an ordinary error for a topology that makes no sense.
func check(t *topology.Topology, opts Options) error {
	if err := checkShape(t); err != nil {
		return err
	}
	e := &UnsupportedError{Topology: t.Name}
	out := outgoing(t)
	for i := range t.Nodes {
		n := &t.Nodes[i]
		add := func(unsupported bool, behaviour string) {
			if unsupported {
				e.Behaviours = append(e.Behaviours, "node "+n.Name+": "+behaviour)
			}
		}
		add(n.QuoteLength != 0, "quote length")
		add(len(n.MPLS) != 0, "MPLS labels")
		add(n.Mangle != 0, "mangled quotes")
		add(n.AnswerDelay != 0 && !opts.IgnoreTiming, "answer delay")
		add(n.ZeroTTL, "forwarding with a TTL of 0")
		add(n.QuotedTTL != 0, "a quoted TTL of its own")
		add(n.Interface.Told(), "interface information")
		add(initialTTL(n) < 1, "a way back that no answer survives")
		add(n.NAT == topology.NATKeepChecksum || n.NAT == topology.NATKeepPort, "a NAT that leaves part of the quote translated")
		add(n.NAT != topology.NATNone && !n.NATKeepsPorts, "a NAT that translates ports in a known way")
		add(n.NATAddress4.IsValid() || n.NATAddress6.IsValid(), "an address of the NAT's own")
		add(n.UDP == topology.UDPOpen, "UDP server")
		add(n.UDP == topology.UDPQUIC, "QUIC server")
		add(n.TTLExpired, "time exceeded from the destination")
		add(i == t.Source && len(out[i]) > 1, "balancing by the vantage point, where the kernel hashes raw sockets without ports")
		if len(out[i]) > 1 {
			add(n.Balance == topology.PerPacket, "per-packet balancing")
			add(n.Hash != topology.Jenkins, "hash function by name")
		}
		if n.Limit.Burst != 0 {
			_, ok := limitRate(n.Limit)
			add(!ok, fmt.Sprintf("rate limit of %d and one each %v", n.Limit.Burst, n.Limit.Interval))
		}
	}
	for _, edge := range t.Edges {
		name := "edge " + t.Nodes[edge.From].Name + " " + t.Nodes[edge.To].Name
		if edge.Jitter != 0 && !opts.IgnoreTiming {
			e.Behaviours = append(e.Behaviours, name+": jitter")
		}
		if edge.Weight > maxWeight {
			e.Behaviours = append(e.Behaviours, fmt.Sprintf("%s: weight above %d", name, maxWeight))
		}
	}
	if len(e.Behaviours) > 0 {
		return e
	}
	return nil
}

// checkShape guards against panics; package topology validates in earnest.
func checkShape(t *topology.Topology) error {
	n := len(t.Nodes)
	if t.Source < 0 || t.Source >= n || t.Destination < 0 || t.Destination >= n || t.Source == t.Destination {
		return fmt.Errorf("%s: needs a source and a destination among its %d nodes", t.Name, n)
	}
	if !t.IPv4 && !t.IPv6 {
		return fmt.Errorf("%s: neither IPv4 nor IPv6", t.Name)
	}
	for i := range t.Nodes {
		node := &t.Nodes[i]
		if t.IPv4 && !node.Address4.Is4() || t.IPv6 && !node.Address6.Is6() {
			return fmt.Errorf("%s: node %s lacks an address", t.Name, node.Name)
		}
	}
	for _, e := range t.Edges {
		if e.From < 0 || e.From >= n || e.To < 0 || e.To >= n || e.From == e.To {
			return fmt.Errorf("%s: edge %d-%d leads nowhere", t.Name, e.From, e.To)
		}
	}
	if _, err := order(t); err != nil {
		return err
	}
	return nil
}

// kernelBurst is XRLIM_BURST_FACTOR: how many ICMP errors a kernel sends to
// one host at once, if kernelCredit, which a new host starts with, pays for so
// many (inet_peer_xrlim_allow in net/ipv4/icmp.c).
const (
	kernelBurst  = 6
	kernelCredit = time.Minute
)

// kernelLimit reports whether the kernel's own token bucket is this limit.
func kernelLimit(l topology.RateLimit) bool {
	return l.Burst == kernelBurst && l.Interval%time.Millisecond == 0 &&
		l.Interval >= time.Millisecond && l.Interval*kernelBurst <= kernelCredit
}

// limitRate returns the limit as nft writes a rate, a whole number in some
// unit of time.
func limitRate(l topology.RateLimit) (string, bool) {
	if l.Interval <= 0 || l.Burst < 0 {
		return "", false
	}
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"second", time.Second}, {"minute", time.Minute}, {"hour", time.Hour}} {
		if unit.length%l.Interval == 0 {
			return fmt.Sprintf("%d/%s", unit.length/l.Interval, unit.name), true
		}
	}
	return "", kernelLimit(l)
}
