// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/snapshot"
)

// TestLedger has one case for each line of the noise ledger in docs/diff.md: what
// networks do of themselves, and is no change.
func TestLedger(t *testing.T) {
	const (
		line = "link s > r1 > m > c > d"
		dead = "node z silent forward-loss=100%\nlink s > r1 > m > c > z > d" // nobody behind c answers
	)
	tests := []struct {
		name          string
		before, after string
		how           how
		alter         func(s *scene)
		// vague is where it may be said that nobody can tell.
		vague bool
	}{
		{name: "a hop that does not answer", before: line, after: "node m silent\n" + line},
		{name: "a hop that loses answers", before: line, after: "node m reply-loss=50%\n" + line, how: how{repeats: 8}},
		{name: "a hop that limits its answers", before: line, after: "node m limit=3/1s\n" + line, how: how{flows: 32}},
		{name: "a destination that limits its answers", before: line, after: line, how: how{flows: 32}, vague: true, alter: func(s *scene) {
			// The first dozen answers of every pass, and then a third of the rest.
			for i, p := range s.after.Targets[0].Passes {
				s.after.Targets[0].Passes[i] = limitDestination(p, 12)
			}
		}},
		{name: "packets spread one by one", before: "node r1 balance=packet\nlink s > r1 > a[1..5] > c > d", after: "node r1 balance=packet\nlink s > r1 > a[1..5] > c > d", how: how{repeats: 3}},
		{name: "a router of several addresses", before: line, after: line, how: how{between: answerFromSeveral(2, rand.New(rand.NewPCG(1, 1)))}},
		{name: "a destination that does not answer", before: line, after: line, alter: func(s *scene) {
			for _, side := range []*snapshot.Snapshot{s.before, s.after} {
				side.Targets[0].Passes = withoutDestination(side.Targets[0].Passes)
			}
		}},
		{name: "label values", before: "node m mpls=16004/0/1\n" + line, after: "node m mpls=17005/3/1\n" + line},
		{name: "IP identifications", before: line, after: "node m mangle=id\n" + line},
		{name: "names", before: line, after: line, alter: func(s *scene) { name(s.after, "core-2.example") }},
		{name: "owners of addresses", before: line, after: line, alter: func(s *scene) { churn(s.after, rand.New(rand.NewPCG(2, 2))) }},
		{name: "a slow control plane", before: line, after: "node m answer-delay=40ms\n" + line},
		{name: "a slow control plane on the way to silence", before: dead, after: "node m answer-delay=40ms\n" + dead},
		{name: "a slow control plane in front of silence", vague: true, before: dead, after: "node c answer-delay=40ms\n" + dead},
		{name: "a route that changes of itself", vague: true, before: "link s > r1 > x > c > d", after: "link s > r1 > y > c > d", alter: func(s *scene) {
			// It had changed once within the first snapshot.
			s.before.Targets[0].Passes[1] = s.after.Targets[0].Passes[0]
		}},
		{name: "ports that a NAT gives", before: "node m nat=keep-all\n" + line, after: "node m nat=keep-all\n" + line},
		{name: "duplicates", before: line, after: "node m duplicates=3\nnode c duplicates=2\n" + line},
		{name: "jitter", before: "default jitter=5ms\n" + line, after: "default jitter=5ms\n" + line},
		{name: "another system with the same way back", before: "node m reply-ttl=64\n" + line, after: "node m reply-ttl=255\n" + line},
		{name: "congestion marks", before: line, after: line, how: how{tos: 1}, alter: func(s *scene) {
			for _, p := range s.after.Targets[0].Passes {
				for i := range p.Graph.Walks {
					for j := range p.Graph.Walks[i].Hops[1:] {
						p.Graph.Walks[i].Hops[1+j].QuotedTOS |= 3
					}
				}
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, tt.before, tt.after, tt.how)
			if tt.alter != nil {
				tt.alter(&s)
			}
			for _, r := range []*diff.Report{compare(t, s.before, s.after), compare(t, s.after, s.before)} {
				bad := slices.ContainsFunc(r.Changes, func(c diff.Change) bool { return !tt.vague || c.Severity != diff.Inconclusive })
				if bad {
					t.Errorf("this is noise:\n%s", show(r))
				}
			}
		})
	}
}

// limitDestination takes answers of the destination away as a token bucket does.
func limitDestination(p *traceflow.Trace, burst int) *traceflow.Trace {
	pass := *p
	pass.Exchanges = slices.Clone(p.Exchanges)
	order := make([]int, len(pass.Exchanges))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return pass.Exchanges[a].Sent.Compare(pass.Exchanges[b].Sent) })
	n := 0
	for _, i := range order {
		e := &pass.Exchanges[i]
		if e.Reply.Address != p.Destination.Address {
			continue
		}
		if n++; n > burst && n%3 != 0 {
			e.Reply = traceflow.Reply{}
		}
	}
	rebuild(&pass)
	return &pass
}

// rebuild makes the graph of a trace anew.
func rebuild(pass *traceflow.Trace) {
	byFlow := make(map[int][]traceflow.Exchange)
	for _, e := range pass.Exchanges {
		byFlow[e.Flow] = append(byFlow[e.Flow], e)
	}
	var walks []traceflow.Walk
	for _, f := range pass.Flows {
		walks = append(walks, traceflow.NewWalk(f, 1, byFlow[f.ID]))
	}
	pass.Graph = traceflow.NewGraph(walks, pass.Exchanges)
}

// withoutDestination takes all answers of the destination away.
func withoutDestination(passes []*traceflow.Trace) (out []*traceflow.Trace) {
	for _, p := range passes {
		pass := *p
		pass.Exchanges = slices.Clone(p.Exchanges)
		for i := range pass.Exchanges {
			if e := &pass.Exchanges[i]; e.Reply.Address == p.Destination.Address {
				e.Reply = traceflow.Reply{}
			}
		}
		rebuild(&pass)
		out = append(out, &pass)
	}
	return out
}

// name gives every address another hostname.
func name(s *snapshot.Snapshot, hostname string) {
	for _, pass := range s.Targets[0].Passes {
		pass.Annotations = slices.Clone(pass.Annotations)
		for i := range pass.Annotations {
			pass.Annotations[i].Hostname = traceflow.Hostname{Name: hostname, Source: "dns"}
		}
	}
}
