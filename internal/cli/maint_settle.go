// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"time"

	"traceflow/internal/snapshot"
	"traceflow/internal/survey"
)

// settling measures pass after pass until two agree.
type settling struct {
	*expedition
	watch   bool
	timeout time.Duration
	noise   snapshot.Noise // of the snapshot before: what changes of itself
	// settled is whether the last two passes agree, after how long they did, moved
	// whether any before did not.
	settled, moved bool
	after          time.Duration
	last           snapshot.Noise      // between the last two
	nodes          map[netip.Addr]bool // that answered in any pass
}

// run returns a snapshot of the last two passes.
func (s *settling) run(ctx context.Context) (*snapshot.Snapshot, error) {
	began := time.Now()
	var passes []*measured
	for {
		m, err := s.expedition.run(ctx, 1, func(survey.Pass) error { return nil })
		if err != nil {
			return nil, err
		}
		passes = append(passes, m)
		maps.Copy(s.nodes, m.nodes)
		if len(passes) < 2 {
			continue
		}
		passes = passes[len(passes)-2:]
		s.last = between(passes[0], passes[1])
		since := passes[0].manifest.Ended.Sub(began)
		if s.settled = agree(s.last, s.noise); s.settled {
			s.after = since
		}
		s.moved = s.moved || !s.settled
		if s.watch && !s.options.quiet {
			state := "still moving"
			if s.settled {
				state = "settled"
			}
			fmt.Fprintf(s.env.Err, "%s: between two passes %s\n", state, noiseWords(s.last))
		}
		if s.settled || !s.watch || time.Since(began) >= s.timeout {
			return s.snapshot(passes), nil
		}
	}
}

// between compares two passes of all targets.
func between(a, b *measured) snapshot.Noise {
	var sum snapshot.Noise
	for i := range a.last {
		if a.last[i] != nil && b.last[i] != nil {
			sum = sum.Add(snapshot.Between(a.last[i], b.last[i]))
		}
	}
	return sum
}

// agree reports whether two passes differ no more than passes of an unchanged
// network do: by three standard deviations above its share, and a little for what
// only happens now and then.
func agree(n, noise snapshot.Noise) bool {
	const now = 0.0005
	within := func(differ, of, before, beforeOf int) bool {
		share := now
		if beforeOf > 0 {
			share += float64(before) / float64(beforeOf)
		}
		expected := share * float64(of)
		return float64(differ) <= expected+3*math.Sqrt(float64(before)/math.Max(1, float64(beforeOf))*float64(of))
	}
	return within(n.Differing, n.Compared, noise.Differing, noise.Compared) && within(n.Ends, n.Flows, noise.Ends, noise.Flows)
}

// snapshot puts passes together.
func (s *settling) snapshot(passes []*measured) *snapshot.Snapshot {
	out := &snapshot.Snapshot{Manifest: passes[len(passes)-1].manifest}
	m := &out.Manifest
	m.Started, m.Passes, m.Complete, m.Noise = passes[0].manifest.Started, len(passes), true, s.last
	for i := range m.Targets {
		t := snapshot.Target{TargetHead: m.Targets[i]}
		for _, p := range passes {
			m.Complete = m.Complete && p.manifest.Complete
			if p.last[i] != nil {
				t.Passes = append(t.Passes, p.last[i])
			}
		}
		t.Noise = snapshot.NoiseOf(t.Passes)
		m.Targets[i].Noise = t.Noise
		out.Targets = append(out.Targets, t)
	}
	return out
}

// tell says how long it took until nothing moved any more, or what to do where it
// still does.
func (s *settling) tell(env Env) error {
	line := fmt.Sprintf("not settled within %v", s.timeout)
	switch {
	case !s.watch && s.settled:
		return nil
	case !s.watch:
		line = "it still moves: --watch waits until it does not"
	case s.settled && s.moved:
		line = fmt.Sprintf("time to stable: %.0f s", s.after.Seconds())
	case s.settled:
		line = "stable from the first pass on"
	}
	if _, err := fmt.Fprintln(env.Out, line); err != nil {
		return writeError(err)
	}
	return nil
}
