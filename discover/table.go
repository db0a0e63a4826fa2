// SPDX-License-Identifier: BSD-3-Clause

package discover

import "traceflow"

// What a flow is known to meet at a TTL: the number of a node at that TTL, or
// one of these.
const (
	unasked int32 = -1
	silent  int32 = -2 // asked, and not answered
	over    int32 = -3 // its path ended at a lower TTL
)

// row is what is known of one flow.
type row struct {
	flow      traceflow.Flow
	exchanges []traceflow.Exchange
	walk      traceflow.Walk
	cells     []int32 // by TTL
	tries     []uint8 // by TTL: packets sent
	stale     bool    // exchanges were added since the walk was made
	extra     bool    // chosen for a test of its own: it counts for no other
}

// column is what is known of one TTL.
type column struct {
	nodes map[traceflow.Responder]int32
	// counts are the flows known to be at each node; known adds them up, those
	// whose path is over included.
	counts []int
	known  int
	over   int // flows whose path ended before
	silent int // flows asked and not answered
}

// responders returns the nodes by their numbers.
func (c *column) responders() []traceflow.Responder {
	out := make([]traceflow.Responder, len(c.counts))
	for who, n := range c.nodes {
		out[n] = who
	}
	return out
}

// kinds is how many different things flows meet at the TTL. That their path is
// over is one of them.
func (c *column) kinds() int {
	if c.over > 0 {
		return len(c.counts) + 1
	}
	return len(c.counts)
}

// table is everything a discovery knows, by flow and TTL.
type table struct {
	mapper  FlowMapper
	first   int
	max     int
	rows    []*row
	columns []column // by TTL
	who     traceflow.Responders
	drained bool // the mapper has no more flows
	refused int  // flows in a row of which this host could send no packet
}

// maxRefused is after how many flows in a row that this host could not send a
// packet of, for want of sockets say, no more are tried.
const maxRefused = 16

func newTable(mapper FlowMapper, first, highest int) *table {
	t := &table{mapper: mapper, first: first, max: highest, columns: make([]column, highest+2)}
	for i := range t.columns {
		t.columns[i].nodes = make(map[traceflow.Responder]int32)
	}
	return t
}

// tableOf makes a table of finished walks, for what it can say about them.
func tableOf(walks []traceflow.Walk) *table {
	first, last := 1, 1
	for i := range walks {
		first, last = int(walks[i].First), max(last, walks[i].Distance())
	}
	t := newTable(nil, first, last)
	for i := range walks {
		r := t.newRow(walks[i].Flow)
		r.walk = walks[i]
		for j := range r.walk.Hops {
			if r.walk.Hops[j].Kind == traceflow.NoReply && first+j <= r.walk.LastAnswered() {
				r.tries[first+j] = 1
			}
		}
		t.who.Learn(&r.walk)
		t.rows = append(t.rows, r)
	}
	for _, r := range t.rows {
		t.fill(r)
	}
	t.update()
	return t
}

// newRow returns a row that nothing is known of.
func (t *table) newRow(flow traceflow.Flow) *row {
	r := &row{flow: flow, cells: make([]int32, t.max+2), tries: make([]uint8, t.max+2)}
	for i := range r.cells {
		r.cells[i] = unasked
	}
	r.walk = traceflow.Walk{Flow: flow, First: uint8(t.first)}
	return r
}

// row returns the row of a flow, taking it from the mapper if it is new, or
// nil if there are no more flows.
func (t *table) row(index int) *row {
	for len(t.rows) <= index {
		if t.refused >= maxRefused {
			return nil
		}
		flow, ok := t.mapper(len(t.rows))
		if !ok {
			t.drained = true
			return nil
		}
		t.rows = append(t.rows, t.newRow(flow))
	}
	return t.rows[index]
}

// add files exchanges; update must follow.
func (t *table) add(exchanges []traceflow.Exchange) {
	for i := range exchanges {
		e := exchanges[i]
		r := t.rows[e.Flow-1]
		if fresh := len(r.exchanges) == 0; fresh && e.Err != nil {
			t.refused++
		} else if e.Err == nil {
			t.refused = 0
		}
		r.exchanges = append(r.exchanges, e)
		r.stale = true
	}
}

// update brings rows and columns up to date with the exchanges.
func (t *table) update() {
	t.refresh()
	for i := range t.columns {
		c := &t.columns[i]
		clear(c.counts)
		c.known, c.over, c.silent = 0, 0, 0
	}
	for _, r := range t.rows {
		if r.extra {
			continue
		}
		for ttl := t.first; ttl <= t.max; ttl++ {
			c := &t.columns[ttl]
			switch node := r.cells[ttl]; node {
			case unasked:
			case silent:
				c.silent++
			case over:
				c.over++
				c.known++
			default:
				c.counts[node]++
				c.known++
			}
		}
	}
}

// refresh derives the walks and cells of rows from exchanges that were added.
// Where these say that replies are from others than was thought, all rows are
// filled again, and nodes have other numbers.
func (t *table) refresh() {
	changed := false
	for _, r := range t.rows {
		if !r.stale {
			continue
		}
		r.walk = traceflow.NewWalk(r.flow, uint8(t.first), r.exchanges)
		if to := t.rows[0].flow.Destination; r.flow.Destination != to {
			r.walk.Alias = to
		}
		changed = t.who.Learn(&r.walk) || changed
	}
	if changed {
		for i := range t.columns {
			clear(t.columns[i].nodes)
			t.columns[i].counts = nil
		}
	}
	for _, r := range t.rows {
		if r.stale || changed {
			r.stale = false
			t.fill(r)
		}
	}
}

// fill derives a row's cells from its walk.
func (t *table) fill(r *row) {
	ended := r.ended()
	for ttl := t.first; ttl < len(r.cells); ttl++ {
		i := ttl - t.first
		switch {
		case i < len(r.walk.Hops) && r.walk.Hops[i].Kind.Answered():
			r.cells[ttl] = t.node(ttl, t.who.At(&r.walk, ttl, &r.walk.Hops[i]))
		case ended && i >= len(r.walk.Hops):
			r.cells[ttl] = over
		case r.tries[ttl] > 0:
			r.cells[ttl] = silent
		default:
			r.cells[ttl] = unasked
		}
	}
}

func (t *table) node(ttl int, who traceflow.Responder) int32 {
	c := &t.columns[ttl]
	n, ok := c.nodes[who]
	if !ok {
		n = int32(len(c.counts))
		c.nodes[who] = n
		c.counts = append(c.counts, 0)
	}
	return n
}

// addRow adds a flow that is not one of the mapper's, and returns its row.
func (t *table) addRow(flow traceflow.Flow) *row {
	flow.ID = len(t.rows) + 1
	r := t.newRow(flow)
	r.extra = true
	t.rows = append(t.rows, r)
	return r
}

// ended reports whether it is known where the flow's path ends.
func (r *row) ended() bool {
	return r.walk.End == traceflow.EndReached || r.walk.End == traceflow.EndUnreachable
}

// pair is the link, or the end, that a flow shows between two TTLs.
type pair struct{ near, far int32 }

// pairs counts what the flows that are known at both TTLs show between them.
func (t *table) pairs(ttl int) (links map[pair]int, flows int) {
	links = make(map[pair]int)
	for _, r := range t.rows {
		near, far := r.cells[ttl], r.cells[ttl+1]
		if r.extra || near == unasked || near == silent || far == unasked || far == silent {
			continue
		}
		links[pair{near, far}]++
		flows++
	}
	return links, flows
}
