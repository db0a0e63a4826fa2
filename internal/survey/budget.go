// SPDX-License-Identifier: BSD-3-Clause

package survey

import (
	"fmt"
	"time"

	"traceflow"
	"traceflow/internal/plan"
)

// fit chooses flows, and leaves out what the budget has no time for: passes beyond
// the second first, then flows that nobody has asked for.
func (s *Survey) fit() {
	auto, passes := fewest, s.config.Passes
	fits := func() bool {
		packets, slowest := s.ends(auto)
		flows := s.count(auto)
		_, takes := plan.Cost(flows, passes, plan.Hops+float64(packets)/float64(max(1, flows)), s.config.Rate)
		takes = max(takes, plan.EndsTake(slowest, passes, s.config.Rate))
		return s.config.Budget == 0 || takes <= s.config.Budget
	}
	for passes > plan.MinPasses && !fits() {
		passes--
	}
	for auto > plan.LeastFlows && !fits() {
		auto--
	}
	if passes < s.config.Passes {
		s.note("%d passes of %d, so that the budget of %v is kept", passes, s.config.Passes, s.config.Budget)
	}
	if auto < fewest {
		s.note("%d flows a target, not %d, so that the budget of %v is kept", auto, fewest, s.config.Budget)
	}
	s.passes = passes
	s.left = passes * s.count(auto)
	for i := range s.targets {
		t := &s.targets[i]
		flows := t.Flows
		for n := 0; len(t.Flows) == 0 && n < t.begins(auto); n++ {
			f, ok := t.Mapper(n)
			if !ok {
				break
			}
			flows = append(flows, f)
		}
		s.states[i].flows = flows
	}
}

func (s *Survey) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// begins is how many flows a target begins with.
func (t *Target) begins(auto int) int {
	switch {
	case len(t.Flows) > 0:
		return len(t.Flows)
	case t.Count > 0:
		return t.Count
	}
	return auto
}

// grows reports whether the flows of a target follow from its width.
func (t *Target) grows() bool { return len(t.Flows) == 0 && t.Count == 0 }

func (s *Survey) count(auto int) int {
	n := 0
	for i := range s.targets {
		n += s.targets[i].begins(auto)
	}
	return n
}

// ends counts the packets of a pass that go to destinations for their loss only, and
// those that one destination gets at most.
func (s *Survey) ends(auto int) (all, most int) {
	for i := range s.targets {
		flows := s.targets[i].begins(auto)
		all += flows * max(0, s.targets[i].Ends-1)
		most = max(most, flows*s.targets[i].Ends)
	}
	return all, most
}

// mayPass returns how many passes there are to be, when one is about to begin: of
// those beyond the second, as many as there is time for.
func (s *Survey) mayPass(next int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next > plan.MinPasses && next <= s.passes && !s.deadline.IsZero() {
		flows := 0
		for i := range s.states {
			flows += len(s.states[i].flows)
		}
		if _, takes := plan.Cost(flows, 1, s.distance(), s.config.Rate); takes > time.Until(s.deadline) {
			s.note("%d passes of %d, so that the budget of %v is kept", next-1, s.config.Passes, s.config.Budget)
			s.passes = next - 1
		}
	}
	return s.passes
}

// distance is how far targets are away, as far as known. The caller holds mu.
func (s *Survey) distance() float64 {
	if s.hops.n == 0 {
		return plan.Hops
	}
	return s.hops.sum / float64(s.hops.n)
}

// learn takes from a pass how many packets a flow takes.
func (s *Survey) learn(flows, packets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if flows > 0 {
		s.hops.sum += float64(packets) / float64(flows)
		s.hops.n++
	}
}

// grow returns the flows that a target gets beside those that it has, because of
// its width; none where there is no time for them.
func (s *Survey) grow(target, width int) []traceflow.Flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, x := &s.targets[target], &s.states[target]
	x.width = max(x.width, width)
	more := FlowsFor(width) - len(x.flows)
	if !t.grows() || more <= 0 {
		return nil
	}
	for wanted := more; more > 0; more-- {
		_, takes := plan.Cost(s.left+more*s.passes, 1, s.distance(), s.config.Rate)
		if s.deadline.IsZero() || takes <= time.Until(s.deadline) {
			break
		}
		if more == wanted {
			s.curbed++
		}
	}
	var flows []traceflow.Flow
	for range more {
		f, ok := t.Mapper(len(x.flows))
		if !ok {
			break
		}
		flows = append(flows, f)
		x.flows = append(x.flows, f)
	}
	s.left += len(flows) * s.passes
	return flows
}
