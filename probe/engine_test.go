// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// TestProbeExact sends every TTL of many flows at once, for each family and
// pace, and wants each probe to have its own reply with its own round trip.
func TestProbeExact(t *testing.T) {
	network := topologytest.Parse(t, "default delay=5ms; link s > r1 > a[1..4] > c > b[1..4] > e > d")
	for _, tt := range []struct {
		name string
		v6   bool
		rate float64
	}{
		{"IPv4", false, 0}, {"IPv6", true, 0}, {"IPv4 paced", false, 500}, {"IPv6 paced", true, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var flows []traceflow.Flow
				var probes []traceflow.Probe
				for id := range 32 {
					f := flowOf(network, id+1, tt.v6)
					flows = append(flows, f)
					probes = append(probes, probesTo(f, 6)...)
				}
				observed := 0
				e := open(t, simnet.New(network).Open(), sees,
					Config{Rate: tt.rate, Observe: func(traceflow.Exchange) { observed++ }})
				exchanges := mustProbe(t, e, probes)
				if len(exchanges) != len(probes) {
					t.Fatalf("%d exchanges, want %d", len(exchanges), len(probes))
				}
				for i, x := range exchanges {
					p := &probes[i]
					if x.Flow != p.Flow.ID || x.TTL != p.TTL || x.Attempt != 1 {
						t.Fatalf("exchange %d is of flow %d TTL %d attempt %d, want flow %d TTL %d attempt 1", i, x.Flow, x.TTL, x.Attempt, p.Flow.ID, p.TTL)
					}
					if want := time.Duration(x.TTL) * 10 * ms; x.Reply.RTT != want {
						t.Errorf("flow %d TTL %d: round trip %v, want %v", x.Flow, x.TTL, x.Reply.RTT, want)
					}
					if x.Reply.QuotedTTL != 1 {
						t.Errorf("flow %d TTL %d: quoted TTL %d, want 1", x.Flow, x.TTL, x.Reply.QuotedTTL)
					}
				}
				checkTrue(t, network, flows, exchanges)
				checkAnswered(t, network, probes, exchanges)
				want := traceflow.Stats{Probes: len(probes), Replies: len(probes)}
				if diff := cmp.Diff(want, e.Stats()); diff != "" {
					t.Errorf("stats (-want +got)\n%s", diff)
				}
				if observed != len(probes) {
					t.Errorf("%d exchanges observed, want %d", observed, len(probes))
				}
			})
		})
	}
}

// TestRetry loses the first attempts.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "link s > r1 > r2 > d")
		seen := make(map[uint8]int)
		w := &tap{Wire: simnet.New(network).Open(), swallow: func(h *packet.IP, _ *packet.UDP) bool {
			seen[h.TTL]++
			return seen[h.TTL] < int(h.TTL) // TTL 1 loses none, 2 one, 3 two
		}}
		e := open(t, w, sees, Config{Retries: 2})
		f := flowOf(network, 1, false)
		exchanges := mustProbe(t, e, probesTo(f, 3))
		var got []bool
		for _, x := range exchanges {
			got = append(got, x.Reply.Kind != traceflow.NoReply)
		}
		if diff := cmp.Diff([]bool{true, false, true, false, false, true}, got); diff != "" {
			t.Errorf("answered (-want +got)\n%s", diff)
		}
		checkTrue(t, network, []traceflow.Flow{f}, exchanges)
		if want := (traceflow.Stats{Probes: 6, Replies: 3, Retries: 3}); e.Stats() != want {
			t.Errorf("stats %+v, want %+v", e.Stats(), want)
		}
	})
}

// TestRetrySlow has every reply arrive after the retry was sent: each counts.
func TestRetrySlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "default delay=600ms; link s > r1 > d")
		e := open(t, simnet.New(network).Open(), sees, Config{Retries: 1})
		exchanges := mustProbe(t, e, probesTo(flowOf(network, 1, false), 1))
		if len(exchanges) != 2 {
			t.Fatalf("%d exchanges, want 2", len(exchanges))
		}
		for _, x := range exchanges {
			if x.Reply.RTT != 1200*ms {
				t.Errorf("attempt %d: round trip %v, want 1.2s", x.Attempt, x.Reply.RTT)
			}
		}
		if want := (traceflow.Stats{Probes: 2, Replies: 2, Retries: 1}); e.Stats() != want {
			t.Errorf("stats %+v, want %+v", e.Stats(), want)
		}
	})
}

