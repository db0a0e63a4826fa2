// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"math"
	"slices"
	"testing"

	"traceflow/discover"
	"traceflow/internal/topology"
)

// model is what an algorithm that only counts probes knows: one probe for each
// flow and TTL, every one answered.
type model struct {
	w      *world
	alpha  float64 // of each single test
	probes int
	hops   []modelHop // by TTL; at 0 the vantage point
}

// modelHop is what is known at one TTL.
type modelHop struct {
	nodes   []int         // in the order of their discovery
	flows   map[int][]int // flows by node, in the order of their probes
	node    map[int]int   // node by flow
	highest int           // no flow from here on was probed
}

func newModel(w *world, alpha float64) *model {
	m := &model{w: w, alpha: alpha, hops: make([]modelHop, w.truth.hops+1)}
	for i := range m.hops {
		m.hops[i] = modelHop{flows: make(map[int][]int), node: make(map[int]int)}
	}
	m.hops[0].nodes = []int{w.top.Source}
	return m
}

// probe returns the node that a flow meets at a TTL; TTL 0 costs nothing.
func (m *model) probe(flow, ttl int) int {
	if ttl == 0 {
		return m.w.top.Source
	}
	h := &m.hops[ttl]
	if n, ok := h.node[flow]; ok {
		return n
	}
	m.probes++
	n := m.w.at(flow, ttl)
	h.node[flow] = n
	h.flows[n] = append(h.flows[n], flow)
	if !slices.Contains(h.nodes, n) {
		h.nodes = append(h.nodes, n)
	}
	h.highest = max(h.highest, flow+1)
	return n
}

// probed says whether the flow was probed at the TTL.
func (m *model) probed(flow, ttl int) bool {
	_, ok := m.hops[ttl].node[flow]
	return ok
}

// nodes returns those known at a TTL, and known ones only: probes may add to
// them while they are looked through.
func (m *model) nodes(ttl int) []int { return m.hops[ttl].nodes }

// fresh returns the first flow that was probed neither at the TTL nor at the
// one before it.
func (m *model) fresh(ttl int) int {
	f := m.hops[ttl].highest
	if ttl > 0 {
		f = max(f, m.hops[ttl-1].highest)
	}
	return f
}

// alone returns the one node that was found at a TTL, if there is just one.
// The models take it that every flow passes it and do not probe it for that;
// so do the programs that they stand for.
func (m *model) alone(ttl int) (int, bool) {
	if nodes := m.nodes(ttl); len(nodes) == 1 {
		return nodes[0], true
	}
	return -1, false
}

// links counts the true links that the probes show.
func (m *model) links() int {
	seen := make(map[trueLink]bool)
	for ttl := 1; ttl < len(m.hops); ttl++ {
		for flow, to := range m.hops[ttl].node {
			from, ok := m.hops[ttl-1].node[flow]
			if !ok {
				from, ok = m.alone(ttl - 1)
			}
			if ok {
				seen[trueLink{uint8(ttl), from, to}] = true
			}
		}
	}
	return len(seen)
}

// mda is the Multipath Detection Algorithm with node control (Augustin et al.,
// E2EMON 2007; Veitch et al., INFOCOM 2009): for each node, flows that pass
// it, until their number reaches the stopping point of one more next hop than
// was seen.
func (m *model) mda() {
	for ttl := range len(m.hops) - 1 {
		for i := 0; i < len(m.nodes(ttl)); i++ {
			m.successors(ttl, m.nodes(ttl)[i])
		}
	}
}

// successors makes the test of one node.
func (m *model) successors(ttl, node int) {
	_, alone := m.alone(ttl)
	passed, next := 0, 0
	seen := make(map[int]bool)
	for passed < discover.StoppingPoint(max(2, len(seen)+1), m.alpha) {
		f := next
		if !alone {
			for next == len(m.hops[ttl].flows[node]) {
				m.search(ttl, node)
			}
			f = m.hops[ttl].flows[node][next]
		}
		next++
		passed++
		seen[m.probe(f, ttl+1)] = true
	}
}

// search sends one more probe to the TTL of a node in order to find a flow
// that passes it: one that passes a node from which it was reached if such a
// flow is left, else a new one.
func (m *model) search(ttl, node int) {
	before := m.hops[max(0, ttl-1)]
	if ttl > 1 {
		from := make(map[int]bool)
		for _, f := range m.hops[ttl].flows[node] {
			if n, ok := before.node[f]; ok {
				from[n] = true
			}
		}
		for _, n := range before.nodes {
			if !from[n] {
				continue
			}
			for _, f := range before.flows[n] {
				if !m.probed(f, ttl) {
					m.probe(f, ttl)
					return
				}
			}
		}
	}
	m.probe(m.fresh(ttl), ttl)
}

