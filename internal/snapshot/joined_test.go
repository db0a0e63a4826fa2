// SPDX-License-Identifier: BSD-3-Clause

package snapshot_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/snapshot"
)

// passOf is a pass of flows, each a line of the last bytes of who answered; * is
// silence and d the destination.
func passOf(lines ...string) *traceflow.Trace {
	destination := netip.MustParseAddr("203.0.113.9")
	out := &traceflow.Trace{Destination: traceflow.Destination{Address: destination}}
	var walks []traceflow.Walk
	for i, line := range lines {
		flow := traceflow.Flow{ID: i + 1, Destination: destination, SourcePort: uint16(1000 + i)}
		var exchanges []traceflow.Exchange
		for j, cell := range strings.Fields(line) {
			e := traceflow.Exchange{Flow: flow.ID, TTL: uint8(j + 1), Attempt: 1}
			switch cell {
			case "*":
			case "d":
				e.Reply = traceflow.Reply{Kind: traceflow.PortUnreachable, Address: destination, ICMPType: 3, ICMPCode: 3}
			default:
				e.Reply = traceflow.Reply{Kind: traceflow.TimeExceeded, Address: netip.MustParseAddr("198.51.100." + cell), ICMPType: 11}
			}
			exchanges = append(exchanges, e)
		}
		out.Flows, walks = append(out.Flows, flow), append(walks, traceflow.NewWalk(flow, 1, exchanges))
		out.Exchanges = append(out.Exchanges, exchanges...)
		out.Stats.Probes += len(exchanges)
	}
	out.Graph = traceflow.NewGraph(walks, out.Exchanges)
	return out
}

func TestJoined(t *testing.T) {
	both := map[int]int{1: 1, 2: 2}
	tests := []struct {
		name   string
		passes []*traceflow.Trace
		flows  map[int]int
		want   []string
	}{
		{"one pass", []*traceflow.Trace{passOf("1 2 d", "1 3 d")}, both, []string{"1: 1 2 d", "2: 1 3 d"}},
		{"silence is filled", []*traceflow.Trace{passOf("1 * d", "1 3 d"), passOf("* 2 d", "1 * d")}, both, []string{"1: 1 2 d", "2: 1 3 d"}},
		{"the last says which way it is", []*traceflow.Trace{passOf("1 2 d"), passOf("1 4 d")}, both, []string{"1: 1 4 d"}},
		{"one that reached comes before one that did not", []*traceflow.Trace{passOf("1 2 d"), passOf("1 4 *")}, both, []string{"1: 1 2 d"}},
		{"other IDs, and one flow of two", []*traceflow.Trace{passOf("1 2 d", "1 3 d")}, map[int]int{2: 7}, []string{"7: 1 3 d"}},
		{"no flow", []*traceflow.Trace{passOf("1 2 d")}, map[int]int{9: 9}, nil},
		{"no pass", nil, both, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := snapshot.Target{Passes: tt.passes}
			before := walksIn(tt.passes)
			joined := target.Joined(tt.flows)
			if joined == nil {
				if tt.want != nil {
					t.Fatal("nothing")
				}
				return
			}
			var got []string
			for i := range joined.Graph.Walks {
				w := &joined.Graph.Walks[i]
				cells := []string{fmt.Sprintf("%d:", w.Flow.ID)}
				for _, hop := range w.Hops {
					cell := "*"
					if hop.Address == joined.Destination.Address {
						cell = "d"
					} else if hop.Kind.Answered() {
						cell = strings.TrimPrefix(hop.Address.String(), "198.51.100.")
					}
					cells = append(cells, cell)
				}
				got = append(got, strings.Join(cells, " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(joined.Flows) != len(tt.want) || walksIn(tt.passes) != before {
				t.Errorf("%d flows; or a pass is another now", len(joined.Flows))
			}
		})
	}
}

// walksIn writes all that flows met.
func walksIn(passes []*traceflow.Trace) string {
	var b strings.Builder
	for _, pass := range passes {
		fmt.Fprintln(&b, pass.Graph.Walks, pass.Exchanges)
	}
	return b.String()
}
