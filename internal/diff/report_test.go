// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/internal/topology/topologytest"
)

// addresses are comparable values.
var asValues = cmpopts.EquateComparable(traceflow.Responder{})

// scene is a network before and after, measured.
type scene struct{ before, after *snapshot.Snapshot }

func newScene(t *testing.T, before, after string, h how) (s scene) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, a := h, h
		b.luck, a.luck = 1, 2
		s.before = take(t, network(t, before, topologytest.Owners, 1), b)
		s.after = take(t, network(t, after, topologytest.Owners, 1), a)
	})
	return s
}

const (
	fourWide  = "link s > r1 > a[1..4] > c > d"
	threeWide = "link s > r1 > a1 a2 a4 > c > d"
)

func (s scene) compare(t *testing.T, c diff.Comparison) *diff.Report {
	t.Helper()
	r, err := c.Snapshots(s.before, s.after)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// many is a snapshot with the same targets under other names.
func many(s *snapshot.Snapshot, n int) *snapshot.Snapshot {
	out := &snapshot.Snapshot{Manifest: s.Manifest}
	for i := range n {
		t := s.Targets[0]
		t.Name = fmt.Sprintf("t%d", i)
		out.Targets = append(out.Targets, t)
	}
	return out
}

// TestEvents has one thing happen to several targets: it is told once.
func TestEvents(t *testing.T) {
	s := newScene(t, fourWide, threeWide, how{flows: 32})
	before, after := many(s.before, 10), many(s.before, 10)
	for _, i := range []int{2, 3, 7} {
		after.Targets[i].Passes = s.after.Targets[0].Passes
	}
	r := compare(t, before, after)
	if len(r.Events) != 1 || !slices.Equal(r.Events[0].Targets, []int{2, 3, 7}) {
		t.Fatalf("want one event of three targets:\n%s", show(r))
	}
	want := fmt.Sprintf("3 of 10 targets: next hop %v at TTL 2 behind %v gone, 4→3 next hops",
		addr(t, network(t, fourWide, "", 1), "a3"), addr(t, network(t, fourWide, "", 1), "r1"))
	if e := r.Events[0]; e.Title != want || e.Kind != diff.WidthDown || e.Severity != diff.Regression {
		t.Errorf("%s %s %q, want %q", e.Severity, e.Kind, e.Title, want)
	}
	for i := range r.Targets {
		want := diff.Ignored
		if i == 2 || i == 3 || i == 7 {
			want = diff.Regression
		}
		if r.Targets[i].Severity != want {
			t.Errorf("target %d: %s, want %s", i, r.Targets[i].Severity, want)
		}
	}
	if r.Severity != diff.Regression {
		t.Errorf("%s, want regression", r.Severity)
	}
}

// TestExpectations declares changes in the plan.
func TestExpectations(t *testing.T) {
	s := newScene(t, fourWide, threeWide, how{flows: 32})
	slow := newScene(t, "link s > r1 > m > c > d", "link s > r1 > m\nlink m > c delay=3500us\nlink c > d", how{})
	same := scene{s.before, s.before}
	const twice = "link s > r1 > a[1..4] > c > b[1..4] > e > d"
	two := newScene(t, twice, "link s > r1 > a1 a2 a4 > c > b1 b2 b4 > e > d", how{flows: 32})
	width, drain := plan.Expectation{Kind: "width", From: 4, To: 3}, plan.Expectation{Kind: "drain", Values: []string{addr(t, network(t, twice, "", 1), "a3").String()}}
	hush := newScene(t, fourWide, "node a3 silent\n"+fourWide, how{flows: 32})
	a3, a1 := addr(t, network(t, fourWide, "", 1), "a3").String(), addr(t, network(t, fourWide, "", 1), "a1").String()
	tests := []struct {
		name   string
		scene  scene
		expect plan.Expectation
		want   diff.Severity
		kind   diff.Kind // that has to be there
		text   string    // in its After
	}{
		{"nothing is expected", s, plan.Expectation{Kind: "drain", Values: []string{"192.0.2.77"}}, diff.Regression, diff.NotSeen, "nothing passed 192.0.2.77 before"},
		{"drained", s, plan.Expectation{Kind: "drain", Values: []string{a3}}, diff.Info, diff.WidthDown, ""},
		{"drained prefix", s, plan.Expectation{Kind: "drain", Values: []string{a3 + "/32"}}, diff.Info, diff.WidthDown, ""},
		{"another one should be", s, plan.Expectation{Kind: "drain", Values: []string{a1}}, diff.Regression, diff.NotSeen, "drain did not take effect"},
		{"not drained", same, plan.Expectation{Kind: "drain", Values: []string{a3}}, diff.Review, diff.NotSeen, "drain did not take effect"},
		{"drained, or only silent", hush, plan.Expectation{Kind: "drain", Values: []string{a3}}, diff.Inconclusive, diff.Unmeasured, "nobody knows whether they still do"},
		{"width", s, plan.Expectation{Kind: "width", From: 4, To: 3}, diff.Info, diff.WidthDown, ""},
		{"another width", s, plan.Expectation{Kind: "width", From: 4, To: 2}, diff.Regression, diff.NotSeen, "no width went from 4 to 2"},
		{"width unchanged", same, plan.Expectation{Kind: "width", From: 4, To: 3}, diff.Review, diff.NotSeen, "no width"},
		{"relax did not come", same, plan.Expectation{Kind: "relax", Values: []string{"on"}}, diff.Review, diff.NotSeen, "relax did not turn on"},
		{"by its kind", s, plan.Expectation{Kind: "width_down"}, diff.Info, diff.WidthDown, ""},
		{"by its kind, elsewhere", s, plan.Expectation{Kind: "width-down", Values: []string{"192.0.2.77"}}, diff.Regression, diff.NotSeen, "did not come"},
		{"latency", slow, plan.Expectation{Kind: "latency-up", Values: []string{"6ms"}}, diff.Info, diff.LatencyUp, ""},
		{"too much latency", slow, plan.Expectation{Kind: "latency-up", Values: []string{"+4ms"}}, diff.Regression, diff.LatencyUp, ""},
		{"no change", same, plan.Expectation{Kind: "no_change"}, diff.Ignored, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.scene.compare(t, diff.Comparison{Expect: []plan.Expectation{tt.expect}})
			if r.Severity != tt.want {
				t.Errorf("%s, want %s:\n%s", r.Severity, tt.want, show(r))
			}
			if tt.kind != "" && !slices.ContainsFunc(r.Changes, func(c diff.Change) bool { return c.Kind == tt.kind && strings.Contains(c.After, tt.text) }) {
				t.Errorf("no %s with %q:\n%s", tt.kind, tt.text, show(r))
			}
		})
	}
	for _, tt := range []struct {
		name   string
		expect []plan.Expectation
		want   diff.Severity
	}{
		{"one of two places", []plan.Expectation{width}, diff.Regression},
		{"two of two places", []plan.Expectation{width, width}, diff.Info},
		{"one is drained", []plan.Expectation{width, drain}, diff.Regression},
		{"one is drained, both are expected", []plan.Expectation{width, width, drain}, diff.Info},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := two.compare(t, diff.Comparison{Expect: tt.expect}); r.Severity != tt.want {
				t.Errorf("%s, want %s:\n%s", r.Severity, tt.want, show(r))
			}
		})
	}
	t.Run("of one target", func(t *testing.T) {
		r := s.compare(t, diff.Comparison{ExpectOf: map[string][]plan.Expectation{"target": {{Kind: "width", From: 4, To: 3}}}})
		if r.Severity != diff.Info {
			t.Errorf("%s, want info", r.Severity)
		}
	})
	t.Run("no change, and one", func(t *testing.T) {
		up := scene{s.after, s.before}
		if r := up.compare(t, diff.Comparison{}); r.Severity != diff.Review {
			t.Errorf("%s, want change:\n%s", r.Severity, show(r))
		}
		r := up.compare(t, diff.Comparison{Expect: []plan.Expectation{{Kind: "no-change"}}})
		if r.Severity != diff.Regression {
			t.Errorf("%s, want regression:\n%s", r.Severity, show(r))
		}
	})
	t.Run("no change, and one that the policy tells", func(t *testing.T) {
		back := newScene(t, fourWide, "node c return-extra=2\n"+fourWide, how{})
		c := diff.Comparison{Expect: []plan.Expectation{{Kind: "no-change"}}}
		if r := back.compare(t, c); r.Severity != diff.Info {
			t.Errorf("%s, want info:\n%s", r.Severity, show(r))
		}
		c.Policy.Severity = map[string]string{"return-path": "change"}
		if r := back.compare(t, c); r.Severity != diff.Regression {
			t.Errorf("%s, want regression:\n%s", r.Severity, show(r))
		}
	})
	for _, e := range []plan.Expectation{
		{Kind: "drain"},
		{Kind: "width", From: 4, To: 4},
		{Kind: "relax", Values: []string{"maybe"}},
		{Kind: "latency-up", Values: []string{"5"}},
		{Kind: "rerouted", Values: []string{"x"}},
		{Kind: "wish"},
		{Kind: "unmeasured"},
	} {
		if _, err := diff.Snapshots(s.before, s.after, []plan.Expectation{e}, plan.Policy{}); err == nil || !strings.Contains(err.Error(), e.Kind) {
			t.Errorf("%+v: %v, want an error that names it", e, err)
		}
	}
}

