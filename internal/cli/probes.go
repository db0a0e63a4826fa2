// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"traceflow"
	"traceflow/discover"
	"traceflow/probe"
)

// probeOptions are the flags that say what a probe is.
type probeOptions struct {
	udp, tcp, icmp, quic        bool
	sourcePort, destinationPort int
	class, ecn                  string
	tos                         uint8 // what follows from these
	size                        int
	dontFragment, mtu           bool
}

// The destination ports where none is given. That of UDP is the seed's.
const (
	defaultUDPPort = 33452
	defaultTCPPort = 443
)

// addFlags adds the flags to a command.
func (o *probeOptions) addFlags(f *pflag.FlagSet) {
	f.BoolVarP(&o.udp, "udp", "U", false, "probe with UDP datagrams (the default)")
	f.BoolVarP(&o.tcp, "tcp", "T", false, "probe with TCP SYNs")
	f.BoolVarP(&o.icmp, "icmp", "I", false, "probe with ICMP echo requests")
	f.BoolVar(&o.quic, "quic", false, "probe with QUIC packets that servers answer")
	f.IntVar(&o.sourcePort, "srcport", 33452, "source `port` base; flow i: port + i")
	f.IntVarP(&o.destinationPort, "dstport", "p", 0, "destination `port` (UDP 33452, TCP and QUIC 443)")
	f.StringVarP(&o.class, "tos", "t", "", "traffic `class`: a DSCP as ef, af41, cs1; or 0 to 255")
	f.StringVar(&o.ecn, "ecn", "", "its two ECN `bits`: ect0, ect1, ce")
	f.IntVar(&o.size, "size", 0, "`bytes` of a packet, IP header included")
	f.BoolVarP(&o.dontFragment, "dont-fragment", "F", false, "forbid routers to fragment probes")
	f.BoolVar(&o.mtu, "mtu", false, "measure the MTU of every path, too")
}

// protocol returns what probes are of.
func (o *probeOptions) protocol() traceflow.Protocol {
	switch {
	case o.tcp:
		return traceflow.ProtocolTCP
	case o.icmp:
		return traceflow.ProtocolICMP
	}
	return traceflow.ProtocolUDP
}

// validate refuses what makes no probe, and fills in what follows from other
// flags.
func (o *probeOptions) validate(given func(string) bool, vary string) error {
	chosen := slices.DeleteFunc([]string{"udp", "tcp", "icmp"}, func(flag string) bool { return !given(flag) })
	switch {
	case len(chosen) > 1:
		return fmt.Errorf("--%s and --%s contradict each other", chosen[0], chosen[1])
	case o.quic && (o.tcp || o.icmp):
		return fmt.Errorf("--quic is UDP, and --%s is not", o.protocol())
	case o.mtu && given("size"):
		return errors.New("--mtu and --size contradict each other: --mtu tries many sizes")
	case o.icmp:
		for _, flag := range []string{"srcport", "dstport"} {
			if given(flag) {
				return fmt.Errorf("--icmp and --%s contradict each other: ICMP has no ports (its flows differ in their checksum)", flag)
			}
		}
		if axis := discover.Axis(vary); axis == discover.VaryDestinationPort || axis == discover.VaryBothPorts {
			return fmt.Errorf("--icmp and --vary %s contradict each other: ICMP has no ports (its flows differ in their checksum)", vary)
		}
	case o.tcp && o.mtu:
		return errors.New("--tcp and --mtu contradict each other: a SYN carries no data; use --udp or --icmp")
	case o.tcp && given("size"):
		return errors.New("--tcp and --size contradict each other: a SYN carries no data")
	}
	o.dontFragment = o.dontFragment || o.mtu
	if !given("dstport") {
		o.destinationPort = defaultUDPPort
		switch {
		case o.icmp:
			o.destinationPort = 0
		case o.tcp || o.quic:
			o.destinationPort = defaultTCPPort
		}
	}
	return o.validateClass()
}

// validateClass puts the traffic class together.
func (o *probeOptions) validateClass() error {
	if dscp, ok := dscpNames[strings.ToLower(o.class)]; ok {
		o.tos = dscp << 2
	} else if o.class != "" {
		n, err := strconv.ParseUint(o.class, 0, 8)
		if err != nil {
			return fmt.Errorf("--tos %q is neither 0 to 255 nor a DSCP: cs0 to cs7, af11 to af43, ef, va, le", o.class)
		}
		o.tos = uint8(n)
	}
	if o.ecn == "" {
		return nil
	}
	bits, ok := ecnNames[strings.ToLower(o.ecn)]
	switch {
	case !ok:
		return fmt.Errorf("--ecn %q is none of ect0, ect1, ce", o.ecn)
	case o.tos&3 != 0:
		return fmt.Errorf("--tos %s and --ecn %s both set the ECN bits: give one of them", o.class, o.ecn)
	}
	o.tos |= bits
	return nil
}

// ecnBits are those of the traffic class that are not the DSCP.
const ecnBits = 3

// dscpNames are those of RFC 2474, 2597, 3246, 5865 and 8622; ecnNames those of
// RFC 3168, section 5.
var (
	dscpNames = map[string]uint8{
		"cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56,
		"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22,
		"af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
		"ef": 46, "va": 44, "le": 1,
	}
	ecnNames = map[string]uint8{"ect1": 1, "ect0": 2, "ce": 3}
)

// validateSize refuses sizes that hold no probe of the target's family.
func (o *probeOptions) validateSize(given bool, ipv6 bool) error {
	smallest := probe.SmallestSize(o.protocol(), ipv6, o.quic)
	if given && (o.size < smallest || o.size > 65535) {
		return usagef("--size %d: a packet that can be recognised has %d to 65535 bytes here", o.size, smallest)
	}
	return nil
}

// flow returns flow id to a target from a source port, or with ICMP the
// checksum of that value.
func (o *probeOptions) flow(t *target, id, port int) traceflow.Flow {
	return traceflow.Flow{
		ID: id, Protocol: o.protocol(), Source: t.local.Address, Destination: t.address,
		SourcePort: uint16(port), DestinationPort: uint16(o.destinationPort), TOS: o.tos,
	}
}
