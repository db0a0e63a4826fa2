// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/packet"
)

// TestHandleWire lets a path of three hops answer: a router after TTL times
// 10 ms, nobody at TTL 2, the destination from TTL 3 on.
func TestHandleWire(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var freed atomic.Bool
			wire := newHandleWire(func(q *echoRequest) (echoAnswer, bool) {
				if string(q.data) != "a cookie, traceflow" {
					t.Errorf("data %q", q.data)
				}
				time.Sleep(time.Duration(q.ttl) * 10 * ms)
				router, far := router4, far4
				if v6 {
					router, far = router6, far6
				}
				switch {
				case q.ttl == 2:
					return echoAnswer{}, false
				case q.ttl >= 3:
					return echoAnswer{far, 0, 60}, true
				}
				return echoAnswer{router, 11013, 250}, true
			}, func() error {
				freed.Store(true)
				return nil
			})
			start := time.Now()
			batch := []traceflow.Datagram{{Data: echoPacket(v6, 1)}, {Data: echoPacket(v6, 2)}, {Data: echoPacket(v6, 4)}, {Data: echoPacket(v6, 3)}}
			if n, err := wire.Send(batch); n != len(batch) || err != nil {
				t.Fatalf("Send: %d, %v", n, err)
			}
			if batch[3].Time != start {
				t.Errorf("stamped %v after it was sent", batch[3].Time.Sub(start))
			}
			type answer struct {
				after time.Duration
				typ   uint8
			}
			var got []answer
			in := make([]traceflow.Datagram, 8)
			for len(got) < 3 {
				n, err := wire.Recv(in)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range in[:n] {
					_, body, err := packet.DecodeIP(d.Data)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, answer{d.Time.Sub(start), body[0]})
				}
			}
			want := []answer{{10 * ms, packet.ICMPv4TimeExceeded}, {30 * ms, packet.ICMPv4EchoReply}, {40 * ms, packet.ICMPv4EchoReply}}
			if v6 {
				want = []answer{{10 * ms, packet.ICMPv6TimeExceeded}, {30 * ms, packet.ICMPv6EchoReply}, {40 * ms, packet.ICMPv6EchoReply}}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("answers (-want +got)\n%s", diff)
			}
			if err := wire.Close(); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if !freed.Load() {
				t.Error("the handle was not given back")
			}
		})
	}
}

// TestHandleWireProbes runs the engine on such a wire: an answer belongs to the
// very packet, though nothing of the way is seen in the quote.
func TestHandleWireProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := newHandleWire(func(q *echoRequest) (echoAnswer, bool) {
			time.Sleep(time.Duration(q.ttl) * 10 * ms)
			if q.ttl >= 3 {
				return echoAnswer{far4, 0, 60}, true
			}
			return echoAnswer{router4, 11013, 250}, q.ttl == 1
		}, func() error { return nil })
		e := open(t, wire, Capabilities{Kind: "handles"}, Config{})
		f := traceflow.Flow{ID: 1, Protocol: traceflow.ProtocolICMP, Source: here4, Destination: far4, SourcePort: 33452}
		want := []traceflow.Reply{
			{Kind: traceflow.TimeExceeded, Address: router4, RTT: 10 * ms, ICMPType: packet.ICMPv4TimeExceeded, TTL: 250},
			{},
			{Kind: traceflow.EchoReply, Address: far4, RTT: 30 * ms, TTL: 60},
		}
		var got []traceflow.Reply
		for _, x := range mustProbe(t, e, probesTo(f, 3)) {
			got = append(got, x.Reply)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("replies (-want +got)\n%s", diff)
		}
	})
}

// TestHandleWireCloses closes the wire while calls are under way and Send and
// Recv wait.
func TestHandleWireCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, freed atomic.Int32
		wire := newHandleWire(func(q *echoRequest) (echoAnswer, bool) {
			calls.Add(1)
			defer calls.Add(-1)
			time.Sleep(5 * time.Second)
			return echoAnswer{far4, 0, 60}, true
		}, func() error {
			if n := calls.Load(); n != 0 {
				t.Errorf("given back under %d calls", n)
			}
			freed.Add(1)
			return nil
		})
		batch := make([]traceflow.Datagram, maxCalls+1)
		for i := range batch {
			batch[i].Data = echoPacket(false, 1)
		}
		sent, received := make(chan int, 1), make(chan error, 1)
		go func() {
			n, err := wire.Send(batch)
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("Send: %v", err)
			}
			sent <- n
		}()
		go func() {
			_, err := wire.Recv(make([]traceflow.Datagram, 1))
			received <- err
		}()
		synctest.Wait()
		start := time.Now()
		if err := errors.Join(wire.Close(), wire.Close()); err != nil {
			t.Error(err)
		}
		if n := <-sent; n != maxCalls {
			t.Errorf("%d sent, want %d", n, maxCalls)
		}
		if err := <-received; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Recv: %v", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v", took)
		}
		if _, err := wire.Recv(make([]traceflow.Datagram, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Recv after Close: %v", err)
		}
		if _, err := wire.Send(batch[:1]); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send after Close: %v", err)
		}
		time.Sleep(6 * time.Second) // until the last call has returned
		if n := freed.Load(); n != 1 {
			t.Errorf("the handle was given back %d times", n)
		}
	})
}

func TestHandleWireRefuses(t *testing.T) {
	wire := newHandleWire(nil, func() error { return nil })
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"UDP", probePacket(false, identity{tag: newTag(1, 1)}), errors.ErrUnsupported},
		{"UDP over IPv6", probePacket(true, identity{tag: newTag(1, 1)}), errors.ErrUnsupported},
		{"not a request", errorFrom(router4, packet.ICMPv4TimeExceeded, 0, echoPacket(false, 1)), errors.ErrUnsupported},
		{"cut short", echoPacket(false, 1)[:24], packet.ErrTruncated},
		{"nothing", nil, packet.ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n, err := wire.Send([]traceflow.Datagram{{Data: tt.data}}); n != 0 || !errors.Is(err, tt.want) {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	if err := wire.Close(); err != nil {
		t.Error(err)
	}
}
