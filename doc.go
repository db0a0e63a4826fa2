// SPDX-License-Identifier: BSD-3-Clause

// Package traceflow holds the nouns of traceflow, a tool that finds every
// path that packets take between this host and a destination, flow by flow.
//
// Nothing here opens a socket, sends a packet or keeps time: the package is a
// vocabulary that the verbs share.
//
//   - package packet turns bytes into structs and back;
//   - package probe sends probes and matches replies;
//   - package discover decides which probes to send;
//   - package render writes a Trace in one format;
//   - internal/topology and internal/simnet are networks to test on.
//
// A Flow is what a router hashes. A Probe is a Flow at one TTL, an Exchange is
// a Probe and what came back, and a Trace is all exchanges of one measurement
// with the Graph that follows from them. docs/architecture.md draws the rooms
// and follows one probe through them; docs/glossary.md has every word.
//
// To add a stored field: the type here, json.go, docs/json.md and its schema.
package traceflow