// TestRetryQueued has a reply arrive while the retry waits for its turn: then
// the retry must not be sent, and no exchange may claim a loss.
func TestRetryQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "node d destination answer-delay=1200ms; link s > d")
		w := &tap{Wire: simnet.New(network).Open()}
		e := open(t, w, sees, Config{Rate: 1, Retries: 1})
		var probes []traceflow.Probe
		for id := range 4 {
			probes = append(probes, probesTo(flowOf(network, id+1, false), 1)...)
		}
		exchanges := mustProbe(t, e, probes)
		for _, x := range exchanges {
			if x.Reply.Kind == traceflow.NoReply {
				t.Errorf("flow %d attempt %d: no reply", x.Flow, x.Attempt)
			}
		}
		time.Sleep(time.Minute)
		if got := len(w.packets()); got != len(exchanges) {
			t.Errorf("%d packets sent, %d exchanges returned", got, len(exchanges))
		}
	})
}

// TestAdaptive wants a silent hop to cost a few round trips.
func TestAdaptive(t *testing.T) {
	for _, tt := range []struct {
		name     string
		topology string
		ttls     int
		retries  int
		want     time.Duration
	}{
		// The nearest answer beyond the silent hop takes 80 ms.
		{"silent hop", "default delay=10ms; node r3 silent; link s > r1 > r2 > r3 > r4 > d", 5, 2, 3 * (2*80 + 50) * ms},
		// Nothing beyond it answers: ten times the longest, or half a second.
		{"silent end", "default delay=10ms; node d destination drop-udp; link s > r1 > r2 > d", 3, 1, 2 * 500 * ms},
		{"silent far end", "default delay=20ms; node d destination drop-udp; link s > r1 > r2 > d", 3, 1, 2 * 800 * ms},
		{"nothing at all", "default silent; node d destination silent; link s > r1 > d", 2, 2, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Parse(t, tt.topology)
				e := open(t, simnet.New(network).Open(), sees, Config{Retries: tt.retries})
				start := time.Now()
				mustProbe(t, e, probesTo(flowOf(network, 1, false), tt.ttls))
				if got := time.Since(start); got != tt.want {
					t.Errorf("took %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestAdaptiveFar has near hops answer in 1 ms and a far one in 400 ms: with
// no retry to save it, it must not be given up.
func TestAdaptiveFar(t *testing.T) {
	for _, together := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "link s > r1 > r2 > r3 delay=100us; link r3 > d delay=200ms")
			e := open(t, simnet.New(network).Open(), sees, Config{})
			probes := probesTo(flowOf(network, 1, false), 4)
			exchanges := []traceflow.Exchange{}
			if together {
				exchanges = mustProbe(t, e, probes)
			} else {
				for range 3 {
					mustProbe(t, e, probes[:3])
				}
				exchanges = append(exchanges, mustProbe(t, e, probes[3:])...)
			}
			last := exchanges[len(exchanges)-1]
			if last.Reply.RTT < 400*ms {
				t.Errorf("together %v: %+v, want a round trip of 400 ms", together, last)
			}
			if got := e.Stats(); got.Late > 0 || got.Replies != got.Probes {
				t.Errorf("together %v: stats %+v", together, got)
			}
		})
	}
}

// TestPatient has the destination answer after 2.5 s.
func TestPatient(t *testing.T) {
	for _, tt := range []struct {
		patient bool
		retries int
		want    int // replies
		took    time.Duration
	}{
		{true, 0, 1, 2501 * ms},
		{false, 0, 0, 500 * ms},
		// Only the last attempt is patient, but what comes for the first until
		// then counts.
		{true, 1, 2, 3001 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "node d destination answer-delay=2500ms; link s > r1 > d delay=250us")
			e := open(t, simnet.New(network).Open(), sees, Config{Retries: tt.retries})
			f := flowOf(network, 1, false)
			mustProbe(t, e, probesTo(f, 1))
			before, start := e.Stats(), time.Now()
			mustProbe(t, e, []traceflow.Probe{{Flow: f, TTL: 2, Patient: tt.patient}})
			if got := e.Stats().Since(before).Replies; got != tt.want {
				t.Errorf("patient %v, retries %d: %d replies, want %d", tt.patient, tt.retries, got, tt.want)
			}
			if got := time.Since(start); got != tt.took {
				t.Errorf("patient %v, retries %d: took %v, want %v", tt.patient, tt.retries, got, tt.took)
			}
		})
	}
}

