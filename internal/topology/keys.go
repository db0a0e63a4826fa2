// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Keys that the parser has to know by name.
const (
	keySource      = "source"
	keyDestination = "destination"
	keyHashSeed    = "hash-seed"
)

// The largest values that a file may give.
const (
	maxWeight     = 65535
	maxDelay      = time.Minute
	maxQuote      = 1500
	maxDuplicates = 16
	maxBurst      = 1 << 20
	maxLabels     = 16
	minLinkMTU    = 68 // RFC 791, section 3.2
	maxLinkMTU    = 65535
)

// defaultDelay is the delay of a link that says nothing.
const defaultDelay = time.Millisecond

// roles is the set of nodes on which a key has an effect.
type roles uint8

const (
	onSource roles = 1 << iota
	onRouter
	onDestination

	onForwarding = onSource | onRouter
	onAnswering  = onRouter | onDestination
	onAny        = onSource | onRouter | onDestination
)

// nodeKey is one key of a node line.
type nodeKey struct {
	name   string
	form   string // how it is written, for errors
	roles  roles
	flag   bool // stands alone, or with yes or no
	single bool // belongs to one node
	set    func(n *Node, value string) error
}

var nodeKeys = []nodeKey{
	{name: "address", form: "address=192.0.2.1", roles: onAny, single: true, set: setAddress4},
	{name: "address6", form: "address6=2001:db8::7", roles: onAny, single: true, set: setAddress6},

	{name: "balance", form: "balance=flow|packet|destination", roles: onForwarding, set: func(n *Node, v string) error {
		return oneOf(&n.Balance, v, balances)
	}},
	{name: "hash", form: "hash=jenkins|crc16|crc32|toeplitz|xor", roles: onForwarding, set: func(n *Node, v string) error {
		return oneOf(&n.Hash, v, hashes)
	}},
	{name: keyHashSeed, form: "hash-seed=7", roles: onForwarding, set: func(n *Node, v string) (err error) {
		if n.HashSeed, err = strconv.ParseUint(v, 10, 64); err != nil {
			return fmt.Errorf("%q is no whole number", v)
		}
		return nil
	}},
	{name: "fields", form: "fields=src,dst,proto,sport,dport,label", roles: onForwarding, set: func(n *Node, v string) error {
		return anyOf(&n.Fields, v, fieldNames)
	}},

	{name: "silent", form: "silent", roles: onAnswering, flag: true, set: flag(func(n *Node) *bool { return &n.Silent })},
	{name: "reply-loss", form: "reply-loss=30%", roles: onAnswering, set: func(n *Node, v string) error {
		return share(&n.ReplyLoss, v)
	}},
	{name: "forward-loss", form: "forward-loss=5%", roles: onRouter, set: func(n *Node, v string) error {
		return share(&n.ForwardLoss, v)
	}},
	{name: "limit", form: "limit=6/1s or limit=off", roles: onAnswering, set: setLimit},
	{name: "quote", form: "quote=28 or quote=all", roles: onAnswering, set: setQuote},
	{name: "mpls", form: "mpls=16004/0/1,24001/0/1 (label/class/TTL) or mpls=off", roles: onAnswering, set: setLabels},
	{name: "mpls-layout", form: "mpls-layout=rfc4884|legacy", roles: onAnswering, set: func(n *Node, v string) error {
		return oneOf(&n.MPLSLegacy, v, mplsLayouts)
	}},
	{name: "mangle", form: "mangle=id,checksum,address,ports,ttl,truncate", roles: onAnswering, set: func(n *Node, v string) error {
		return anyOf(&n.Mangle, v, mangleNames)
	}},
	{name: "duplicates", form: "duplicates=1", roles: onAnswering, set: func(n *Node, v string) (err error) {
		n.Duplicates, err = whole(v, 0, maxDuplicates)
		return err
	}},
	{name: "keep-ttl", form: "keep-ttl", roles: onRouter, flag: true, set: flag(func(n *Node) *bool { return &n.KeepTTL })},
	{name: "zero-ttl", form: "zero-ttl", roles: onRouter, flag: true, set: flag(func(n *Node) *bool { return &n.ZeroTTL })},
	{name: "tos", form: "tos=0x28|bleach-ecn|bleach-dscp|keep", roles: onRouter, set: setRemark},
	{name: "interface", form: "interface=7/eth0/1500 (number/name/MTU, each may be empty) or interface=off", roles: onAnswering, set: setInterface},
	{name: "interface-per-link", form: "interface-per-link", roles: onAnswering, flag: true, set: flag(func(n *Node) *bool {
		return &n.Interface.PerLink
	})},
	{name: "quoted-ttl", form: "quoted-ttl=2", roles: onRouter, set: func(n *Node, v string) error {
		ttl, err := whole(v, 0, 255)
		n.QuotedTTL = uint8(ttl)
		return err
	}},
	{name: "return-extra", form: "return-extra=3", roles: onAnswering, set: func(n *Node, v string) error {
		hops, err := whole(v, 0, 255)
		n.ReturnExtra = uint8(hops)
		return err
	}},
	{name: "reply-ttl", form: "reply-ttl=255", roles: onAnswering, set: func(n *Node, v string) error {
		ttl, err := whole(v, 1, 255)
		n.ReplyTTL = uint8(ttl)
		return err
	}},
	{name: "answer-delay", form: "answer-delay=2ms", roles: onAnswering, set: func(n *Node, v string) error {
		return delay(&n.AnswerDelay, v)
	}},
	{name: "unreachable", form: "unreachable=net|host|prohibited|no", roles: onRouter, set: func(n *Node, v string) error {
		return oneOf(&n.Unreachable, v, refusals)
	}},
	{name: "drop-udp", form: "drop-udp", roles: onDestination, flag: true, set: flag(func(n *Node) *bool { return &n.DropUDP })},
	{name: "drop-tcp", form: "drop-tcp", roles: onDestination, flag: true, set: flag(func(n *Node) *bool { return &n.DropTCP })},
	{name: "drop-icmp", form: "drop-icmp", roles: onDestination, flag: true, set: flag(func(n *Node) *bool { return &n.DropICMP })},
	{name: "tcp", form: "tcp=open|closed", roles: onDestination, set: func(n *Node, v string) error {
		return oneOf(&n.TCP, v, tcpPorts)
	}},
	{name: "udp", form: "udp=closed|open|quic", roles: onDestination, set: func(n *Node, v string) error {
		return oneOf(&n.UDP, v, udpPorts)
	}},
	{name: "ttl-expired", form: "ttl-expired", roles: onDestination, flag: true, set: flag(func(n *Node) *bool { return &n.TTLExpired })},
	{name: "no-ptb", form: "no-ptb", roles: onRouter, flag: true, set: flag(func(n *Node) *bool { return &n.NoPTB })},
	{name: "nat", form: "nat=restore|keep-checksum|keep-port|keep-all|no", roles: onRouter, set: func(n *Node, v string) error {
		return oneOf(&n.NAT, v, natKinds)
	}},
	{name: "nat-ports", form: "nat-ports=translate|keep", roles: onRouter, set: func(n *Node, v string) error {
		return oneOf(&n.NATKeepsPorts, v, natPorts)
	}},
	{name: "nat-address", form: "nat-address=203.0.113.5", roles: onRouter, single: true, set: setNATAddress4},
	{name: "nat-address6", form: "nat-address6=2001:db8:1::5", roles: onRouter, single: true, set: setNATAddress6},
}

