// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/topology"
)

// allRuns are the runs of a test: all of them with TRACEFLOW_GUARANTEE=full, a
// part of them otherwise: as many as fit into a number of probes. With -short, as
// under the race detector, they show that a run works, and no more.
const allRuns = 20000

// fewestRuns are made however many probes they take.
func fewestRuns() int {
	if testing.Short() {
		return 3
	}
	return 50
}

func full() bool { return os.Getenv("TRACEFLOW_GUARANTEE") == "full" }

// probeBudget is how many probes one case of a test may send.
func probeBudget(share float64) int {
	switch {
	case full():
		return math.MaxInt
	case testing.Short():
		return int(1_000 * share)
	}
	return int(20_000 * share)
}

// doubt is the chance of an alarm that each comparison takes although the
// claim holds: 99.9 % confidence. In a part of the runs, which is compared in
// some 150 cases at every change of the algorithm, that would be one change in
// seven; there it is a tenth.
func doubt() float64 {
	if full() {
		return 0.001
	}
	return 0.0001
}

// tally is what a number of runs came to.
type tally struct {
	runs, misses    int
	probes, batches int
	claimed         int // true links that the claim is about, over all runs
}

func (c *tally) rate() float64       { return float64(c.misses) / float64(c.runs) }
func (c *tally) meanProbes() float64 { return float64(c.probes) / float64(c.runs) }

func (c *tally) String() string {
	return fmt.Sprintf("%d misses in %d runs: %.5f (%.1f probes, %.2f batches a run)", c.misses, c.runs, c.rate(),
		c.meanProbes(), float64(c.batches)/float64(c.runs))
}

// tally runs an algorithm on the world until it has the runs that are wanted,
// or has sent as many probes as it may. What is discovered and not true fails
// the test, and so does a run that was cut short.
func (w *world) tally(t *testing.T, a discover.Adaptive, runs, budget int, shares func(*discover.Result) []float64) tally {
	t.Helper()
	var c tally
	name := t.Name()
	synctest.Test(t, func(t *testing.T) {
		c = w.count(t, name, a, runs, budget, shares)
	})
	return c
}

func (w *world) count(t *testing.T, name string, a discover.Adaptive, runs, budget int, shares func(*discover.Result) []float64) tally {
	var c tally
	a.Flows, a.FirstTTL, a.MaxTTL = w.flow, 1, maxTTL
	for c.runs < runs && (c.probes < budget || c.runs < fewestRuns()) {
		w.reset(runSeed(name, c.runs))
		r, err := a.Discover(t.Context(), w)
		if err != nil {
			t.Fatalf("run %d: %v", c.runs, err)
		}
		if !r.Complete {
			t.Fatalf("run %d: not complete: %s", c.runs, r.StopReason)
		}
		if len(r.Exchanges) != w.probes {
			t.Fatalf("run %d: %d exchanges of %d packets", c.runs, len(r.Exchanges), w.probes)
		}
		var least []float64
		if shares != nil {
			least = shares(&r)
		}
		seen, of, err := w.check(&r, least)
		if err != nil {
			t.Fatalf("run %d: %v", c.runs, err)
		}
		if c.runs%101 == 0 && shares == nil {
			links, err := w.checkGraph(&r)
			if err != nil {
				t.Fatalf("run %d: %v", c.runs, err)
			}
			if seen == of && links != w.linksBeyondFirst() {
				t.Fatalf("run %d: the walks have all links, the graph has %d of %d", c.runs, links, w.linksBeyondFirst())
			}
		}
		c.runs++
		c.probes += w.probes
		c.batches += w.batches
		c.claimed += of
		if seen < of {
			c.misses++
		}
	}
	return c
}

// holds fails the test if so many misses are not to be explained by a claim
// that holds. With all runs it asks for more: that so few misses would be as
// rare if the claim did not hold, so that the claim is shown and not just
// unrefuted.
func (c *tally) holds(t *testing.T, claim float64) {
	t.Helper()
	t.Logf("%s: %v, claim %.2f", t.Name(), c, claim)
	if p := atLeast(c.misses, c.runs, claim); p < doubt() {
		t.Errorf("%v: more than a claim of %g allows (p = %.2g)", c, claim, p)
	}
	if full() {
		if p := atMost(c.misses, c.runs, claim); p >= doubt() {
			t.Errorf("%v: does not show a claim of %g (p = %.2g)", c, claim, p)
		}
	}
}