// TestLateAndDuplicate counts replies that come too late or twice.
func TestLateAndDuplicate(t *testing.T) {
	for _, tt := range []struct {
		name, topology string
		want           traceflow.Stats
	}{
		{"late", "node d destination answer-delay=2s; link s > d", traceflow.Stats{Probes: 1, Late: 1}},
		{"duplicate", "node d destination duplicates=2; link s > d", traceflow.Stats{Probes: 1, Replies: 1, Duplicates: 2}},
		{"late and duplicate", "node d destination answer-delay=2s duplicates=2; link s > d", traceflow.Stats{Probes: 1, Late: 3}},
		{"after the linger", "node d destination answer-delay=12s; link s > d", traceflow.Stats{Probes: 1, Late: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Parse(t, tt.topology)
				e := open(t, simnet.New(network).Open(), sees, Config{Timeout: time.Second})
				exchanges := mustProbe(t, e, probesTo(flowOf(network, 1, false), 1))
				time.Sleep(20 * time.Second)
				if got := e.Stats(); got != tt.want {
					t.Errorf("stats %+v, want %+v", got, tt.want)
				}
				if got := exchanges[0].Reply.Kind != traceflow.NoReply; got != (tt.want.Replies > 0) {
					t.Errorf("answered %v: %+v", got, exchanges[0])
				}
			})
		})
	}
}

// TestTwoEngines has two engines use the same flows on one network. Each wire
// sees the replies to both.
func TestTwoEngines(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Builtin(t, "d")
			n := simnet.New(network)
			var flows []traceflow.Flow
			var probes []traceflow.Probe
			for id := range 16 {
				flows = append(flows, flowOf(network, id+1, v6))
				probes = append(probes, probesTo(flows[id], 6)...)
			}
			a, b := open(t, n.Open(), sees, Config{Rate: 1000}), open(t, n.Open(), sees, Config{Rate: 900})
			finish := started(t.Context(), a, probes)
			exchanges := mustProbe(t, b, probes)
			others, err := finish()
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			for _, x := range [][]traceflow.Exchange{exchanges, others} {
				checkTrue(t, network, flows, x)
				checkAnswered(t, network, probes, x)
			}
			for _, e := range []*Engine{a, b} {
				got := e.Stats()
				// A stranger's reply that comes before this engine knows the flow
				// is foreign.
				got.Foreign = 0
				if want := (traceflow.Stats{Probes: 96, Replies: 96, Unmatched: 96}); got != want {
					t.Errorf("stats %+v, want %+v", got, want)
				}
			}
		})
	}
}

var errTest = errors.New("cable pulled")