// TestLongName: a title is a line, whatever somebody called a target.
func TestLongName(t *testing.T) {
	s := newScene(t, fourWide, threeWide, how{flows: 32})
	for _, side := range []*snapshot.Snapshot{s.before, s.after} {
		side.Targets[0].Name = strings.Repeat("é\x1b[2J\u202e", 10_000)
	}
	for _, e := range s.compare(t, diff.Comparison{}).Events {
		if n := len([]rune(e.Title)); n > 400 || strings.ContainsAny(e.Title, "\x1b\u202e\n") {
			t.Errorf("a title of %d letters: %.50q", n, e.Title)
		}
	}
}

// TestPolicy overrides severities.
func TestPolicy(t *testing.T) {
	s := newScene(t, fourWide, threeWide, how{flows: 32})
	for word, want := range map[string]diff.Severity{"ignore": diff.Review, "info": diff.Review, "change": diff.Review, "regression": diff.Regression} {
		r := s.compare(t, diff.Comparison{Policy: plan.Policy{Severity: map[string]string{"width-down": word}}})
		if r.Severity != want { // a link is gone, too
			t.Errorf("%s: %s, want %s", word, r.Severity, want)
		}
	}
	r := s.compare(t, diff.Comparison{Policy: plan.Policy{Severity: map[string]string{"width-down": "ignore", "link-gone": "ignore"}}})
	if r.Severity != diff.Ignored {
		t.Errorf("%s, want ignored", r.Severity)
	}
	slow := newScene(t, "link s > r1 > m > c > d", "link s > r1 > m\nlink m > c delay=3500us\nlink c > d", how{})
	if r := slow.compare(t, diff.Comparison{Policy: plan.Policy{Latency: 6 * time.Millisecond}}); len(r.Changes) != 0 {
		t.Errorf("5 ms are no rise of 6:\n%s", show(r))
	}
	if r := slow.compare(t, diff.Comparison{Policy: plan.Policy{LatencyPart: 0.8}}); len(r.Changes) != 0 {
		t.Errorf("5 ms are no 80 %% of 8:\n%s", show(r))
	}
	for _, p := range []plan.Policy{
		{Severity: map[string]string{"unmeasured": "ignore"}}, {Severity: map[string]string{"boredom": "info"}}, {Severity: map[string]string{"lost": "bad"}}, {Alpha: 0.7}, {Loss: 1},
	} {
		if _, err := diff.Snapshots(s.before, s.after, nil, p); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
	for _, k := range diff.Kinds() {
		if diff.DefaultSeverity(k) == diff.Ignored {
			t.Errorf("%s has no severity", k)
		}
	}
	if got, want := len(diff.Kinds()), 30; got != want {
		t.Errorf("%d kinds, want %d", got, want)
	}
}

// clone makes a copy of a snapshot that may be changed in its first layers.
func clone(s *snapshot.Snapshot) *snapshot.Snapshot {
	out := *s
	out.Targets = slices.Clone(s.Targets)
	for i := range out.Targets {
		out.Targets[i].Passes = slices.Clone(out.Targets[i].Passes)
	}
	return &out
}

// TestComparable refuses what cannot be compared, and says why; or compares what
// is shared.
func TestComparable(t *testing.T) {
	s := newScene(t, fourWide, fourWide, how{})
	fewer := newScene(t, fourWide, fourWide, how{flows: 8})
	tests := []struct {
		name   string
		alter  func(s *snapshot.Snapshot)
		want   string
		shared diff.Severity // with Comparison.Shared
	}{
		{"schema", func(s *snapshot.Snapshot) { s.Manifest.Schema = "traceflow.snapshot/9" }, `schema "traceflow.snapshot/9"`, -1},
		{"wire", func(s *snapshot.Snapshot) { s.Manifest.Wire = "sockets" }, "wire sim, then sockets", diff.Ignored},
		{"source", func(s *snapshot.Snapshot) { s.Targets[0].Source = "192.0.2.99" }, "target: sent from 192.0.2.200, then 192.0.2.99", diff.Inconclusive},
		{"address", func(s *snapshot.Snapshot) { s.Targets[0].Address = "192.0.2.98" }, "target: resolved to 198.51.100.200, then 192.0.2.98", diff.Inconclusive},
		{"flows", func(s *snapshot.Snapshot) { s.Targets = fewer.after.Targets }, "16 flows before, 8 after, 8 in both", diff.Ignored},
		{"protocol", func(s *snapshot.Snapshot) {
			pass := *s.Targets[0].Passes[0]
			pass.Config.Protocol = traceflow.ProtocolTCP
			s.Targets[0].Passes[0] = &pass
		}, "probed with udp, then tcp", diff.Inconclusive},
		{"target gone", func(s *snapshot.Snapshot) { s.Targets = nil }, "target: measured before only", diff.Inconclusive},
		{"target new", func(s *snapshot.Snapshot) {
			s.Targets = append(s.Targets, s.Targets[0])
			s.Targets[1].Name = "another"
		}, "another: measured after only", diff.Inconclusive},
	}
	if err := diff.Comparable(s.before, s.after); err != nil {
		t.Fatalf("the same: %v", err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after := clone(s.after)
			tt.alter(after)
			err := diff.Comparable(s.before, after)
			var incomparable *diff.IncomparableError
			if !errors.As(err, &incomparable) || len(incomparable.Reasons) != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if _, err := diff.Snapshots(s.before, after, nil, plan.Policy{}); !errors.As(err, &incomparable) {
				t.Errorf("Snapshots: %v, want it refused", err)
			}
			r, err := diff.Comparison{Shared: true}.Snapshots(s.before, after)
			switch {
			case tt.shared < 0 && err == nil:
				t.Error("another schema is read")
			case tt.shared < 0:
			case err != nil:
				t.Errorf("shared: %v", err)
			case r.Severity != tt.shared || len(r.Left) != 1:
				t.Errorf("shared: %s, left %v; want %s and one reason:\n%s", r.Severity, r.Left, tt.shared, show(r))
			}
		})
	}
	t.Run("address change is told", func(t *testing.T) {
		after := clone(s.after)
		after.Targets[0].Address = "192.0.2.98"
		r, err := diff.Comparison{Shared: true}.Snapshots(s.before, after)
		if err != nil || !found(r, diff.AddressChanged) {
			t.Errorf("%v, %v", r, err)
		}
	})
}

