// SPDX-License-Identifier: BSD-3-Clause

// Package routing runs real routing daemons in the nodes of a kernel lab: zebra
// and ospfd of FRR, one pair in each, which find their neighbours over the lab's
// links and give the kernels their routes, equal ways side by side. It is what a
// change of the network is tried with that nobody computes in advance: a link that
// is costed out, or cut.
//
// OSPF is that of IPv4; links have no addresses of their own (they are unnumbered),
// so every node answers from the one that its topology gives it. Timers are so
// short that the network settles in a second or two.
//
// Nothing of the host's is touched: daemons, sockets and files are in the lab's
// namespaces and in a folder of their own, and gone when the Network is closed or
// the process ends.
package routing