// phi is how many flows of each node the MDA-Lite follows to look for meshes.
const phi = 2

// lite is the MDA-Lite (Vermeulen et al., IMC 2018): the stopping rule for
// each TTL instead of each node, at least one flow of each node followed to
// the other side, and phi flows of each node on the wider side; where these
// show that the pair is meshed, the MDA for the pair. What it does about
// unequal widths without meshing is left out: no network here has it.
func (m *model) lite() {
	for ttl := 1; ttl < len(m.hops); ttl++ {
		m.vertices(ttl)
		m.completion(ttl)
		if m.meshed(ttl) {
			for i := 0; i < len(m.nodes(ttl-1)); i++ {
				m.successors(ttl-1, m.nodes(ttl - 1)[i])
			}
		}
	}
}

// vertices finds the nodes at a TTL. One flow of each node before it comes
// first, then the other known flows, then new ones.
func (m *model) vertices(ttl int) {
	var order []int
	for _, n := range m.nodes(ttl - 1) {
		if flows := m.hops[ttl-1].flows[n]; len(flows) > 0 {
			order = append(order, flows[0])
		}
	}
	atLeast := len(order)
	for f := range m.hops[ttl-1].highest {
		if m.probed(f, ttl-1) && !slices.Contains(order[:atLeast], f) {
			order = append(order, f)
		}
	}
	for i := 0; ; i++ {
		found := len(m.nodes(ttl))
		if i >= atLeast && i >= discover.StoppingPoint(max(2, found+1), m.alpha) {
			return
		}
		if i < len(order) {
			m.probe(order[i], ttl)
		} else {
			m.probe(m.fresh(ttl), ttl)
		}
	}
}

// completion follows one flow of each node back that came from a new flow.
func (m *model) completion(ttl int) {
	if _, alone := m.alone(ttl - 1); alone {
		return
	}
	for _, n := range m.nodes(ttl) {
		known := slices.ContainsFunc(m.hops[ttl].flows[n], func(f int) bool { return m.probed(f, ttl-1) })
		if !known {
			m.probe(m.hops[ttl].flows[n][0], ttl-1)
		}
	}
}

// meshed follows phi flows of each node on the wider side to the other, where
// both have more than one node.
func (m *model) meshed(ttl int) bool {
	if len(m.nodes(ttl-1)) < 2 || len(m.nodes(ttl)) < 2 {
		return false
	}
	wide, other := ttl-1, ttl
	if len(m.nodes(ttl)) > len(m.nodes(ttl-1)) {
		wide, other = ttl, ttl-1
	}
	meshed := false
	for _, n := range slices.Clone(m.nodes(wide)) {
		for len(m.hops[wide].flows[n]) < phi {
			m.search(wide, n)
		}
		flows := slices.Clone(m.hops[wide].flows[n])
		// Those followed already come first: they cost nothing.
		slices.SortStableFunc(flows, func(a, b int) int {
			return unknownLast(m.probed(a, other)) - unknownLast(m.probed(b, other))
		})
		neighbours := make(map[int]bool)
		for i, f := range flows {
			if i < phi || m.probed(f, other) {
				neighbours[m.probe(f, other)] = true
			}
		}
		meshed = meshed || len(neighbours) > 1
	}
	return meshed
}

func unknownLast(known bool) int {
	if known {
		return 0
	}
	return 1
}

// tests counts the stopping rules that an algorithm has to apply in a network,
// for the union bound: the chance of 1 − confidence is divided among them. The
// models are told this number, which a program has to find out.
func (w *world) tests() (mda, lite, pairs int) {
	layers := make([]map[int]bool, w.truth.hops+1)
	for i := range layers {
		layers[i] = make(map[int]bool)
	}
	layers[0][w.top.Source] = true
	out := make([]int, w.truth.hops+1)
	in := make(map[trueLink]int)
	for l := range w.truth.index {
		layers[l.ttl][l.to] = true
		out[l.ttl]++
		in[trueLink{ttl: l.ttl, to: l.to}]++
	}
	for ttl := 1; ttl < len(layers); ttl++ {
		mda += len(layers[ttl-1])
		lite++
		pairs++
		if out[ttl] > max(len(layers[ttl-1]), len(layers[ttl])) {
			lite += len(layers[ttl-1]) // a meshed pair
		}
	}
	return mda, lite, pairs
}