// TestCancel ends the context while some replies are there, some on their way
// and some probes not sent.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "default delay=10ms; node r2 silent; link s > r1 > r2 > r3 > d")
		w := &tap{Wire: simnet.New(network).Open()}
		e := open(t, w, sees, Config{Rate: 100, Retries: 5})
		var flows []traceflow.Flow
		var probes []traceflow.Probe
		for id := range 8 {
			flows = append(flows, flowOf(network, id+1, false))
			probes = append(probes, probesTo(flows[id], 4)...)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		finish := started(ctx, e, probes)
		time.Sleep(155 * ms)
		cancel(errTest)
		start := time.Now()
		exchanges, err := finish()
		if !errors.Is(err, errTest) {
			t.Errorf("error %v, want %v", err, errTest)
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("returned after %v, want at once", got)
		}
		sent := len(w.packets())
		if len(exchanges) != sent || sent == 0 || sent >= len(probes) {
			t.Errorf("%d exchanges for %d packets sent", len(exchanges), sent)
		}
		checkTrue(t, network, flows, exchanges)
		answered := 0
		for _, x := range exchanges {
			if x.Reply.Kind != traceflow.NoReply {
				answered++
			}
			if x.Sent.IsZero() {
				t.Errorf("flow %d TTL %d: not sent, but an exchange", x.Flow, x.TTL)
			}
		}
		if got := e.Stats().Replies; answered != got || got == 0 {
			t.Errorf("%d exchanges with a reply, %d counted", answered, got)
		}
		time.Sleep(time.Minute)
		if got := len(w.packets()); got != sent {
			t.Errorf("%d packets sent after the end", got-sent)
		}
		// The engine goes on.
		checkAnswered(t, network, probes[:4], mustProbe(t, e, probes[:4]))

		cancelled, stop := context.WithCancel(t.Context())
		stop()
		if x, err := e.Probe(cancelled, probes); !errors.Is(err, context.Canceled) {
			t.Errorf("Probe with a cancelled context: %d exchanges, %v", len(x), err)
		}
	})
}

// TestCloseWhileProbing closes the engine under calls of Probe.
func TestCloseWhileProbing(t *testing.T) {
	for _, rate := range []float64{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "default delay=10ms; node r2 silent; link s > r1 > r2 > d")
			e, err := NewEngine(simnet.New(network).Open(), sees, Config{Rate: rate, Retries: 5})
			if err != nil {
				t.Fatal(err)
			}
			var finish []func() ([]traceflow.Exchange, error)
			for id := range 4 {
				finish = append(finish, started(t.Context(), e, probesTo(flowOf(network, id+1, false), 3)))
			}
			time.Sleep(35 * ms)
			var wait sync.WaitGroup
			for range 2 {
				wait.Go(func() {
					if err := e.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				})
			}
			wait.Wait()
			for _, f := range finish {
				exchanges, err := f()
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("error %v, want %v", err, net.ErrClosed)
				}
				for _, x := range exchanges {
					if x.Err != nil {
						t.Errorf("flow %d TTL %d: %v", x.Flow, x.TTL, x.Err)
					}
				}
			}
			if _, err := e.Probe(t.Context(), probesTo(flowOf(network, 1, false), 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Probe after Close: %v, want %v", err, net.ErrClosed)
			}
		})
	}
}

// brokenWire fails in Recv once it is told.
type brokenWire struct {
	*simnet.Wire
	fail chan struct{}
}

func (w *brokenWire) Recv([]traceflow.Datagram) (int, error) {
	<-w.fail
	return 0, errTest
}

func (w *brokenWire) Close() error {
	select {
	case <-w.fail:
	default:
		close(w.fail)
	}
	return w.Wire.Close()
}

// TestBrokenWire wants the wire's own error, from the call under way and from
// every later one.
func TestBrokenWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "link s > r1 > d")
		w := &brokenWire{simnet.New(network).Open(), make(chan struct{})}
		e := open(t, w, sees, Config{Retries: 2})
		probes := probesTo(flowOf(network, 1, false), 2)
		finish := started(t.Context(), e, probes)
		time.Sleep(100 * ms)
		close(w.fail)
		exchanges, err := finish()
		if !errors.Is(err, errTest) || len(exchanges) != 2 {
			t.Errorf("%d exchanges and %v, want 2 and %v", len(exchanges), err, errTest)
		}
		var op *OpError
		if !errors.As(err, &op) || op.Op != "receive" {
			t.Errorf("%#v, want an OpError of receive", err)
		}
		if _, err := e.Probe(t.Context(), probes); !errors.Is(err, errTest) {
			t.Errorf("the next call: %v, want %v", err, errTest)
		}
	})
}