// equals fails the test if the misses are not those of an exact chance, or
// are more where it is a bound.
func (c *tally) equals(t *testing.T, exact float64, tight bool) {
	t.Helper()
	t.Logf("%s: %v, exact %.5f", t.Name(), c, exact)
	if p := atLeast(c.misses, c.runs, exact); p < doubt()/2 {
		t.Errorf("%v: more than the exact %.5f (p = %.2g)", c, exact, p)
	}
	if p := atMost(c.misses, c.runs, exact); tight && p < doubt()/2 {
		t.Errorf("%v: fewer than the exact %.5f (p = %.2g)", c, exact, p)
	}
}

// atLeast is the chance of at least m in n tries of chance p: the exact
// binomial, added up from the smallest terms that count.
func atLeast(m, n int, p float64) float64 {
	sum := 0.0
	for k := n; k >= m; k-- {
		sum += binomial(k, n, p)
	}
	return min(1, sum)
}

// atMost is the chance of at most m.
func atMost(m, n int, p float64) float64 {
	sum := 0.0
	for k := 0; k <= m; k++ {
		sum += binomial(k, n, p)
	}
	return min(1, sum)
}

func binomial(k, n int, p float64) float64 {
	logFactorial := func(x int) float64 {
		l, _ := math.Lgamma(float64(x) + 1)
		return l
	}
	return math.Exp(logFactorial(n) - logFactorial(k) - logFactorial(n-k) +
		float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// exactMiss is the chance that a router with k next hops of equal share is
// left with one unseen, when flows are followed until their number reaches the
// stopping point of one more next hop than was seen. It walks through the
// numbers of flows and of next hops seen; what has reached a stopping point is
// taken out. An algorithm that sends flows in batches, each up to the stopping
// point of what it has seen, stops at the same places: before a stopping point
// that it jumps, it had seen more already.
func exactMiss(k int, alpha float64) float64 {
	p := make([]float64, k+1) // by next hops seen
	p[1] = 1
	stops := make([]int, k+1)
	for j := 1; j < k; j++ {
		stops[j] = stoppingPoint(j+1, alpha)
	}
	stopped := 0.0
	for n := 2; p[k] < 1-stopped-1e-12; n++ {
		for j := k; j >= 1; j-- {
			p[j] = p[j] * float64(j) / float64(k)
			if j > 1 {
				p[j] += p[j-1] * float64(k-j+1) / float64(k)
			}
		}
		for j := 1; j < k; j++ {
			if n >= stops[j] {
				stopped += p[j]
				p[j] = 0
			}
		}
	}
	return stopped
}

// stoppingPoint is the definition of discover.StoppingPoint, word by word, so
// that the tests do not follow an error there.
func stoppingPoint(k int, alpha float64) int {
	n, miss := 0, float64(k)
	for ; miss > alpha; n++ {
		miss *= float64(k-1) / float64(k)
	}
	return n
}

func TestExactMiss(t *testing.T) {
	if got := exactMiss(2, 0.05); got != 0.03125 {
		t.Errorf("two next hops are missed with chance %v, want 0.03125", got)
	}
	for _, alpha := range []float64{0.2, 0.05, 0.01, 0.001} {
		for k := 2; k <= 128; k++ {
			if got := exactMiss(k, alpha); got > alpha || got < alpha/4 {
				t.Errorf("%d next hops at %g are missed with chance %.5f", k, alpha, got)
			}
		}
	}
}

// claims are the networks for which the claim is tested.
var claims = []struct {
	name, body string
	loss       float64
	retries    int
}{
	{name: "wide2", body: wide(2)},
	{name: "wide4", body: wide(4)},
	{name: "wide8", body: wide(8)},
	{name: "wide16", body: wide(16)},
	{name: "wide28", body: wide(28)},
	{name: "wide96", body: wide(96)},
	{name: "plain1421", body: plain42},
	{name: "meshed1421", body: meshed42},
	{name: "meshed8x8", body: meshed8x8},
	{name: "tree", body: tree},
	{name: "clos", body: clos},
	// A fifth of the replies lost: with the engine's two retries, and with
	// none, where a third of the hop pairs' flows do not count.
	{name: "loss20", body: meshed42, loss: 0.2, retries: 2},
	{name: "loss20once", body: wide(8), loss: 0.2},
}

// TestGuarantee counts how often the whole map misses a link, for every
// network and every kind of hash, at the default confidence.
func TestGuarantee(t *testing.T) {
	const confidence = 0.95
	for _, tt := range claims {
		for _, h := range hashes {
			t.Run(tt.name+"/"+h.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tt.body, h.hash)
				w.loss, w.retries = tt.loss, tt.retries
				c := w.tally(t, discover.Adaptive{Confidence: confidence}, allRuns, probeBudget(1), nil)
				c.holds(t, 1-confidence)
			})
		}
	}
}