// TestResolved has a name that resolves to another address, while the flows still
// go to the one that was pinned.
func TestResolved(t *testing.T) {
	s := newScene(t, fourWide, fourWide, how{})
	after := clone(s.after)
	after.Targets[0].Resolved = "192.0.2.98"
	r := compare(t, s.before, after)
	if len(r.Changes) != 1 || r.Changes[0].Kind != diff.AddressChanged || r.Severity != diff.Review || r.Changes[0].After != "192.0.2.98" {
		t.Errorf("want the other address and nothing else:\n%s", show(r))
	}
}

// TestTooLittle has snapshots that say nothing for sure: never is that green.
func TestTooLittle(t *testing.T) {
	s := newScene(t, fourWide, fourWide, how{})
	tests := []struct {
		name  string
		alter func(s *snapshot.Target)
		want  diff.Kind
	}{
		{"no pass", func(s *snapshot.Target) { s.Passes = nil }, diff.Unmeasured},
		{"cut short", func(s *snapshot.Target) {
			for i := range s.Passes {
				pass := *s.Passes[i]
				pass.Complete = false
				s.Passes[i] = &pass
			}
		}, diff.Unmeasured},
		{"one pass", func(s *snapshot.Target) { s.Passes = s.Passes[:1] }, diff.Unmeasured},
		{"routers silent", func(s *snapshot.Target) { s.Passes = silenced(s.Passes, func(int, int) bool { return true }) }, diff.Unmeasured},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after := clone(s.after)
			tt.alter(&after.Targets[0])
			r := compare(t, s.before, after)
			if r.Severity != diff.Inconclusive || !found(r, tt.want) {
				t.Errorf("want %s and inconclusive:\n%s", tt.want, show(r))
			}
		})
	}
	t.Run("restless", func(t *testing.T) {
		other := newScene(t, "link s > r2 > b[1..4] > e > d", "link s > r3 > f[1..4] > g > d", how{})
		after := clone(s.after)
		after.Targets[0].Passes[1] = other.after.Targets[0].Passes[1]
		if r := compare(t, s.before, after); !found(r, diff.Unstable) || r.Severity != diff.Inconclusive {
			t.Errorf("want unstable and inconclusive:\n%s", show(r))
		}
	})
	t.Run("loss asked for", func(t *testing.T) {
		r := s.compare(t, diff.Comparison{Policy: plan.Policy{Loss: 0.02}})
		if r.Severity != diff.Inconclusive || r.Targets[0].LossFloor < 0.02 {
			t.Errorf("two passes of 16 flows cannot show 2 %%:\n%s", show(r))
		}
	})
}

