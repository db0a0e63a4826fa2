// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"traceflow/internal/topology"
)

// setting is one file under /proc/sys/net, which shows the namespace of the
// thread that opens it.
type setting struct {
	name, value string
	// optional settings are missing from older kernels, or belong to the
	// first namespace there.
	optional bool
}

const seedSetting = "ipv4/fib_multipath_hash_seed"

// settings returns what makes a fresh namespace into node i.
func settings(t *topology.Topology, i int) []setting {
	n := &t.Nodes[i]
	s := []setting{
		// Devices made later inherit "default"; rp_filter is the maximum of
		// "all" and the device's.
		{"ipv4/conf/all/rp_filter", "0", false},
		{"ipv4/conf/default/rp_filter", "0", false},
		{"ipv4/ip_forward", "1", false},
		{"ipv4/conf/all/send_redirects", "0", false},
		{"ipv4/conf/default/send_redirects", "0", false},
	}
	policy, fields := hashPolicy(n)
	s = append(s,
		setting{"ipv4/fib_multipath_hash_fields", fields, true},
		setting{"ipv4/fib_multipath_hash_policy", policy, false},
		// Since Linux 6.11, and of both families.
		setting{seedSetting, strconv.FormatUint(uint64(hashSeed(n, i)), 10), true},
	)
	if t.IPv6 {
		s = append(s,
			setting{"ipv6/conf/all/disable_ipv6", "0", false},
			setting{"ipv6/conf/default/disable_ipv6", "0", false},
			setting{"ipv6/conf/all/forwarding", "1", false},
			setting{"ipv6/conf/default/accept_dad", "0", false},
			setting{"ipv6/conf/default/accept_ra", "0", false},
			// No link-local addresses: next hops have permanent neighbour
			// entries, and without addresses there is no chatter.
			setting{"ipv6/conf/default/addr_gen_mode", "1", false},
			// Labels made from the socket's hash would make every node choose alike.
			setting{"ipv6/auto_flowlabels", "0", false},
			setting{"ipv6/fib_multipath_hash_fields", fields, true},
			setting{"ipv6/fib_multipath_hash_policy", policy, false},
		)
	}
	ttl := strconv.Itoa(initialTTL(n))
	s = append(s, setting{"ipv4/ip_default_ttl", ttl, false})
	if t.IPv6 {
		s = append(s,
			setting{"ipv6/conf/all/hop_limit", ttl, false},
			setting{"ipv6/conf/default/hop_limit", ttl, false},
		)
	}
	return append(s, limitSettings(t, n)...)
}

// initialTTL is that of the node's answers: hops that they travel further than
// the lab is long are taken off at once.
func initialTTL(n *topology.Node) int {
	const usual = 64
	ttl := int(n.ReplyTTL)
	if ttl == 0 {
		ttl = usual
	}
	return ttl - int(n.ReturnExtra)
}

// limitSettings lifts the kernel's limits on ICMP errors, or sets them to the
// node's when they can express it.
func limitSettings(t *topology.Topology, n *topology.Node) []setting {
	if n.Limit.Burst != 0 && kernelLimit(n.Limit) {
		interval := strconv.Itoa(int(n.Limit.Interval / time.Millisecond))
		const errorsOnly = "6168" // the kernel's default: of errors, not of echo replies
		s := []setting{{"ipv4/icmp_ratelimit", interval, false}, {"ipv4/icmp_ratemask", errorsOnly, false}}
		if t.IPv6 {
			s = append(s, setting{"ipv6/icmp/ratelimit", interval, false})
		}
		return s
	}
	s := []setting{
		{"ipv4/icmp_ratelimit", "0", false},
		{"ipv4/icmp_ratemask", "0", false},
		// Of the first namespace only in older kernels.
		{"ipv4/icmp_msgs_per_sec", "1000000", true},
		{"ipv4/icmp_msgs_burst", "100000", true},
	}
	if t.IPv6 {
		s = append(s, setting{"ipv6/icmp/ratelimit", "0", false})
	}
	return s
}

// hashPolicy returns fib_multipath_hash_policy and fib_multipath_hash_fields:
// policy 1 is the 5-tuple, as most Linux routers have it, policy 3 any fields.
func hashPolicy(n *topology.Node) (policy, fields string) {
	want := n.Fields
	if n.Balance == topology.PerDestination {
		want = topology.FieldDestination
	}
	if want == 0 || want == topology.FiveTuple {
		return "1", "7"
	}
	var bits int
	// The bits of FIB_MULTIPATH_HASH_FIELD_… (include/net/ip_fib.h).
	for _, f := range []struct {
		field topology.Fields
		bit   int
	}{
		{topology.FieldSource, 0x01},
		{topology.FieldDestination, 0x02},
		{topology.FieldProtocol, 0x04},
		{topology.FieldLabel, 0x08},
		{topology.FieldSourcePort, 0x10},
		{topology.FieldDestinationPort, 0x20},
	} {
		if want&f.field != 0 {
			bits |= f.bit
		}
	}
	return "3", strconv.Itoa(bits)
}

// hashSeed folds the node's seed to the 32 bits that the kernel takes. Zero
// would be a seed shared by all namespaces: consecutive nodes would polarise.
func hashSeed(n *topology.Node, i int) uint32 {
	if seed := uint32(n.HashSeed ^ n.HashSeed>>32); seed != 0 {
		return seed
	}
	return uint32(i)*2654435761 + 1 // Knuth's multiplier spreads small numbers
}

// apply writes the settings of the calling thread's namespace.
func apply(settings []setting) error {
	for _, s := range settings {
		err := os.WriteFile("/proc/sys/net/"+s.name, []byte(s.value), 0)
		if s.optional && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("set net/%s to %s: %w", s.name, s.value, err)
		}
	}
	return nil
}

// checkSeed refuses two balancers on a kernel that gives them one seed.
func checkSeed(t *topology.Topology) error {
	balancers := 0
	for _, out := range outgoing(t) {
		if len(out) > 1 {
			balancers++
		}
	}
	if balancers < 2 {
		return nil
	}
	if _, err := os.Stat("/proc/sys/net/" + seedSetting); err != nil {
		return &UnsupportedError{Topology: t.Name, Behaviours: []string{"hash seeds that differ from node to node before Linux 6.11"}}
	}
	return nil
}
