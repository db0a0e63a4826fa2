// SPDX-License-Identifier: BSD-3-Clause

// Package e2e tests and measures the whole of traceflow, the command included,
// on real sockets: through kernels in namespaces (package netlab) and through
// simulated networks behind a TUN device (package simnet). It has no code of
// its own. docs/lab.md says how to run it.
package e2e
