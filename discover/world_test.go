// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// world answers the probes of an algorithm from a topology in memory, without
// packets: the runs of the guarantee are counted in millions of probes. It
// lives in a synctest bubble, where time passes when everybody waits. Which way a flow takes is decided by internal/topology, as
// everywhere else.
//
// A world belongs to one test. reset starts a run: new hash seeds for every
// node, new source ports in a new order, all of it from the run's seed.
type world struct {
	top   *topology.Topology
	table *topology.Table
	truth truth
	// retries is how often the engine that is played sends an unanswered probe
	// again.
	retries int
	// loss is the share of replies that are lost.
	loss float64
	// limit is every node's rate limit; none if its Burst is 0.
	limit topology.RateLimit

	node   [1 << 16]int16 // by the low half of its IPv4 address
	source netip.Addr
	goal   netip.Addr

	mu      sync.Mutex // guards what follows
	seed    uint64
	flows   []worldFlow // by Flow.ID - 1
	probes  int         // packets sent in this run
	batches int         // calls of Probe in this run
	buckets []bucket    // by node
	ports   portOrder
}

// roundTrip is how long every answer takes, in the time of a synctest bubble.
const roundTrip = 10 * time.Millisecond

// maxTTL is how far algorithms may probe.
const maxTTL = 32

// deepest is more than the longest way through any network here.
const deepest = 24

// worldFlow is what one flow of a run meets.
type worldFlow struct {
	port   uint16
	length uint8
	path   [deepest]int16
	asked  [deepest]uint8 // packets sent, by TTL
}

// newWorld reads a network; body is a topology section without its head.
func newWorld(t testing.TB, body string, hash topology.Hash) *world {
	t.Helper()
	top := topologytest.Parse(t, "family 4\nnode src source\nnode dst destination\n"+body)
	w := &world{top: top, retries: 2}
	for i := range top.Nodes {
		n := &top.Nodes[i]
		n.Hash = hash
		a := n.Address4.As4()
		w.node[int(a[2])<<8|int(a[3])] = int16(i + 1)
	}
	w.table = top.Table()
	w.truth = newTruth(top, w.table)
	w.source, w.goal = top.Nodes[top.Source].Address4, top.Nodes[top.Destination].Address4
	w.buckets = make([]bucket, len(top.Nodes))
	return w
}

// reset starts the run of a seed.
func (w *world) reset(seed uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rng := rand.New(rand.NewPCG(seed, 0x74726163))
	for i := range w.top.Nodes {
		w.top.Nodes[i].HashSeed = rng.Uint64()
	}
	w.seed = rng.Uint64()
	w.flows = w.flows[:0]
	w.probes, w.batches = 0, 0
	clear(w.buckets)
	w.ports.reset(rng.Uint64())
}

// flow returns the flow of an index: discover.FlowMapper.
func (w *world) flow(index int) (traceflow.Flow, bool) {
	port, ok := w.ports.at(index)
	return traceflow.Flow{
		ID: index + 1, Protocol: traceflow.ProtocolUDP, Source: w.source, Destination: w.goal,
		SourcePort: port, DestinationPort: 33452,
	}, ok
}

// Probe answers what is asked, in order.
func (w *world) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	// Where the bubble's time is at a standstill until everybody sleeps, the
	// order of things is always the same: the scout, alone in its batch, hears
	// before the round that it is sent beside ends.
	pause := roundTrip
	if len(probes) == 1 && probes[0].TTL == maxTTL {
		pause = roundTrip * 9 / 10
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches++
	now := time.Now()
	out := make([]traceflow.Exchange, 0, len(probes)+int(float64(len(probes))*w.loss*1.5))
	for i := range probes {
		p := &probes[i]
		f := w.follow(&p.Flow)
		for attempt := 1; attempt <= w.retries+1; attempt++ {
			w.probes++
			e := traceflow.Exchange{Flow: p.Flow.ID, TTL: p.TTL, Attempt: attempt, Sent: now}
			w.answer(f, p, now, &e.Reply)
			out = append(out, e)
			if e.Reply.Kind != traceflow.NoReply {
				break
			}
		}
	}
	return out, nil
}

// answer fills in the reply to a probe; it stays zero for none.
func (w *world) answer(f *worldFlow, p *traceflow.Probe, now time.Time, r *traceflow.Reply) {
	at := min(p.TTL, f.length)
	n := f.path[at-1]
	node := &w.top.Nodes[n]
	turn := f.asked[min(int(p.TTL), deepest)-1]
	f.asked[min(int(p.TTL), deepest)-1]++
	if node.Silent {
		return
	}
	if w.loss > 0 {
		key := w.seed ^ uint64(p.Flow.ID)<<24 ^ uint64(p.TTL)<<16 ^ uint64(turn)
		if float64(scramble(key)>>11)/(1<<53) < w.loss {
			return
		}
	}
	if w.limit.Burst > 0 && !w.buckets[n].take(w.limit, now) {
		return
	}
	r.Kind, r.Address, r.ICMPType, r.QuotedTTL, r.HeaderQuoted = traceflow.TimeExceeded, node.Address4, 11, 1, true
	r.TTL = 64 - at + 1
	if int(n) == w.top.Destination {
		r.Kind, r.ICMPType, r.ICMPCode = traceflow.PortUnreachable, 3, 3
		r.QuotedTTL = p.TTL - at + 1
	}
}

