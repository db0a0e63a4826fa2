// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net/netip"
	"slices"
	"time"

	"traceflow"
)

// request is one call of Engine.Probe.
type request struct {
	tasks  []*task    // in the caller's order
	open   int        // tasks not done
	result chan error // buffered, so that the owner never waits for the caller
}

// cancellation asks the owner to give a request up.
type cancellation struct {
	request *request
	why     error
}

// task is one probe that was asked for, with all its attempts.
type task struct {
	request  *request
	flow     *flowState
	probe    traceflow.Probe
	attempts []*attempt
	tries    int // attempts that count against the retries
	done     bool
}

// has reports whether an attempt is in a state.
func (t *task) has(state attemptState) bool {
	return slices.ContainsFunc(t.attempts, func(a *attempt) bool { return a.state == state })
}

// attemptState follows one packet.
type attemptState uint8

const (
	// waitingState: sent, and a reply would count.
	waitingState attemptState = iota
	// answeredState: its reply came; another one is a duplicate.
	answeredState
	// goneState: given up, or never sent; a reply is late.
	goneState
	// discardedState: a reply came that could have been this one's or another
	// one's, so the packet says nothing and is sent again.
	discardedState
)

// attempt is one packet.
type attempt struct {
	task   *task
	number int // from 1
	id     identity
	// tcpChecksum is that of the segment as sent.
	tcpChecksum uint16
	sent        time.Time
	err         error
	state       attemptState
	// overdue: its timeout has passed and a retry was sent; a reply still
	// counts until the retry has timed out too.
	overdue bool
	// abandoned: its request was cancelled before its time was over.
	abandoned bool
	reply     traceflow.Reply
}

func (a *attempt) exchange() traceflow.Exchange {
	return traceflow.Exchange{
		Flow: a.task.probe.Flow.ID, TTL: a.task.probe.TTL, Attempt: a.number,
		Sent: a.sent, Err: a.err, Reply: a.reply, Abandoned: a.abandoned,
	}
}

// flowState is what the engine knows of one flow on the wire.
type flowState struct {
	key flowKey
	// packets holds every attempt by its tag until it is forgotten.
	packets map[tag]*attempt
	// waiting counts the attempts in waitingState, open the tasks not done.
	waiting, open int
	// shifts are what quotes of the flow have shown that NATs do to its packets, see
	// shifted.
	shifts map[shiftKey]*shift

	// serial flows go on with one packet in flight: because the wire can no
	// more, or because of what follows.
	serial bool
	// The rest is for replies that name the flow but not the packet: quotes
	// that are too short where the wire sees no header, and servers' answers.
	// nameless is set when such a reply is to be expected.
	nameless     bool
	unattributed int          // replies that could belong to any waiting attempt
	voices       []netip.Addr // who sent them
	held         []*task      // tasks that wait for their turn
	// ghosts are packets that left flight without a reply, for as long as one
	// may come. It would pass for the reply to whatever is in flight then.
	ghosts []ghost // the first to go first
}

// ghost is a packet whose reply may still come, until the longest that replies
// are waited for.
type ghost struct {
	*attempt
	until time.Time
}

func (f *flowState) haunt(a *attempt, until time.Time) {
	f.ghosts = append(f.ghosts, ghost{a, until})
	slices.SortStableFunc(f.ghosts, func(a, b ghost) int { return a.until.Compare(b.until) })
}

// layGhosts drops those whose time has passed.
func (f *flowState) layGhosts(now time.Time) {
	f.ghosts = slices.DeleteFunc(f.ghosts, func(g ghost) bool { return !now.Before(g.until) })
}

// layGhost drops the one whose reply has come.
func (f *flowState) layGhost(a *attempt) {
	f.ghosts = slices.DeleteFunc(f.ghosts, func(g ghost) bool { return g.attempt == a })
}

// haunted reports whether the reply to another task's packet may still come.
func (f *flowState) haunted(t *task) bool {
	return slices.ContainsFunc(f.ghosts, func(g ghost) bool { return g.task != t })
}
