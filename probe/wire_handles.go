// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"traceflow"
	"traceflow/packet"
)

// handleWire sends echo requests by a call of the system's that takes the TTL
// and the data, chooses ID and sequence number itself, and returns with the
// answer: the ICMP handles of Windows. The calls tell which answer is whose.
//
// It owns a goroutine, and a thread, for each request in flight, at most
// maxCalls. Each ends with its call, which lasts until the answer or the timeout.
type handleWire struct {
	// ask sends a request and waits for the answer; it reports false for
	// silence. Several run at the same time.
	ask func(*echoRequest) (echoAnswer, bool)
	// free gives back what ask needs. It runs once, when the last ask has
	// returned.
	free    func() error
	slots   chan struct{} // one for each call
	answers chan traceflow.Datagram
	closing chan struct{}

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// maxCalls bounds the threads. A trace to 64 hops with a retry for each fits;
// beyond, Send waits for a call to return.
const maxCalls = 128

// echoRequest is an echo request for the system to send.
type echoRequest struct {
	source, destination netip.Addr
	ttl, tos            uint8
	dontFragment        bool
	data                []byte
}

func newHandleWire(ask func(*echoRequest) (echoAnswer, bool), free func() error) *handleWire {
	return &handleWire{
		ask: ask, free: free,
		slots: make(chan struct{}, maxCalls),
		// Every call can leave its answer without waiting for Recv.
		answers: make(chan traceflow.Datagram, maxCalls),
		closing: make(chan struct{}),
	}
}

// Send implements Wire. A packet is stamped when its call begins.
func (w *handleWire) Send(batch []traceflow.Datagram) (int, error) {
	for i := range batch {
		request, err := readRequest(batch[i].Data)
		if err != nil {
			return i, err
		}
		select {
		case w.slots <- struct{}{}:
		case <-w.closing:
			return i, net.ErrClosed
		}
		sent := append([]byte(nil), batch[i].Data...)
		request.data = sent[len(sent)-len(request.data):]
		if !w.start(func() { w.call(request, sent) }) {
			return i, net.ErrClosed
		}
		batch[i].Time = time.Now()
	}
	return len(batch), nil
}

// start runs f on a goroutine of its own unless the wire is closed.
func (w *handleWire) start(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.running.Go(f)
	return true
}

func (w *handleWire) call(request *echoRequest, sent []byte) {
	answer, ok := w.ask(request)
	at := time.Now()
	<-w.slots
	if !ok {
		return
	}
	if data, ok := answer.appendAnswer(nil, sent); ok {
		select {
		case w.answers <- traceflow.Datagram{Data: data, Time: at}:
		case <-w.closing:
		}
	}
}

// readRequest takes an echo request apart; what else there is the system cannot
// send.
func readRequest(b []byte) (*echoRequest, error) {
	h, body, err := packet.DecodeIP(b)
	if err != nil {
		return nil, err
	}
	want, request := packet.ProtocolICMP, packet.ICMPv4EchoRequest
	if h.Source.Is6() {
		want, request = packet.ProtocolICMPv6, packet.ICMPv6EchoRequest
	}
	if h.Protocol != want {
		return nil, &UnsupportedError{Feature: "this protocol without raw sockets", Need: "an Administrator"}
	}
	m, err := packet.DecodeICMP(body, h.Source, h.Destination)
	if err != nil {
		return nil, err
	}
	if m.Type != request || h.Label != 0 {
		return nil, &UnsupportedError{Feature: "anything but an echo request without flow label", Need: "raw sockets"}
	}
	return &echoRequest{
		source: h.Source, destination: h.Destination, ttl: h.TTL, tos: h.TOS, dontFragment: h.DontFragment, data: m.Body,
	}, nil
}

// Recv implements Wire.
func (w *handleWire) Recv(batch []traceflow.Datagram) (int, error) {
	select {
	case <-w.closing:
		return 0, net.ErrClosed
	default:
	}
	n := 0
	select {
	case d := <-w.answers:
		batch[n].Data, batch[n].Time = append(batch[n].Data[:0], d.Data...), d.Time
		n++
	case <-w.closing:
		return 0, net.ErrClosed
	}
	for n < len(batch) {
		select {
		case d := <-w.answers:
			batch[n].Data, batch[n].Time = append(batch[n].Data[:0], d.Data...), d.Time
			n++
		default:
			return n, nil
		}
	}
	return n, nil
}

// Close implements Wire. It does not wait for calls under way, which nothing
// ends before their timeout: what they need is given back after the last.
func (w *handleWire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	close(w.closing)
	go func() {
		w.running.Wait()
		_ = w.free() // nobody is left to be told
	}()
	return nil
}
