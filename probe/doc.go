// SPDX-License-Identifier: BSD-3-Clause

// Package probe sends probes and recognises their replies.
//
// An Engine holds each flow's fields constant over every TTL, paces what it
// sends so that no router sees a burst, gives every packet an identity of its
// own that is keyed by a secret of the run, and believes a reply only if what
// it quotes matches one outstanding packet in protocol, addresses, ports and
// identity. Replies that do not are counted apart and never become a hop.
//
// The engine does not choose what to probe (package discover does), parse
// headers (package packet does) or know an operating system: it talks to a
// Wire, which carries batches of whole IP packets. Open takes the best wire
// that this process may use.
//
// To add a protocol: encode_<proto>.go, a case in identity.go and match.go. To
// add an operating system: wire_<kind>_<os>.go and its line in open_<os>.go.
package probe
