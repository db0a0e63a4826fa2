// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"traceflow"
)

// Config is how an engine sends. The zero value sends as fast as it can,
// without retries, and waits three seconds for a reply.
type Config struct {
	// Rate is how many packets a second are sent at most; 0 is no limit.
	Rate float64
	// Retries is how often an unanswered probe is sent again.
	Retries int
	// Timeout is how long a reply is waited for at most; the round trips seen
	// usually make it much shorter. 0 means DefaultTimeout.
	Timeout time.Duration
	// Key is the secret that identities are derived from; nil draws one.
	Key []byte
	// QUIC makes UDP probes QUIC packets of a version that no server has. Servers
	// answer those with version negotiation (RFC 9000, section 6).
	QUIC bool
	// Size and DontFragment are those of probes that have no size of their own.
	Size         int
	DontFragment bool
	// Observe, if set, is told of each packet's fate: once when it is answered
	// or given up. It runs on the engine's goroutine, in order, and must not
	// block.
	Observe func(traceflow.Exchange)
}

// DefaultTimeout is long enough for a router that reports a host as
// unreachable after three unanswered ARP or neighbour requests a second apart.
const DefaultTimeout = 3 * time.Second

// minRate is so slow that nobody can mean less, and its gap still a Duration.
const minRate = 1.0 / (24 * 60 * 60)

// Validate reports the first value that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Rate < 0 || math.IsNaN(c.Rate):
		return fmt.Errorf("rate %v is no number from 0 on", c.Rate)
	case c.Rate > 0 && c.Rate < minRate:
		return fmt.Errorf("rate %v is below %v, one packet a day", c.Rate, minRate)
	case c.Retries < 0:
		return fmt.Errorf("retries %d is negative", c.Retries)
	case c.Timeout < 0:
		return fmt.Errorf("timeout %v is negative", c.Timeout)
	}
	return nil
}

// Engine sends probes over one wire and matches what comes back. It owns two
// goroutines: one holds all state, the other blocks in Wire.Recv. Both end
// with Close. Its methods may be called from several goroutines.
type Engine struct {
	config Config
	caps   Capabilities
	wire   Wire

	requests chan *request
	cancels  chan cancellation
	answers  chan []answer
	broken   chan error    // why the receiver stopped
	closing  chan struct{} // closed by Close
	closed   sync.Once
	wait     sync.WaitGroup
	ended    chan struct{} // closed when the owner has ended
	why      error         // why it has; set before

	statsMu sync.Mutex
	stats   traceflow.Stats
}

// NewEngine starts an engine on an open wire, which it closes in Close.
func NewEngine(wire Wire, caps Capabilities, config Config) (*Engine, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	e := &Engine{
		config: config, caps: caps, wire: wire,
		requests: make(chan *request),
		cancels:  make(chan cancellation),
		// One batch may wait while the owner sends another, so that the
		// receiver is back in Recv at once.
		answers: make(chan []answer, 1),
		broken:  make(chan error, 1),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	e.wait.Go(e.receive)
	e.wait.Go(func() {
		defer close(e.ended)
		newOwner(e).run()
	})
	return e, nil
}

// Probe sends the probes and returns an exchange for every packet sent: the
// probes in the order given, the attempts of each in the order sent. Silence
// and failed sends are exchanges, not errors. When ctx ends, Probe returns at
// once what is known with the error of ctx; when the wire breaks, likewise
// with the wire's error.
func (e *Engine) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	if len(probes) == 0 {
		return nil, context.Cause(ctx)
	}
	r := &request{open: len(probes), result: make(chan error, 1)}
	r.tasks = make([]*task, len(probes))
	for i, p := range probes {
		if p.Size == 0 {
			p.Size, p.DontFragment = e.config.Size, p.DontFragment || e.config.DontFragment
		}
		r.tasks[i] = &task{request: r, probe: p}
	}
	select {
	case e.requests <- r:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-e.ended:
		return nil, e.why
	}
	var err error
	select {
	case err = <-r.result:
	case <-ctx.Done():
		select {
		case e.cancels <- cancellation{r, context.Cause(ctx)}:
		case <-e.ended:
		}
		// Whoever came first, the owner has spoken its last word on r.
		err = <-r.result
	}
	return r.exchanges(), err
}

func (r *request) exchanges() []traceflow.Exchange {
	out := make([]traceflow.Exchange, 0, len(r.tasks))
	for _, t := range r.tasks {
		for _, a := range t.attempts {
			if a.state != discardedState {
				out = append(out, a.exchange())
			}
		}
	}
	return out
}

// Stats returns what was counted so far.
func (e *Engine) Stats() traceflow.Stats {
	e.statsMu.Lock()
	defer e.statsMu.Unlock()
	return e.stats
}

func (e *Engine) count(update func(*traceflow.Stats)) {
	e.statsMu.Lock()
	defer e.statsMu.Unlock()
	update(&e.stats)
}

// Close closes the wire and waits for the engine's goroutines. Calls of Probe
// that are under way return net.ErrClosed.
func (e *Engine) Close() error {
	var err error
	e.closed.Do(func() {
		close(e.closing)
		err = e.wire.Close()
	})
	e.wait.Wait()
	return err
}

// receive decodes what arrives until the wire is closed or broken.
func (e *Engine) receive() {
	batch := make([]traceflow.Datagram, maxBatch)
	for {
		n, err := e.wire.Recv(batch)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				err = opError("receive", "", err)
			}
			e.broken <- err
			return
		}
		answers := make([]answer, 0, n)
		malformed := 0
		for i := range batch[:n] {
			a, err := decodeAnswer(&batch[i], e.caps.QuotedHeader)
			switch {
			case err == nil:
				answers = append(answers, a)
			case !errors.Is(err, errIrrelevant):
				malformed++
			}
		}
		if malformed > 0 {
			e.count(func(s *traceflow.Stats) { s.Malformed += malformed })
		}
		if len(answers) == 0 {
			continue
		}
		select {
		case e.answers <- answers:
		case <-e.ended:
			return
		}
	}
}