// silenced makes copies of passes in which routers do not answer some probes.
func silenced(passes []*traceflow.Trace, silent func(flow, ttl int) bool) []*traceflow.Trace {
	var out []*traceflow.Trace
	for _, p := range passes {
		pass := *p
		pass.Exchanges = slices.Clone(p.Exchanges)
		for i := range pass.Exchanges {
			if e := &pass.Exchanges[i]; e.Reply.Kind == traceflow.TimeExceeded && silent(e.Flow, int(e.TTL)) {
				e.Reply = traceflow.Reply{}
			}
		}
		rebuild(&pass)
		out = append(out, &pass)
	}
	return out
}

// TestSilenceAddsNothing takes answers away: no flow moves by that, and no change
// comes.
func TestSilenceAddsNothing(t *testing.T) {
	same := newScene(t, fourWide, fourWide, how{flows: 32})
	other := newScene(t, fourWide, threeWide, how{flows: 32})
	for seed := range 40 {
		hide := func(flow, ttl int) bool {
			return (int64(flow)*2654435761+int64(ttl*40503+seed*7919))%100 < int64(10+seed)
		}
		for _, s := range []scene{same, other} {
			after := clone(s.after)
			after.Targets[0].Passes = silenced(after.Targets[0].Passes, hide)
			full, thin := compare(t, s.before, s.after), compare(t, s.before, after)
			moved := func(r *diff.Report) map[int]bool {
				out := make(map[int]bool)
				for _, c := range r.Changes {
					for _, f := range c.Flows {
						out[f] = out[f] || c.Kind != diff.Unmeasured
					}
				}
				return out
			}
			was := moved(full)
			for f, is := range moved(thin) {
				if is && !was[f] {
					t.Errorf("seed %d: flow %d has changed only because others are silent:\n%s", seed, f, show(thin))
				}
			}
			if s == same && thin.Severity > diff.Inconclusive {
				t.Errorf("seed %d: nothing has changed:\n%s", seed, show(thin))
			}
		}
	}
}