// TestSendErrors refuses some packets, and takes others one at a time.
func TestSendErrors(t *testing.T) {
	for _, atMost := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "link s > r1 > r2 > d")
			w := &tap{Wire: simnet.New(network).Open(), atMost: atMost, refuse: func(h *packet.IP, _ *packet.UDP) error {
				if h.TTL == 2 {
					return errTest
				}
				return nil
			}}
			e := open(t, w, sees, Config{Retries: 2})
			var flows []traceflow.Flow
			var probes []traceflow.Probe
			for id := range 30 {
				flows = append(flows, flowOf(network, id+1, false))
				probes = append(probes, probesTo(flows[id], 3)...)
			}
			exchanges := mustProbe(t, e, probes)
			if len(exchanges) != len(probes) {
				t.Fatalf("%d exchanges, want %d", len(exchanges), len(probes))
			}
			checkTrue(t, network, flows, exchanges)
			for _, x := range exchanges {
				failed, answered := x.Err != nil, x.Reply.Kind != traceflow.NoReply
				if failed != (x.TTL == 2) || answered == failed || failed != x.Sent.IsZero() {
					t.Errorf("at most %d: %+v", atMost, x)
				}
			}
			if want := (traceflow.Stats{Probes: 60, Replies: 60, SendErrors: 30}); e.Stats() != want {
				t.Errorf("at most %d: stats %+v, want %+v", atMost, e.Stats(), want)
			}
		})
	}
}

// stuckWire takes nothing and gives no reason.
type stuckWire struct{ *simnet.Wire }

func (w stuckWire) Send([]traceflow.Datagram) (int, error) { return 0, nil }

// TestNoProgress wants failed exchanges from a wire that sends nothing, not an
// engine that tries for ever.
func TestNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "link s > d")
		e := open(t, stuckWire{simnet.New(network).Open()}, sees, Config{Retries: 2})
		exchanges := mustProbe(t, e, probesTo(flowOf(network, 1, false), 3))
		if len(exchanges) != 3 || exchanges[0].Err == nil {
			t.Errorf("%+v, want 3 failed exchanges", exchanges)
		}
	})
}

// TestClosedUnderSend has the wire closed by the time of a send: that is the
// end of the run, not a packet that could not be sent.
func TestClosedUnderSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "link s > d")
		w := &tap{Wire: simnet.New(network).Open(), refuse: func(*packet.IP, *packet.UDP) error { return net.ErrClosed }}
		e := open(t, w, sees, Config{})
		exchanges, err := e.Probe(t.Context(), probesTo(flowOf(network, 1, false), 2))
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v, want %v", err, net.ErrClosed)
		}
		for _, x := range exchanges {
			if x.Sent.IsZero() && x.Err == nil {
				t.Errorf("%+v: neither sent nor failed", x)
			}
		}
	})
}

// TestConcurrent has several callers share flows and the engine.
func TestConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Builtin(t, "d")
		e := open(t, simnet.New(network).Open(), sees, Config{Rate: 2000, Retries: 1})
		var wait sync.WaitGroup
		for caller := range 12 {
			wait.Go(func() {
				f := flowOf(network, caller%4+1, caller%2 == 0)
				for range 5 {
					probes := probesTo(f, 6)
					exchanges, err := e.Probe(t.Context(), probes)
					if err != nil || len(exchanges) != len(probes) {
						t.Errorf("%d exchanges, %v", len(exchanges), err)
					}
					checkTrue(t, network, []traceflow.Flow{f}, exchanges)
					checkAnswered(t, network, probes, exchanges)
				}
			})
		}
		wait.Wait()
		if want := (traceflow.Stats{Probes: 360, Replies: 360}); e.Stats() != want {
			t.Errorf("stats %+v, want %+v", e.Stats(), want)
		}
	})
}

