// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/probe"
)

// target is a destination with all that has to be known before sending.
type target struct {
	name     string
	address  netip.Addr
	local    probe.Local
	hostname string
	// network is that in memory, simulated its description; nil for the real one.
	network   *simnet.Network
	simulated *topology.Topology
}

func (t *target) ipv6() bool { return t.address.Is6() }

// flows returns the flows in the seed's way: source port base + i.
func (t *target) flows(o *traceOptions) []traceflow.Flow {
	flows := make([]traceflow.Flow, int(o.paths))
	for i := range flows {
		flows[i] = o.flow(t, i+1, o.sourcePort+i+1)
	}
	return flows
}

// findTargets resolves every destination and finds the way to it. It sends
// nothing but DNS queries.
func findTargets(ctx context.Context, o *traceOptions, args []string) ([]target, error) {
	if o.sim != "" {
		t, err := simulatedTarget(o, args)
		return []target{t}, err
	}
	if o.seed == 0 {
		o.seed = randomSeed()
	}
	var source netip.Addr
	if o.source != "" {
		source = netip.MustParseAddr(o.source) // validated
	}
	var targets []target
	for _, name := range args {
		address, err := resolve(ctx, o, name)
		if err != nil {
			return nil, err
		}
		if source.IsValid() && source.Is4() != address.Is4() {
			return nil, usagef("--source %s and destination %s are of different families", source, address)
		}
		local, err := probe.FindLocal(ctx, address, source, o.iface)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target{name: name, address: address, local: local, hostname: hostname()})
	}
	return targets, nil
}

// resolve returns the address to trace: the one given, or the first one of
// the name in the system's order of preference.
func resolve(ctx context.Context, o *traceOptions, name string) (netip.Addr, error) {
	network := "ip"
	switch {
	case o.ipv4:
		network = "ip4"
	case o.ipv6:
		network = "ip6"
	}
	if literal, err := netip.ParseAddr(name); err == nil {
		literal = literal.Unmap()
		switch {
		case o.ipv4 && !literal.Is4():
			return netip.Addr{}, usagef("-4 was given, but %s is an IPv6 address", literal)
		case o.ipv6 && literal.Is4():
			return netip.Addr{}, usagef("-6 was given, but %s is an IPv4 address", literal)
		}
		return literal, traceable(literal)
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	if err != nil {
		return netip.Addr{}, ofFamily(err, name, network)
	}
	address := addresses[0].Unmap()
	return address, traceable(address)
}

// familyError is a name that has no address of the family that was asked for, as
// far as the resolver says: it may have none at all.
type familyError struct{ name, network string }

func (e *familyError) Error() string {
	family, other := "IPv6", "-4"
	if e.network == "ip4" {
		family, other = "IPv4", "-6"
	}
	return fmt.Sprintf("cannot resolve %q: it has no %s address; check the spelling, or try %s", e.name, family, other)
}

// ofFamily is why a name did not resolve, if that may be the family's fault.
func ofFamily(err error, name, network string) error {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	_, isAddress := errors.AsType[*net.AddrError](err) // it has one of the other family
	if network != "ip" && (isAddress || isDNS && dns.IsNotFound) {
		return &familyError{name, network}
	}
	return err
}

// traceable refuses what no path of routers leads to one host of.
func traceable(address netip.Addr) error {
	switch {
	case address.IsUnspecified() || address.IsMulticast() || isBroadcast(address, localPrefixes()):
		return usagef("%s is not the address of one host", address)
	case address.IsLinkLocalUnicast() && address.Is6() || address.Zone() != "":
		return usagef("%s is on this link only: there is no path to trace", address)
	}
	return nil
}

// isBroadcast reports whether an address means every host of a network that
// this host is in.
func isBroadcast(address netip.Addr, local []netip.Prefix) bool {
	if !address.Is4() {
		return false
	}
	everywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("127.0.0.0/8")}
	return slices.ContainsFunc(append(everywhere, local...), func(p netip.Prefix) bool {
		if !p.Addr().Is4() || p.Bits() > 30 { // RFC 3021: the two of a /31 are hosts
			return false
		}
		last := p.Masked().Addr().As4()
		binary.BigEndian.PutUint32(last[:], binary.BigEndian.Uint32(last[:])|(1<<(32-p.Bits())-1))
		return address.As4() == last
	})
}

// localPrefixes are the networks of this host's interfaces, as far as known.
func localPrefixes() []netip.Prefix {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var prefixes []netip.Prefix
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}

// simulatedTarget is that of --sim. The destination may be left out; given, it has
// to be the topology's.
func simulatedTarget(o *traceOptions, args []string) (target, error) {
	network, err := openSimulated(o.sim, o.seed)
	if err != nil {
		return target{}, usage(err)
	}
	o.seed = network.topology.Seed
	to := &network.topology.Nodes[network.topology.Destination]
	destination := to.Name
	if len(args) == 1 {
		destination = args[0]
	}
	if !slices.Contains([]string{to.Name, to.Address4.String(), to.Address6.String()}, destination) {
		return target{}, usagef("destination %q is not in --sim %s, whose destination is %s", destination, o.sim, to.Name)
	}
	t, err := network.target(o, destination)
	t.name = to.Name
	return t, err
}

// simulated is the network of --sim, whose destination answers for its whole
// prefix.
type simulated struct {
	network  *simnet.Network
	topology *topology.Topology
}

// openSimulated loads it. A seed that is not 0 counts instead of its own.
func openSimulated(name string, seed uint64) (*simulated, error) {
	t, err := loadTopology(name)
	if err != nil {
		return nil, err
	}
	if seed != 0 {
		t.Seed = seed
	}
	return &simulated{simnet.New(t), t}, nil
}

// target returns the destination, or an address of its prefix.
func (s *simulated) target(o *traceOptions, name string) (target, error) {
	from, to := &s.topology.Nodes[s.topology.Source], &s.topology.Nodes[s.topology.Destination]
	t := target{name: cmp.Or(name, to.Name), hostname: from.Name, network: s.network, simulated: s.topology}
	t.address, t.local.Address = to.Address4, from.Address4
	if o.ipv6 || !s.topology.IPv4 {
		t.address, t.local.Address = to.Address6, from.Address6
	}
	if address, err := netip.ParseAddr(name); err == nil {
		prefix, err := to.AddressFor(address).Prefix(address.BitLen() - 8)
		if err != nil || !prefix.Contains(address) {
			return target{}, usagef("destination %s is not in --sim %s, which answers for %s", address, o.sim, prefix)
		}
		t.address, t.local.Address = address, from.AddressFor(address)
	} else if name != "" && name != to.Name {
		return target{}, usagef("destination %q is not in --sim %s, whose destination is %s", name, o.sim, to.Name)
	}
	if !t.address.IsValid() || o.ipv4 && !t.address.Is4() || o.ipv6 && t.address.Is4() {
		return target{}, usagef("--sim %s has no destination of that family", o.sim)
	}
	return t, nil
}

// loadTopology takes a built-in name first, so that a file in the current
// folder cannot stand in for one; ./NAME is the file.
func loadTopology(name string) (*topology.Topology, error) {
	if slices.Contains(topology.BuiltinNames(), name) {
		return topology.Builtin(name)
	}
	t, err := topology.Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--sim %s: no such file, and none of the built-in networks: %s",
			name, strings.Join(topology.BuiltinNames(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("--sim: %w", err)
	}
	return t, nil
}
