// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// TestAdaptiveTruth compares, for every built-in network and both families,
// what was found with the truth.
func TestAdaptiveTruth(t *testing.T) {
	for _, name := range topology.BuiltinNames() {
		for _, family := range []int{4, 6} {
			t.Run(name+"/"+map[int]string{4: "IPv4", 6: "IPv6"}[family], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := topologytest.Builtin(t, name)
					one := flows(network, family, 1)[0]
					if !one.Destination.IsValid() {
						t.Skip("no such family")
					}
					engine := simulate(t, network, probe.Config{})
					defer engine.Close()
					start := time.Now()
					a := discover.Adaptive{Flows: discover.RandomPorts(one, 33452, 1), FirstTTL: 1, MaxTTL: 64, Confidence: 0.95, Retries: 2}
					result, err := a.Discover(t.Context(), engine)
					if err != nil {
						t.Fatal(err)
					}
					g := traceflow.NewGraph(result.Walks, result.Exchanges)
					size := network.Size()
					t.Logf("%v probes %d flows %d paths %d/%d nodes %d/%d links %d/%d %s alpha %.3f share %.2f equal %v limited %v short %v %v",
						time.Since(start), engine.Stats().Probes, len(result.Walks), len(g.Paths), size.Paths, len(g.Nodes), size.Interfaces, len(g.Links), size.Links, result.StopReason,
						result.Guarantee.Alpha, result.Guarantee.MinShare, result.Guarantee.EqualShares, result.Guarantee.LimitedHops, result.Guarantee.Short, result.Balancers)
					for i := range result.Walks {
						checkWalk(t, network, &result.Walks[i])
					}
				})
			})
		}
	}
}

// TestAdaptiveRoundTrips bounds the time by round trips to the destination, at
// widths up to 96, near and far: 6, and one timeout, which a lossless network
// does not need.
func TestAdaptiveRoundTrips(t *testing.T) {
	for _, trip := range []time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond} {
		for _, links := range []string{
			"src > r1 > w[1..2] > c > dst",
			"src > r1 > w[1..16] > c > dst",
			"src > r1 > w[1..96] > c > dst",
			"src > r1 > r2 > r3 > r4 > r5 > w[1..96] > c > dst",
			"src > r1 > w[1..16] > c > v[1..16] > d > u[1..64] > e > dst",
			"src > r1 > w[1..8] > v[1..8] > d > dst",
		} {
			synctest.Test(t, func(t *testing.T) {
				edges := strings.Count(links, ">")
				network := topologytest.Parse(t, fmt.Sprintf("node src source\nnode dst destination\nlink %s delay=%dus\n",
					links, trip.Microseconds()/int64(2*edges)))
				engine := simulate(t, network, probe.Config{})
				defer engine.Close()
				start := time.Now()
				a := discover.Adaptive{
					Flows: discover.RandomPorts(flows(network, 4, 1)[0], 33452, 1), FirstTTL: 1, MaxTTL: 64,
					Confidence: 0.95, Retries: 2,
				}
				if _, err := a.Discover(t.Context(), engine); err != nil {
					t.Fatal(err)
				}
				trips := float64(time.Since(start)) / float64(trip)
				t.Logf("%v %s: %.1f round trips, %d packets", trip, links, trips, engine.Stats().Probes)
				if trips > 6 {
					t.Errorf("%s at %v: %.1f round trips, want at most 6", links, trip, trips)
				}
			})
		}
	}
}