// TestSlow paces so slowly that a flow's earlier packets are forgotten before
// its next one is sent.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "link s > r1 > r2 > d")
		e := open(t, simnet.New(network).Open(), sees, Config{Rate: 1.0 / 15})
		var flows []traceflow.Flow
		var probes []traceflow.Probe
		for id := range 9 {
			// One TTL, so that they are sent in this order: 45 s between two
			// packets of a flow.
			flows = append(flows, flowOf(network, id%3+1, false))
			probes = append(probes, traceflow.Probe{Flow: flows[id], TTL: 2})
		}
		exchanges := mustProbe(t, e, probes)
		checkTrue(t, network, flows, exchanges)
		checkAnswered(t, network, probes, exchanges)
		if want := (traceflow.Stats{Probes: 9, Replies: 9}); e.Stats() != want {
			t.Errorf("stats %+v, want %+v", e.Stats(), want)
		}
	})
}

// bench is an owner that is driven by hand, without goroutines.
func bench(t *testing.T, network *topology.Topology, caps Capabilities, config Config) (*owner, *simnet.Wire) {
	t.Helper()
	w := simnet.New(network).Open()
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	return newOwner(&Engine{config: config, caps: caps, wire: w}), w
}

func requestOf(probes []traceflow.Probe) *request {
	r := &request{open: len(probes), result: make(chan error, 1)}
	for _, p := range probes {
		r.tasks = append(r.tasks, &task{request: r, probe: p})
	}
	return r
}

// TestMemory wants nothing to stay of finished and cancelled requests.
func TestMemory(t *testing.T) {
	for _, caps := range []Capabilities{sees, blind} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "node d destination silent; link s > d")
			o, w := bench(t, network, caps, Config{})
			defer w.Close()
			for id := range 1000 {
				r := requestOf(probesTo(flowOf(network, id+1, false), 3))
				o.accept(r)
				if id%2 == 0 {
					if err := o.send(time.Now()); err != nil {
						t.Fatal(err)
					}
				}
				o.flows[keyOf(r.tasks[0].probe.Flow)].serial = id%3 == 0
				o.abandon(r, errTest)
				time.Sleep(50 * ms)
				o.expire(time.Now())
			}
			time.Sleep(linger)
			o.wakeAt(time.Now())
			o.expire(time.Now())
			if len(o.flows)+len(o.live)+len(o.queue)+len(o.waiting)+len(o.finished)+len(o.quiet) > 0 {
				t.Errorf("%v: left are %d flows, %d requests, %d queued, %d waiting, %d finished, %d quiet", caps,
					len(o.flows), len(o.live), len(o.queue), len(o.waiting), len(o.finished), len(o.quiet))
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		ok     bool
	}{
		{"zero", Config{}, true},
		{"slow", Config{Rate: 0.1}, true},
		{"fast", Config{Rate: math.Inf(1)}, true},
		{"negative rate", Config{Rate: -1}, false},
		{"no number", Config{Rate: math.NaN()}, false},
		{"rate without a gap", Config{Rate: 1e-30}, false},
		{"negative retries", Config{Retries: -1}, false},
		{"negative timeout", Config{Timeout: -1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.config.Validate(); (err == nil) != tt.ok {
				t.Errorf("Validate: %v, want it to be valid: %v", err, tt.ok)
			}
		})
	}
}

// TestLateTeaches wants a reply that comes too late to be waited for the next
// time: a path that has become slow is not dead.
func TestLateTeaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "node d destination answer-delay=700ms; link s > a > d")
		e := open(t, simnet.New(network).Open(), sees, Config{})
		f := flowOf(network, 1, false)
		mustProbe(t, e, probesTo(f, 1)) // now the engine waits for 500 ms beyond it
		for i, want := range []traceflow.ReplyKind{traceflow.NoReply, traceflow.PortUnreachable} {
			if got := mustProbe(t, e, []traceflow.Probe{{Flow: f, TTL: 2}})[0].Reply.Kind; got != want {
				t.Errorf("probe %d: %s, want %s", i+1, got, want)
			}
			time.Sleep(time.Second)
		}
		if s := e.Stats(); s.Late != 1 {
			t.Errorf("%+v, want one late", s)
		}
	})
}