// follow returns the way of a flow, which is looked up once in a run.
func (w *world) follow(flow *traceflow.Flow) *worldFlow {
	for len(w.flows) < flow.ID {
		if len(w.flows) < cap(w.flows) {
			w.flows = w.flows[:len(w.flows)+1]
			w.flows[len(w.flows)-1].length = 0
			continue
		}
		w.flows = append(w.flows, worldFlow{})
	}
	f := &w.flows[flow.ID-1]
	if f.length > 0 && f.port == flow.SourcePort {
		return f
	}
	*f = worldFlow{port: flow.SourcePort}
	for at := w.top.Source; at != w.top.Destination; f.length++ {
		at = w.top.Edges[w.table.ByFlow(at, flow)].To
		f.path[f.length] = int16(at)
	}
	return f
}

// at returns the node that the flow of an index meets at a TTL: what the
// models of other algorithms probe.
func (w *world) at(index, ttl int) int {
	if index < len(w.flows) {
		if f := &w.flows[index]; f.length > 0 {
			return int(f.path[min(ttl, int(f.length))-1])
		}
	}
	flow, ok := w.flow(index)
	if !ok {
		panic("out of flows")
	}
	f := w.follow(&flow)
	return int(f.path[min(ttl, int(f.length))-1])
}

// number returns the index of the node with an address, or -1.
func (w *world) number(a netip.Addr) int {
	if !a.Is4() {
		return -1
	}
	octets := a.As4()
	n := int(w.node[int(octets[2])<<8|int(octets[3])]) - 1
	if n < 0 || w.top.Nodes[n].Address4 != a {
		return -1
	}
	return n
}

// bucket is the state of a token bucket; the zero bucket is full.
type bucket struct {
	spent int
	since time.Time // when the first of the spent was, less what was refilled
}

func (b *bucket) take(limit topology.RateLimit, now time.Time) bool {
	if b.spent > 0 {
		back := min(b.spent, int(now.Sub(b.since)/limit.Interval))
		b.spent -= back
		b.since = b.since.Add(time.Duration(back) * limit.Interval)
	}
	if b.spent == 0 {
		b.since = now
	}
	if b.spent >= limit.Burst {
		return false
	}
	b.spent++
	return true
}

// truth is every link that some flow can take and see: both ends answer. The
// link into TTL 1 comes from the vantage point.
type truth struct {
	index map[trueLink]int
	share []float64 // of the flows, by index
	hops  int       // TTLs to the destination
}

type trueLink struct {
	ttl      uint8 // of the farther end
	from, to int
}

func newTruth(top *topology.Topology, table *topology.Table) truth {
	tr := truth{index: make(map[trueLink]int)}
	layer := map[int]float64{top.Source: 1}
	for ttl := uint8(1); len(layer) > 0; ttl++ {
		next := make(map[int]float64)
		for n := range top.Nodes {
			share, ok := layer[n]
			if !ok {
				continue
			}
			total := 0
			for _, e := range table.Edges(n) {
				total += max(1, top.Edges[e].Weight)
			}
			for _, e := range table.Edges(n) {
				to := top.Edges[e].To
				part := share * float64(max(1, top.Edges[e].Weight)) / float64(total)
				next[to] += part
				if top.Nodes[n].Silent || top.Nodes[to].Silent {
					continue
				}
				tr.index[trueLink{ttl, n, to}] = len(tr.share)
				tr.share = append(tr.share, part)
			}
		}
		if len(next) > 0 {
			tr.hops++
		}
		layer = next
	}
	return tr
}

// check compares a result with the truth: seen is how many true links were
// answered on at both ends by one flow, of those that have at least the share
// of the flows that is given for the TTL of their farther end; nil is all. Whatever was answered and is not true is an error; what
// was inferred may be wrong only where a link was missed.
func (w *world) check(r *discover.Result, shares []float64) (seen, of int, err error) {
	found := make([]bool, len(w.truth.share))
	var wrong error
	for i := range r.Walks {
		walk := &r.Walks[i]
		f := w.follow(&walk.Flow)
		before := w.top.Source
		for h := range walk.Hops {
			ttl, kind := int(walk.First)+h, walk.Hops[h].Kind
			if !kind.Answered() && kind != traceflow.Inferred {
				before = -1
				continue
			}
			n := w.number(walk.Hops[h].Address)
			if ttl > int(f.length) || n != int(f.path[ttl-1]) {
				no := fmt.Errorf("flow %d has %v %v at TTL %d, which is not on its way", walk.Flow.ID, walk.Hops[h].Address, kind, ttl)
				if kind.Answered() {
					return 0, 0, no
				}
				wrong = no
			}
			if !kind.Answered() {
				before = -1
				continue
			}
			if before >= 0 {
				link, ok := w.truth.index[trueLink{uint8(ttl), before, n}]
				if !ok {
					return 0, 0, fmt.Errorf("flow %d: no true link from %d to %d at TTL %d", walk.Flow.ID, before, n, ttl)
				}
				found[link] = true
			}
			before = n
		}
	}
	all := true
	for link, i := range w.truth.index {
		all = all && found[i]
		if shares != nil && w.truth.share[i] < shares[link.ttl] {
			continue
		}
		of++
		if found[i] {
			seen++
		}
	}
	if all && wrong != nil {
		return 0, 0, fmt.Errorf("every link was seen, and yet %w", wrong)
	}
	return seen, of, nil
}