// mirrors are kinds that are each other's opposite; others are their own.
var mirrors = map[diff.Kind]diff.Kind{
	diff.WidthDown: diff.WidthUp, diff.LinkGone: diff.LinkNew, diff.LatencyUp: diff.LatencyDown, diff.LossUp: diff.LossDown,
	diff.MTUDown: diff.MTUUp, diff.IXPLeft: diff.IXPEntered, diff.RelaxOff: diff.RelaxOn, diff.Lost: diff.Recovered,
	diff.PartialBlackHole: diff.Recovered,
}

// TestMirror compares in both directions.
func TestMirror(t *testing.T) {
	tests := []struct {
		name, before, after string
		how                 how
	}{
		{"width", fourWide, threeWide, how{flows: 32}},
		{"reroute", "link s > r1 > x > c > d", "link s > r1 > y > c > d", how{}},
		{"black hole", fourWide, "node a2 forward-loss=100%\n" + fourWide, how{}},
		{"gone", fourWide, "node r1 forward-loss=100%\n" + fourWide, how{}},
		{"exchange", "link s > r1 > e1 > x1 > y > d", "link s > r1 > e1 > x2 > y > d", how{}},
		{"latency", "link s > r1 > m > c > d", "link s > r1 > m\nlink m > c delay=6ms\nlink c > d", how{}},
		{"loss", "link s > r1 > m > c > d", "node c forward-loss=10%\nlink s > r1 > m > c > d", how{repeats: 20}},
		{"MTU", "link s > r1 > m > c > d", "link s > r1 > m\nlink m > c mtu=1400\nlink c > d", how{mtu: true}},
		{"NAT", "link s > r1 > m > c > d", "node m nat=keep-all\nlink s > r1 > m > c > d", how{}},
		{"tunnel", "node p1 mpls=16004/0/1\nlink s > r1 > p1 > c > d", "node p1 keep-ttl\nlink s > r1 > p1 > c > d", how{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, tt.before, tt.after, tt.how)
			kinds := func(b, a *snapshot.Snapshot, mirror bool) []string {
				var out []string
				for _, c := range compare(t, b, a).Changes {
					if m, ok := mirrors[c.Kind]; ok && mirror {
						c.Kind = m
					} else if mirror {
						for k, m := range mirrors {
							if m == c.Kind && m != diff.Recovered {
								c.Kind = k
							}
						}
					}
					out = append(out, fmt.Sprint(c.Kind, c.Flows, c.TTL, c.Near))
				}
				slices.Sort(out)
				return out
			}
			there, back := kinds(s.before, s.after, true), kinds(s.after, s.before, false)
			if len(there) == 0 || !slices.Equal(there, back) {
				t.Errorf("there (mirrored) %v\nback %v", there, back)
			}
		})
	}
}