// TestGuaranteeConfidence does so at other levels.
func TestGuaranteeConfidence(t *testing.T) {
	for _, confidence := range []float64{0.8, 0.99} {
		for _, tt := range claims {
			switch tt.name {
			case "wide2", "wide16", "meshed1421", "meshed8x8", "tree":
			default:
				continue
			}
			t.Run(fmt.Sprintf("%s/%g", tt.name, confidence), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tt.body, topology.Jenkins)
				c := w.tally(t, discover.Adaptive{Confidence: confidence}, allRuns, probeBudget(1), nil)
				c.holds(t, 1-confidence)
			})
		}
	}
}

// TestGuaranteeUnequal counts only links that carry as large a share of the
// flows as the flows that were answered there should show: at every TTL its
// own share, and on the whole map the one that the run itself states.
func TestGuaranteeUnequal(t *testing.T) {
	const confidence = 0.95
	for _, tt := range []struct{ name, body string }{
		{"1-2-5", unequal},
		{"1-9", "link src > r > a1 a2*9 > c > dst"},
		{"1-1-1-13", "link src > r > a1 a2 a3 a4*13 > dst"},
		{"1-1-1-1-1-1-1-3", "link src > r > a[1..7] a8*3 > dst"},
		{"meshed-1-2", "link src > r > a[1..4] > b1 b2*2 > dst"},
	} {
		for _, h := range hashes {
			t.Run(tt.name+"/"+h.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tt.body, h.hash)
				shares := func(r *discover.Result) []float64 { return leastShares(r, confidence) }
				c := w.tally(t, discover.Adaptive{Confidence: confidence}, allRuns, probeBudget(1), shares)
				c.holds(t, 1-confidence)
				t.Logf("about %.2f of %d links", float64(c.claimed)/float64(c.runs), len(w.truth.share))
			})
		}
	}
}

// leastShares returns, by TTL, the share that a link must have to have been
// seen there, by the flows that were answered at both ends, or at the farther
// one where there is one node at the nearer: floor(1/w) · (1−w)ⁿ is the part
// of the pair. Where the run itself states a smaller one, that counts.
func leastShares(r *discover.Result, confidence float64) []float64 {
	shares := make([]float64, maxTTL+1)
	last := 0
	for i := range r.Walks {
		last = max(last, r.Walks[i].LastAnswered())
	}
	for ttl := 1; ttl <= last; ttl++ {
		near := make(map[netip.Addr]bool)
		far, both := 0, 0
		for i := range r.Walks {
			at := func(ttl int) (netip.Addr, bool) {
				h := ttl - int(r.Walks[i].First)
				if h < 0 || h >= len(r.Walks[i].Hops) || !r.Walks[i].Hops[h].Kind.Answered() {
					return netip.Addr{}, false
				}
				return r.Walks[i].Hops[h].Address, true
			}
			a, ok := at(ttl - 1)
			if ok {
				near[a] = true
			}
			if _, answered := at(ttl); answered {
				far++
				if ok {
					both++
				}
			}
		}
		n := far
		if len(near) > 1 {
			n = both
		}
		shares[ttl] = min(r.Guarantee.MinShare, leastShare(n, (1-confidence)/float64(last)))
	}
	return shares
}

// leastShare is the smallest share w for which floor(1/w) · (1−w)ⁿ ≤ alpha.
func leastShare(n int, alpha float64) float64 {
	low, high := 0.0, 1.0
	for high-low > 1e-9 {
		w := (low + high) / 2
		if math.Floor(1/w)*math.Pow(1-w, float64(n)) <= alpha {
			high = w
		} else {
			low = w
		}
	}
	return high
}

// TestGuaranteeExact compares the misses of one balancer with their exact
// chance, where every single test is made at 0.05. With more than a few next
// hops the algorithm looks ahead and may ask for more flows than the stopping
// point, so that the exact chance is a bound there.
func TestGuaranteeExact(t *testing.T) {
	for _, k := range []int{2, 3, 4, 8, 16} {
		for _, h := range hashes {
			t.Run(fmt.Sprintf("%d/%s", k, h.name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, wide(k), h.hash)
				a := discover.Adaptive{PairAlpha: 0.05, Confidence: 0.95, SkipBalancers: true}
				c := w.tally(t, a, allRuns, probeBudget(2), nil)
				c.equals(t, exactMiss(k, 0.05), k <= 4)
			})
		}
	}
}