// checkGraph compares the graph made of a result with the truth: links is how
// many true links it has between nodes that answered, those into TTL 1 not
// counted, for the graph does not hold them.
func (w *world) checkGraph(r *discover.Result) (links int, err error) {
	g := traceflow.NewGraph(r.Walks, r.Exchanges)
	nodes := make(map[string]*traceflow.Node, len(g.Nodes))
	for i := range g.Nodes {
		nodes[g.Nodes[i].ID] = &g.Nodes[i]
	}
	for _, l := range g.Links {
		if l.Inferred {
			continue
		}
		from, to := nodes[l.From], nodes[l.To]
		if _, ok := w.truth.index[trueLink{to.TTL, w.number(from.Address), w.number(to.Address)}]; !ok {
			return 0, fmt.Errorf("the graph has a link %v > %v at TTL %d, which is not true", from.Address, to.Address, to.TTL)
		}
		links++
	}
	return links, nil
}

// linksBeyondFirst is how many true links do not end at TTL 1.
func (w *world) linksBeyondFirst() int {
	n := 0
	for l := range w.truth.index {
		if l.ttl > 1 {
			n++
		}
	}
	return n
}

// portOrder is a random order of the source ports, drawn as far as it is
// asked for.
type portOrder struct {
	ports []uint16
	swaps []int
	state uint64
}

// The ports that flows use.
const (
	firstPort = 33453
	lastPort  = 65535
)

func (p *portOrder) reset(seed uint64) {
	if p.ports == nil {
		p.ports = make([]uint16, lastPort-firstPort+1)
		for i := range p.ports {
			p.ports[i] = uint16(firstPort + i)
		}
	}
	for i := len(p.swaps) - 1; i >= 0; i-- {
		j := p.swaps[i]
		p.ports[i], p.ports[j] = p.ports[j], p.ports[i]
	}
	p.swaps, p.state = p.swaps[:0], seed
}

func (p *portOrder) at(index int) (uint16, bool) {
	if index >= len(p.ports) {
		return 0, false
	}
	for i := len(p.swaps); i <= index; i++ {
		p.state += 0x9e3779b97f4a7c15
		j := i + int(scramble(p.state)%uint64(len(p.ports)-i))
		p.ports[i], p.ports[j] = p.ports[j], p.ports[i]
		p.swaps = append(p.swaps, j)
	}
	return p.ports[index], true
}

// scramble is the finaliser of SplitMix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// runSeed makes the seed of one run of a named test.
func runSeed(name string, run int) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return scramble(h ^ uint64(run))
}

// The hash families and their names.
var hashes = []struct {
	name string
	hash topology.Hash
}{
	{"CRC16", topology.CRC16},
	{"CRC32", topology.CRC32},
	{"Toeplitz", topology.Toeplitz},
	{"XOR", topology.XOR},
	{"Jenkins", topology.Jenkins},
}

// The networks of the claim and of the comparison. All have one router before
// the first choice, so that the first link does not go unnoticed.
var (
	meshed8x8 = "link src > r > a[1..8] > b[1..8] > dst"
	plain8x8  = "link src > r > a[1..8]\n" + lines(8, "link a%d > b%[1]d > dst")
	plain42   = "link src > r > a[1..4]\nlink a1 a2 > b1\nlink a3 a4 > b2\nlink b1 b2 > dst"
	meshed42  = "link src > r > a[1..4] > b1 b2 > dst"
	tree      = "link src > r > a1 a2\nlink a1 > b1 b2\nlink a2 > b3 b4\n" +
		"link b1 > c1 c2\nlink b2 > c3 c4\nlink b3 > c5 c6\nlink b4 > c7 c8\n" +
		"link c1 c2 > d1\nlink c3 c4 > d2\nlink c5 c6 > d3\nlink c7 c8 > d4\n" +
		"link d1 d2 > e1\nlink d3 d4 > e2\nlink e1 e2 > dst"
	clos = "link src > r > u[1..4]\nlink u1 > s[1..4] > d1\nlink u2 > s[5..8] > d2\n" +
		"link u3 > s[9..12] > d3\nlink u4 > s[13..16] > d4\nlink d[1..4] > dst"
	unequal  = "link src > r > a1 a2*2 a3*5 > c > dst"
	straight = "link src > r1 > r2 > r3 > r4 > r5 > r6 > r7 > r8 > r9 > r10 > r11 > r12 > r13 > r14 > dst"
)

func wide(k int) string { return fmt.Sprintf("link src > r > a[1..%d] > dst", k) }

func lines(n int, format string) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}
