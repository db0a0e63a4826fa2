// SPDX-License-Identifier: BSD-3-Clause

// Package discover decides which probes to send, when there have been enough,
// and what may be said about what was not seen.
//
// It reaches the network only through Prober: it cannot open a socket, and
// every algorithm runs the same on a table in memory. To add an algorithm,
// add a file with a function that takes a Prober and returns a Result.
package discover

import (
	"context"

	"traceflow"
)

// Prober sends probes. It is safe for concurrent use.
type Prober interface {
	// Probe returns an exchange for every packet sent: the probes in the order
	// given, retries after the attempt they repeat. Silence is an exchange
	// without a reply, and a packet that could not be sent one with an error.
	// When ctx ends or sending becomes impossible, Probe returns what is known
	// together with the error.
	Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error)
}

// Result is what an algorithm found out.
type Result struct {
	// Exchanges are all packets sent, by flow, TTL and time.
	Exchanges []traceflow.Exchange
	// Walks has one walk for each flow, in the order of the flows.
	Walks []traceflow.Walk
	// Complete is false when the algorithm was cut short.
	Complete   bool
	StopReason traceflow.StopReason
	Guarantee  traceflow.Guarantee
	// Balancers are the divergences that were tested; Changes the flows whose
	// route changed meanwhile.
	Balancers map[Divergence]traceflow.Balancer
	Changes   []traceflow.RouteChange
}

// Classify writes what is known of balancers into the diamonds of the graph
// that was made of the result.
func (r *Result) Classify(g *traceflow.Graph) {
	nodes := make(map[string]*traceflow.Node, len(g.Nodes))
	for i := range g.Nodes {
		nodes[g.Nodes[i].ID] = &g.Nodes[i]
	}
	for i := range g.Diamonds {
		d := &g.Diamonds[i]
		n := nodes[d.Divergence]
		if kind, ok := r.Balancers[Divergence{n.TTL, n.Responder}]; ok && kind != traceflow.BalancerUnknown {
			d.Balancer = kind
		}
		if d.Balancer != traceflow.BalancerPerPacket {
			continue
		}
		// Inside, two probes of one flow went two ways: what answered them is
		// not adjacent by that.
		for j := range g.Links {
			from, to := nodes[g.Links[j].From], nodes[g.Links[j].To]
			if from.TTL > n.TTL && int(to.TTL) < int(n.TTL)+d.Length {
				g.Links[j].Inferred = true
			}
		}
	}
}
