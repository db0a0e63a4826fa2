// SPDX-License-Identifier: BSD-3-Clause

// Package netlab builds test networks out of real Linux kernels. Every node of
// a topology.Topology is a network namespace, every edge a veth pair; the
// kernels forward with ECMP, hash as kernels hash and answer with their own
// ICMP. Nothing of the host's network is touched: namespaces are anonymous,
// held by file descriptors, and gone when the Lab is closed or the process
// ends.
//
// It needs CAP_SYS_ADMIN and CAP_NET_ADMIN, or user namespaces: Enter (for
// programs) and Main (for tests) start the process again with these rights in
// namespaces of its own.
//
// Which way a flow goes is the kernels' choice, so the truth is observed:
// Paths sends one packet of each flow, of its protocol, and records at which nodes it passes,
// without any help of the prober under test.
//
// What a kernel cannot do, Build refuses with an UnsupportedError: jitter, MPLS,
// damaged or short quotes, hash functions by name. Package simnet does all of
// these.
//
// A running network can become another one (Change), and its links can be cut
// (SetLink). Its routes are the lab's own, or those of whoever Options.NoRoutes
// leaves them to; package routing has daemons that do it.
//
// To add a fault: if a sysctl does it, a line in sysctl_linux.go; if a packet
// filter does it, a rule in fault_linux.go; and in either case its removal
// from check in unsupported_linux.go, with a test in fault_lab_test.go.
package netlab