// compared are the networks of the comparison.
var compared = []struct{ name, body string }{
	{"straight, 15 hops", straight},
	{"1-2-1", "link src > r > a1 a2 > c > dst"},
	{"1-4-2-1", plain42},
	{"1-4-2-1 meshed", meshed42},
	{"1-8-8-1", plain8x8},
	{"1-8-8-1 meshed", meshed8x8},
	{"1-16-1", wide(16)},
	{"1-28-1", wide(28)},
	{"tree 1-2-4-8-4-2-1", tree},
	{"clos 1-4-16-4-1", clos},
}

// modelled is what a model came to in a number of runs.
func modelled(w *world, name string, runs int, alpha float64, run func(*model)) tally {
	var c tally
	for range runs {
		w.reset(runSeed(name, c.runs))
		m := newModel(w, alpha)
		run(m)
		c.runs++
		c.probes += m.probes
		if links := m.links(); links < len(w.truth.share) {
			c.misses++
		}
	}
	return c
}

// TestModels sees that the models cost what they are known to at 0.05 for
// each test: algorithms of the same kind, simulated for this project before.
func TestModels(t *testing.T) {
	if testing.Short() {
		t.Skip("takes means of many runs")
	}
	want := map[string][2]float64{ // probes of MDA and MDA-Lite
		"straight, 15 hops": {90, 90}, "1-2-1": {38, 29}, "1-4-2-1": {75, 46}, "1-4-2-1 meshed": {118, 119},
		"1-8-8-1": {180, 106}, "1-8-8-1 meshed": {847, 851}, "1-16-1": {278, 119}, "1-28-1": {508, 215},
		"tree 1-2-4-8-4-2-1": {241, 135}, "clos 1-4-16-4-1": {397, 189},
	}
	for _, tt := range compared {
		w := newWorld(t, tt.body, topology.Jenkins)
		mda := modelled(w, tt.name, 100, 0.05, (*model).mda)
		lite := modelled(w, tt.name, 100, 0.05, (*model).lite)
		t.Logf("%-20s MDA %6.1f (want %4g) misses %.3f   MDA-Lite %6.1f (want %4g) misses %.3f", tt.name,
			mda.meanProbes(), want[tt.name][0], mda.rate(), lite.meanProbes(), want[tt.name][1], lite.rate())
		for i, got := range []float64{mda.meanProbes(), lite.meanProbes()} {
			if r := got / want[tt.name][i]; r < 0.9 || r > 1.05 {
				t.Errorf("%s: %.1f probes, want about %g", tt.name, got, want[tt.name][i])
			}
		}
	}
}

// TestCost compares the probes of the three at the same confidence of the
// whole map: never more than the MDA, and at most 1.4 times the MDA-Lite.
func TestCost(t *testing.T) {
	const confidence = 0.95
	if testing.Short() {
		t.Skip("takes means of many runs")
	}
	runs := 200
	if full() {
		runs = 2000
	}
	t.Logf("| network | links | MDA | MDA-Lite | ours | of MDA | of Lite | rounds | missed: MDA | MDA-Lite | ours |")
	for _, tt := range compared {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.body, topology.Jenkins)
			nMDA, nLite, _ := w.tests()
			mda := modelled(w, t.Name(), runs, (1-confidence)/float64(nMDA), (*model).mda)
			lite := modelled(w, t.Name(), runs, (1-confidence)/float64(nLite), (*model).lite)
			ours := w.tally(t, discover.Adaptive{Confidence: confidence, SkipBalancers: true}, runs, math.MaxInt, nil)
			ofMDA, ofLite := ours.meanProbes()/mda.meanProbes(), ours.meanProbes()/lite.meanProbes()
			t.Logf("| %s | %d | %.0f | %.0f | %.0f | %.2f | %.2f | %.1f | %.4f | %.4f | %.4f |", tt.name, len(w.truth.share),
				mda.meanProbes(), lite.meanProbes(), ours.meanProbes(), ofMDA, ofLite,
				float64(ours.batches)/float64(ours.runs), mda.rate(), lite.rate(), ours.rate())
			if ofMDA > 1 {
				t.Errorf("%.1f probes, %.2f times those of the MDA", ours.meanProbes(), ofMDA)
			}
			if ofLite > 1.4 {
				t.Errorf("%.1f probes, %.2f times those of the MDA-Lite", ours.meanProbes(), ofLite)
			}
		})
	}
}