// TestNothing compares snapshots with themselves.
func TestNothing(t *testing.T) {
	for _, lines := range []string{fourWide, "node r1 balance=packet\n" + fourWide, "node a2 limit=2/1s\n" + fourWide} {
		s := newScene(t, lines, lines, how{})
		r := compare(t, s.before, s.before)
		for _, c := range r.Changes {
			if c.Kind != diff.Unmeasured && c.Kind != diff.Unstable {
				t.Errorf("%s:\n%s", lines, show(r))
			}
		}
	}
}

// TestSameAnswer compares again and again.
func TestSameAnswer(t *testing.T) {
	s := newScene(t, "link s > r1 > e1 > x1 a[1..8] > y > d", "node y nat=keep-all\nlink s > r1 > e1 > x2 a[2..7] > y > d", how{flows: 48})
	want := s.compare(t, diff.Comparison{})
	if len(want.Changes) < 5 {
		t.Fatalf("too few changes to tell:\n%s", show(want))
	}
	for range 20 {
		if got := s.compare(t, diff.Comparison{}); !reflect.DeepEqual(got, want) {
			t.Fatalf("another answer (-want +got):\n%s", cmp.Diff(show(want), show(got), asValues))
		}
	}
}

// BenchmarkDiff compares 100 targets of 16 flows in two passes.
func BenchmarkDiff(b *testing.B) {
	var s scene
	synctestBenchmark(b, func(t *testing.T) {
		s = newScene(t, "default jitter=1ms\nlink s > r1 > e1 > x1 > a[1..4] > y > z > v > d", "default jitter=1ms\nlink s > r1 > e1 > x2 > a1 a2 a4 > y > z > v > d", how{})
	})
	for name, after := range map[string]*snapshot.Snapshot{"changed": s.after, "unchanged": s.before} {
		b.Run(name, func(b *testing.B) {
			before, after := many(s.before, 100), many(after, 100)
			b.ReportAllocs()
			for b.Loop() {
				compare(b, before, after)
			}
		})
	}
}

// synctestBenchmark runs what needs a *testing.T before a benchmark.
func synctestBenchmark(b *testing.B, do func(*testing.T)) {
	b.Helper()
	if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "scene", F: do}}) {
		b.Fatal("no scene")
	}
}
