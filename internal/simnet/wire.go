// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"fmt"
	"net"
	"slices"
	"time"

	"traceflow"
)

// Wire sends into a network and receives what comes back: a socket of the
// vantage point's. Like raw sockets, all wires that are open when a packet is
// sent see the replies to it, whichever of them sent it. A wire that nobody
// reads loses packets when a quarter of a million wait. Send, Close and Inject
// may be called at any time, Recv by one goroutine at a time. A wire owns no
// goroutine.
type Wire struct {
	n      *Network
	queue  queue // guarded by n.mu
	closed bool  // guarded by n.mu

	wake  chan struct{} // holds one token: the earliest packet has changed
	done  chan struct{} // closed by Close
	timer *time.Timer   // belongs to the goroutine in Recv
}

// Open returns a new wire to the network.
func (n *Network) Open() *Wire {
	w := &Wire{n: n, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.queue.wake = w.signal
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin()
	n.queues = append(n.queues, &w.queue)
	return w
}

func (w *Wire) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Send sends whole IP packets, all at one moment, which becomes their Time.
// When one is no IP packet of the length that its header says, it stops there
// and returns how many it has sent and what was wrong; once the wire is closed,
// net.ErrClosed. As a raw socket does, it puts the IPv4 header checksum right.
func (w *Wire) Send(batch []traceflow.Datagram) (int, error) {
	n := w.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.closed {
		return 0, net.ErrClosed
	}
	now := time.Now()
	for i := range batch {
		if err := n.carry(batch[i].Data, now.Sub(n.epoch), n.queues); err != nil {
			return i, fmt.Errorf("send: %w", err)
		}
		batch[i].Time = now
	}
	return len(batch), nil
}

// Recv waits until a packet has arrived, then fills the batch with those that
// have, in their order, reusing the capacity of each Data. Time is when the
// packet arrived, which may be before Recv was called. It returns how many
// there are, or net.ErrClosed once the wire is closed.
func (w *Wire) Recv(batch []traceflow.Datagram) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	for {
		k, wait, err := w.take(batch)
		if k > 0 || err != nil {
			return k, err
		}
		w.sleep(wait)
	}
}

// forever is longer than any packet takes.
const forever = time.Duration(1<<63 - 1)

// take fills the batch with what is due now. When nothing is, wait is how long
// to wait for the next packet.
func (w *Wire) take(batch []traceflow.Datagram) (k int, wait time.Duration, err error) {
	n := w.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.closed {
		return 0, 0, net.ErrClosed
	}
	now := time.Since(n.epoch)
	for k < len(batch) {
		due, ok := w.queue.next()
		if !ok {
			return k, forever, nil
		}
		if due > now {
			return k, due - now, nil
		}
		a := w.queue.pop()
		batch[k].Data = append(batch[k].Data[:0], a.data...)
		batch[k].Time = n.epoch.Add(a.due)
		n.release(a.data)
		k++
	}
	return k, 0, nil
}

// sleep returns after wait, or when there may be something to do before.
func (w *Wire) sleep(wait time.Duration) {
	var due <-chan time.Time
	if wait < forever {
		if w.timer == nil {
			w.timer = time.NewTimer(wait)
		} else {
			w.timer.Reset(wait)
		}
		defer w.timer.Stop()
		due = w.timer.C
	}
	select {
	case <-w.wake:
	case <-w.done:
	case <-due:
	}
}

// Inject makes a packet arrive at this wire now, though the network never sent
// it: a forgery, or other people's traffic. It need not be an IP packet.
func (w *Wire) Inject(raw []byte) {
	n := w.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if !w.closed {
		w.queue.push(time.Since(n.epoch), append(n.buffer(), raw...))
	}
}

// Close ends a blocked Recv and forgets what is on its way. It is safe to call
// again.
func (w *Wire) Close() error {
	n := w.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	close(w.done)
	n.queues = slices.DeleteFunc(n.queues, func(q *queue) bool { return q == &w.queue })
	for _, a := range w.queue.heap {
		n.release(a.data)
	}
	w.queue.heap = nil
	return nil
}
