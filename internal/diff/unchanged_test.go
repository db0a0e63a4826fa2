// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/snapshot"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// mostChanged is the share of unchanged pairs that may be called changed.
const mostChanged = 1.0 / 1000

// With these, the gate is of other networks, and of more: pairs are drawn from their
// numbers.
var (
	firstPair = flag.Int("first-pair", 0, "number of the first unchanged pair")
	mostPairs = flag.Int("pairs", 2400, "number of unchanged pairs")
)

// TestUnchanged is the gate that everything here has to pass: it compares
// snapshots of networks in which nothing has changed but chance. Real engine, real
// discovery, virtual time.
func TestUnchanged(t *testing.T) {
	pairs := *mostPairs
	if testing.Short() {
		pairs = min(pairs, 300)
	}
	const shards = 8
	var all [shards]tally
	t.Run("shards", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				all[shard].counts = make(map[string]int)
				for i := shard; i < pairs; i += shards {
					all[shard].judge(t, *firstPair+i)
				}
			})
		}
	})
	sum := tally{counts: make(map[string]int)}
	for _, one := range all {
		sum.changed, sum.regressions, sum.inconclusive, sum.cells = sum.changed+one.changed, sum.regressions+one.regressions,
			sum.inconclusive+one.inconclusive, sum.cells+one.cells
		for what, n := range one.counts {
			sum.counts[what] += n
		}
	}
	var words []string
	for what, n := range sum.counts {
		words = append(words, fmt.Sprintf("%5d %s", n, what))
	}
	slices.SortFunc(words, func(a, b string) int { return strings.Compare(a[5:], b[5:]) })
	t.Logf("%d pairs, %d cells: %d changed, %d regressions, %d inconclusive\n%s", pairs, sum.cells, sum.changed, sum.regressions,
		sum.inconclusive, strings.Join(words, "\n"))
	if limit := float64(pairs) * mostChanged; float64(sum.changed) > limit {
		t.Errorf("%d of %d unchanged pairs are called changed, want %.1f at most", sum.changed, pairs, limit)
	}
	// What is never sure is of no use either.
	if sum.inconclusive > pairs/20 {
		t.Errorf("%d of %d unchanged pairs are inconclusive, want one in 20 at most", sum.inconclusive, pairs)
	}
}

// tally counts verdicts.
type tally struct {
	changed, regressions, inconclusive, cells int
	counts                                    map[string]int
}

// judge compares one pair.
func (s *tally) judge(t *testing.T, i int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(i), 7))
	c := drawCase(t, random, i)
	var r *diff.Report
	synctest.Test(t, func(t *testing.T) { r = c.compare(t, random) })
	s.cells += r.Targets[0].Cells
	s.counts["pairs, "+c.name]++
	worse, vague := false, false
	for j := range r.Changes {
		switch r.Changes[j].Kind {
		case diff.Unmeasured, diff.Unstable:
			vague = true
		default:
			worse = true
		}
	}
	if vague {
		s.inconclusive++
		s.counts["inconclusive, "+c.name]++
	}
	if worse {
		s.changed++
		t.Logf("pair %d (%s) is called changed:\n%s\n%s", i, c.name, show(r), c.text)
	}
	if r.Severity == diff.Regression {
		s.regressions++
		t.Errorf("pair %d (%s) is called a regression", i, c.name)
	}
}

// unchanged is a network, and the way it is measured.
type unchanged struct {
	name, text string
	network    *topology.Topology
	how        how
	aliases    int // addresses that one router answers from in turns
}

// drawCase draws one of the kinds of trouble.
func drawCase(t *testing.T, random *rand.Rand, i int) *unchanged {
	t.Helper()
	silence := []float64{0, 0.02, 0.06}[i%3]
	c := &unchanged{how: how{retries: random.IntN(3), flows: 16}}
	names := topology.BuiltinNames()
	if random.IntN(4) == 0 {
		c.name = names[random.IntN(len(names))]
		c.network = topologytest.Builtin(t, c.name)
		c.text = c.name
		if c.name == "wide255" || c.name == "wide64" || c.name == "far" {
			c.how.flows = 8
		}
		c.name = "built in"
	} else {
		c.text = randomNetwork(random)
		c.network = topologytest.Parse(t, c.text)
		c.name = "drawn"
	}
	for n := range c.network.Nodes {
		if node := &c.network.Nodes[n]; n != c.network.Source && node.ReplyLoss < silence {
			node.ReplyLoss = silence
		}
	}
	routers := func(share int, do func(*topology.Node)) {
		for n := range c.network.Nodes {
			if n != c.network.Source && random.IntN(share) == 0 {
				do(&c.network.Nodes[n])
			}
		}
	}
	switch i / 3 % 7 {
	case 1:
		c.name += ", balancers per packet"
		routers(2, func(n *topology.Node) { n.Balance = topology.PerPacket })
	case 2:
		c.name += ", rate limits"
		routers(2, func(n *topology.Node) { n.Limit = topology.RateLimit{Burst: 2 + random.IntN(8), Interval: 1e9} })
	case 3:
		c.name += ", labels and names"
		routers(2, func(n *topology.Node) { n.MPLS = []topology.Label{{TTL: 1}, {TTL: 1}}[:1+random.IntN(2)] })
	case 4:
		c.name += ", aliases"
		c.aliases = 2 + random.IntN(3)
	case 5:
		c.name += ", sockets"
		c.how.short = true
	case 6:
		c.name += ", all at once"
		c.aliases = 2
		routers(4, func(n *topology.Node) { n.Balance = topology.PerPacket })
		routers(4, func(n *topology.Node) { n.Limit = topology.RateLimit{Burst: 2 + random.IntN(8), Interval: 1e9} })
		routers(4, func(n *topology.Node) { n.MPLS = []topology.Label{{TTL: 1}} })
	}
	c.name += fmt.Sprintf(", %.0f %% silent", 100*silence)
	c.how.ipv6 = c.network.IPv6 && (!c.network.IPv4 || random.IntN(3) == 0)
	return c
}