// TestGuaranteeCanFail lowers the first stopping point by one, from 6 to 5,
// and sees that the tests above would notice.
func TestGuaranteeCanFail(t *testing.T) {
	if testing.Short() {
		t.Skip("takes all runs")
	}
	const alpha = 0.07
	if a, b := discover.StoppingPoint(2, 0.05), discover.StoppingPoint(2, alpha); a != 6 || b != 5 {
		t.Fatalf("stopping points %d and %d, want 6 and 5", a, b)
	}
	w := newWorld(t, wide(2), topology.CRC32)
	c := w.tally(t, discover.Adaptive{PairAlpha: alpha, Confidence: 0.95, SkipBalancers: true}, allRuns, math.MaxInt, nil)
	t.Log(&c)
	if p := atLeast(c.misses, c.runs, exactMiss(2, 0.05)); p >= doubt()/2 {
		t.Errorf("%v: passes for the exact chance at one flow more (p = %.2g)", &c, p)
	}
	if p := atLeast(c.misses, c.runs, 0.05); p >= doubt() {
		t.Errorf("%v: passes for a claim of 0.05 (p = %.2g)", &c, p)
	}
	c.equals(t, exactMiss(2, alpha), true)
}

// TestSequentialPorts shows why the source ports are in random order: many
// hashes are linear, and consecutive ports differ in few bits. The next hop is
// the remainder of a plain CRC-16, as in simple hardware.
func TestSequentialPorts(t *testing.T) {
	for _, tt := range []struct {
		name        string
		hash        topology.Hash
		k           int
		sequential  bool
		least, most float64
	}{
		{"CRC16/2/sequential", topology.CRC16, 2, true, 0.5, 0.75},
		{"CRC16/4/sequential", topology.CRC16, 4, true, 1, 1},
		{"CRC16/8/sequential", topology.CRC16, 8, true, 1, 1},
		{"CRC16/16/sequential", topology.CRC16, 16, true, 1, 1},
		{"CRC16/4/random", topology.CRC16, 4, false, 0.02, 0.05},
		{"CRC16/8/random", topology.CRC16, 8, false, 0.02, 0.055},
		{"Toeplitz/4/sequential", topology.Toeplitz, 4, true, 0.08, 0.15},
		{"Toeplitz/4/random", topology.Toeplitz, 4, false, 0.02, 0.055},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const runs = 2000
			missed := 0
			n := discover.StoppingPoint(tt.k, 0.05)
			var order portOrder
			for run := range runs {
				seed := runSeed(tt.name, run)
				order.reset(seed)
				port := func(i int) uint16 { p, _ := order.at(i); return p }
				if tt.sequential {
					base := uint16(1024 + scramble(seed)%60000)
					port = func(i int) uint16 { return base + uint16(i) }
				}
				if !everyRemainder(tt.hash, seed, tt.k, n, port) {
					missed++
				}
			}
			rate := float64(missed) / runs
			t.Logf("%d flows: %.3f", n, rate)
			if rate < tt.least || rate > tt.most {
				t.Errorf("missed in %.3f of the runs, want %g to %g", rate, tt.least, tt.most)
			}
		})
	}
}

// everyRemainder says whether n flows of a random pair of addresses leave
// every remainder of their hash by k.
func everyRemainder(hash topology.Hash, seed uint64, k, n int, port func(int) uint16) bool {
	node := topology.Node{Hash: hash, HashSeed: scramble(seed + 1), Fields: topology.FiveTuple}
	if hash == topology.CRC16 || hash == topology.XOR {
		node.HashSeed = plainSeed()
	}
	a, b := uint32(scramble(seed+2)), uint32(scramble(seed+3))
	flow := traceflow.Flow{Protocol: traceflow.ProtocolUDP, Source: address(a), Destination: address(b), DestinationPort: 33452}
	seen := make([]bool, k)
	left := k
	for i := range n {
		flow.SourcePort = port(i)
		if at := node.HashFlow(&flow) % uint32(k); !seen[at] {
			seen[at] = true
			left--
		}
	}
	return left == 0
}

func address(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// plainSeed is the seed with which the linear families of internal/topology
// yield their value as it is: the multiplier made of it is 2³²+1.
func plainSeed() uint64 {
	x := uint64(1)<<32 | 1
	for _, step := range []struct {
		shift  int
		factor uint64
	}{{31, 0x94d049bb133111eb}, {27, 0xbf58476d1ce4e5b9}, {30, 1}} {
		y := x
		for range 64 / step.shift {
			y = x ^ y>>step.shift
		}
		inverse := uint64(1)
		for range 6 { // Newton's iteration doubles the bits that are right
			inverse *= 2 - step.factor*inverse
		}
		x = y * inverse
	}
	return x
}
