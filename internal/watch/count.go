// SPDX-License-Identifier: BSD-3-Clause

package watch

import (
	"net/netip"
	"time"

	"traceflow"
)

// count takes in what came back of an errand.
func (w *Watch) count(e *errand) {
	fates := e.fates()
	strayed := make(map[int]uint8) // by flow: the first TTL where it was on another path
	for i, x := range fates {
		if x == nil {
			continue
		}
		if _, strange := w.flows[x.Flow].meets(e.spots[i], &x.Reply); strange && (strayed[x.Flow] == 0 || x.TTL < strayed[x.Flow]) {
			strayed[x.Flow] = x.TTL
		}
	}
	for i, x := range fates {
		if x == nil {
			continue
		}
		f, s := w.flows[x.Flow], e.spots[i]
		switch at := strayed[x.Flow]; {
		case at == 0 || x.TTL < at:
			w.sample(f, s, &x.Reply)
		case x.TTL == at:
			w.stray(f, s, &x.Reply)
		}
	}
}

// sample counts one packet that stayed on its path.
func (w *Watch) sample(f *flow, s *spot, r *traceflow.Reply) {
	answered := r.Kind != traceflow.NoReply && !f.refused(r)
	if answered {
		if !s.who.IsValid() {
			s.who = f.walk.Responder(r) // a silent hop that has answered
		}
		s.add(r)
		s.strays = 0
		if f.returns(s) && s.told.IsValid() {
			w.event(Event{Kind: RouteBack, Path: f.path.stats.Path, Change: traceflow.RouteChange{
				Flow: f.ID, TTL: s.ttl, Before: s.told, After: s.who.Address,
			}})
			s.told = netip.Addr{}
		}
	} else {
		s.add(nil)
	}
	p := f.path
	if s == p.end() {
		p.silent++
		if answered {
			p.silent, p.answered = 0, true
		}
	}
	w.judge(p)
}

// stray notes that a flow is on another path.
func (w *Watch) stray(f *flow, s *spot, r *traceflow.Reply) {
	other := f.shown(r.Address)
	s.strays++
	if f.strays(s, other) && f.was(s.ttl) && s.told != other {
		s.told = other
		w.event(Event{Kind: RouteChanged, Path: f.path.stats.Path, Change: traceflow.RouteChange{
			Flow: f.ID, TTL: s.ttl, Before: s.who.Address, After: other,
		}})
	}
	for _, p := range s.paths {
		w.judge(p)
	}
}

// judge sets the state of a path, and tells when it has died or come back.
func (w *Watch) judge(p *path) {
	switch dead := p.answered && p.silent >= deadAfter; {
	case dead && !p.dead:
		w.event(Event{Kind: Died, Path: p.stats.Path})
		p.dead = true
	case !dead && p.dead:
		w.event(Event{Kind: CameBack, Path: p.stats.Path})
		p.dead = false
	}
	p.state = Alive
	if p.dead {
		p.state = Dead
	}
	for _, s := range p.spots {
		if s.strays >= leftAfter {
			p.state = Left
		}
	}
}

func (w *Watch) event(e Event) {
	e.Time = time.Now()
	if len(w.events) == maxEvents {
		// A new array: snapshots have the old one.
		w.events = append(make([]Event, 0, 2*maxEvents), w.events[1:]...)
	}
	w.events = append(w.events, e)
}

// restart forgets what was counted.
func (w *Watch) restart() {
	w.round, w.began, w.events = 1, time.Now(), nil
	for _, s := range w.spots {
		s.series, s.fresh = traceflow.Series{}, false
	}
	for _, p := range w.paths {
		p.fresh, p.silent = false, 0
	}
}