// compare measures twice, with other luck, other labels, names and data sets.
func (c *unchanged) compare(t *testing.T, random *rand.Rand) *diff.Report {
	t.Helper()
	var taken [2]*snapshot.Snapshot
	for side := range taken {
		c.how.luck = random.Uint64N(1 << 40)
		for n := range c.network.Nodes {
			for l := range c.network.Nodes[n].MPLS {
				c.network.Nodes[n].MPLS[l].Label = uint32(16 + random.IntN(1<<19))
			}
		}
		c.how.between = nil
		if c.aliases > 0 {
			c.how.between = answerFromSeveral(c.aliases, random)
		}
		taken[side] = take(t, c.network, c.how)
		churn(taken[side], random)
	}
	return compare(t, taken[0], taken[1])
}

// answerFromSeveral makes every third router answer from several addresses, drawn
// for each answer.
func answerFromSeveral(addresses int, random *rand.Rand) func([]traceflow.Exchange) {
	return func(exchanges []traceflow.Exchange) {
		for i := range exchanges {
			r := &exchanges[i].Reply
			if a := r.Address.AsSlice(); r.Kind == traceflow.TimeExceeded && a[len(a)-1]%3 == 0 {
				a[1] ^= byte(random.IntN(addresses)) << 4
				r.Address, _ = netip.AddrFromSlice(a)
			}
		}
	}
}

// churn gives addresses names and owners that differ from snapshot to snapshot.
func churn(s *snapshot.Snapshot, random *rand.Rand) {
	for _, pass := range s.Targets[0].Passes {
		if len(pass.Annotations) > 0 {
			continue
		}
		seen := make(map[string]bool)
		for i := range pass.Graph.Nodes {
			a := pass.Graph.Nodes[i].Address
			if !a.IsValid() || seen[a.String()] {
				continue
			}
			seen[a.String()] = true
			pass.Annotations = append(pass.Annotations, traceflow.Annotation{
				Address:  a,
				Hostname: traceflow.Hostname{Name: fmt.Sprintf("r%d.example", random.IntN(1000)), Source: "dns"},
				Origin:   traceflow.Origin{ASNs: []uint32{uint32(64496 + random.IntN(4))}, Source: "table"},
			})
		}
		slices.SortFunc(pass.Annotations, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	}
}

// randomNetwork draws layers of nodes with links between them.
func randomNetwork(random *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "default delay=%dms jitter=%dms hash=%s\nnode s source\nnode d destination\n",
		1+random.IntN(10), random.IntN(4), []string{"jenkins", "crc16", "crc32", "toeplitz", "xor"}[random.IntN(5)])
	troubles := []string{"", "", "", "", "", "silent", "reply-loss=30%", "answer-delay=30ms", "mangle=ttl", "mangle=checksum", "quote=48", "duplicates=1", "mpls=16004/0/1", "limit=6/1s", "nat=restore"}
	layers := [][]string{{"s"}}
	for layer := range 2 + random.IntN(6) {
		var names []string
		for i := range 1 + random.IntN(5) {
			name := fmt.Sprintf("r%dx%d", layer, i)
			names = append(names, name)
			if trouble := troubles[random.IntN(len(troubles))]; trouble != "" {
				fmt.Fprintf(&b, "node %s %s\n", name, trouble)
			}
		}
		layers = append(layers, names)
	}
	layers = append(layers, []string{"d"})
	for i := 1; i < len(layers); i++ {
		linked := make(map[string]bool)
		link := func(from, to string) {
			if !linked[from+" > "+to] {
				linked[from+" > "+to] = true
				fmt.Fprintf(&b, "link %s > %s\n", from, to)
			}
		}
		for _, to := range layers[i] {
			link(layers[i-1][random.IntN(len(layers[i-1]))], to)
		}
		for _, from := range layers[i-1] {
			link(from, layers[i][random.IntN(len(layers[i]))])
			if i+1 < len(layers) && i > 1 && random.IntN(4) == 0 {
				link(from, layers[i+1][random.IntN(len(layers[i+1]))])
			}
		}
	}
	return b.String()
}
