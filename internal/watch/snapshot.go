// SPDX-License-Identifier: BSD-3-Clause

package watch

import (
	"slices"
	"time"

	"traceflow"
)

// Snapshot is what is known at one moment. Nothing in it changes any more.
type Snapshot struct {
	// Round counts from 1; that one may be under way. 0 is before the first.
	Round int
	// Elapsed is how long statistics have been kept.
	Elapsed time.Duration
	// Paths has all paths of the trace in its order, States what is the matter
	// with each.
	Paths  []traceflow.PathStats
	States []State
	// Events are the latest, the oldest first.
	Events []Event
	// Stats are those of the engine since the watch began.
	Stats traceflow.Stats
}

// State is what is the matter with a path.
type State uint8

// The states of a path.
const (
	Alive State = iota
	Dead        // its end answered before, and has not for some rounds
	Left        // the flows that were asked last have left it
)

// EventKind is what has happened.
type EventKind uint8

// The kinds of events. A change of a route that several flows or paths share is
// told once, of the first.
const (
	RouteChanged EventKind = iota + 1 // a flow met another address than its path's twice in a row
	RouteBack                         // such a flow has met its path's again
	Died                              // the end of a path has stopped to answer
	CameBack                          // it answers again
)

// Event is something that has happened to a path.
type Event struct {
	Time time.Time
	Kind EventKind
	Path int // Path.ID
	// Change is set for RouteChanged and RouteBack.
	Change traceflow.RouteChange
}

// maxEvents bounds the memory of a network where much happens.
const maxEvents = 100

// deadAfter is how many packets in a row have to be lost before a path is
// called dead: at 30 % loss, one in 400 such runs is chance.
const deadAfter = 5

// leftAfter is how many packets in a row have to meet strangers before a path is
// said to be left: enough for all its flows to have had their turn.
const leftAfter = confirmations * maxFlows

func (w *Watch) snapshot() Snapshot {
	s := Snapshot{
		Round: w.round, Elapsed: time.Since(w.began),
		Paths: make([]traceflow.PathStats, len(w.paths)), States: make([]State, len(w.paths)),
		Events: slices.Clip(w.events),
	}
	for i, p := range w.paths {
		s.Paths[i], s.States[i] = p.sum(), p.state
	}
	if w.stats != nil {
		s.Stats = w.stats()
	}
	return s
}