// linkKeys are the keys of a link line.
var linkKeys = map[string]func(e *Edge, value string) error{
	"delay":  func(e *Edge, v string) error { return delay(&e.Delay, v) },
	"jitter": func(e *Edge, v string) error { return delay(&e.Jitter, v) },
	"mtu": func(e *Edge, v string) (err error) {
		e.MTU, err = whole(v, minLinkMTU, maxLinkMTU)
		return err
	},
}

// The words that stand for values.
var (
	balances    = map[string]Balance{"flow": PerFlow, "packet": PerPacket, "destination": PerDestination}
	hashes      = map[string]Hash{"jenkins": Jenkins, "crc16": CRC16, "crc32": CRC32, "toeplitz": Toeplitz, "xor": XOR}
	mplsLayouts = map[string]bool{"rfc4884": false, "legacy": true}
	refusals    = map[string]Unreachable{
		"no": UnreachableNone, "net": UnreachableNet, "host": UnreachableHost, "prohibited": UnreachableProhibited,
	}
	tcpPorts = map[string]TCP{"closed": TCPClosed, "open": TCPOpen}
	udpPorts = map[string]UDP{"closed": UDPClosed, "open": UDPOpen, "quic": UDPQUIC}
	natPorts = map[string]bool{"translate": false, "keep": true}
	natKinds = map[string]NAT{
		"no": NATNone, "restore": NATRestore, "keep-checksum": NATKeepChecksum, "keep-port": NATKeepPort, "keep-all": NATKeepAll,
	}
	fieldNames = map[string]Fields{
		"src": FieldSource, "dst": FieldDestination, "proto": FieldProtocol,
		"sport": FieldSourcePort, "dport": FieldDestinationPort, "label": FieldLabel,
	}
	mangleNames = map[string]Mangle{
		"id": MangleID, "checksum": MangleChecksum, "address": MangleAddress,
		"ports": ManglePorts, "ttl": MangleTTL, "truncate": MangleTruncate,
	}
)

func findNodeKey(name string) (*nodeKey, error) {
	for i := range nodeKeys {
		if nodeKeys[i].name == name {
			return &nodeKeys[i], nil
		}
	}
	if _, ok := linkKeys[name]; ok {
		return nil, fmt.Errorf("%s is a key of links; write it at the end of a link line or on a default line", name)
	}
	names := []string{keySource, keyDestination}
	for _, key := range nodeKeys {
		names = append(names, key.name)
	}
	return nil, fmt.Errorf("unknown key %q; write one of %s", name, strings.Join(names, ", "))
}

// apply sets the key on a node from the word that was written.
func (k *nodeKey) apply(n *Node, word string) error {
	_, value, given := strings.Cut(word, "=")
	if !k.flag && !given {
		return fmt.Errorf("%s needs a value; write: %s", k.name, k.form)
	}
	if k.flag && !given {
		value = "yes"
	}
	if err := k.set(n, value); err != nil {
		return fmt.Errorf("%s: %w; write: %s", k.name, err, k.form)
	}
	return nil
}

// flag makes the setter of a key that is on or off.
func flag(place func(n *Node) *bool) func(*Node, string) error {
	return func(n *Node, value string) error {
		return oneOf(place(n), value, map[string]bool{"yes": true, "no": false})
	}
}
