// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// The engine's interface, which this package does not import.
var _ interface {
	Send(batch []traceflow.Datagram) (int, error)
	Recv(batch []traceflow.Datagram) (int, error)
	Close() error
} = (*Wire)(nil)

func TestSend(t *testing.T) {
	top := topologytest.Parse(t, "link s > a > d")
	good := probe(flow(top, 1, false), 1, 2)
	tests := []struct {
		name string
		bad  []byte
		want error
	}{
		{"empty", nil, packet.ErrTruncated},
		{"version", []byte{0x50, 0, 0, 0}, packet.ErrMalformed},
		{"cut", good[:len(good)-1], errLength},
		{"longer", append(slices.Clone(good), 0), errLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := New(top).Open()
				time.Sleep(time.Second)
				batch := []traceflow.Datagram{{Data: good}, {Data: good}, {Data: tt.bad}, {Data: good}}
				n, err := w.Send(batch)
				if n != 2 || !errors.Is(err, tt.want) {
					t.Errorf("Send: %d, %v; want 2, %v", n, err, tt.want)
				}
				if !batch[1].Time.Equal(time.Now()) || !batch[2].Time.IsZero() || !batch[3].Time.IsZero() {
					t.Errorf("times %v", batch)
				}
				if got := collect(t, w, time.Second); len(got) != 2 {
					t.Errorf("%d answers to 2 packets", len(got))
				}
				if n, err := w.Send(batch); n != 0 || !errors.Is(err, net.ErrClosed) {
					t.Errorf("Send after Close: %d, %v", n, err)
				}
			})
		})
	}
}

// TestRecvWaits sees that Recv wakes up for a packet that comes before the one
// it waits for, and at the very time.
func TestRecvWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := topologytest.Parse(t, "link s > a > d delay=10ms")
		w := New(top).Open()
		start := time.Now()
		f := flow(top, 1, false)
		go func() {
			time.Sleep(5 * ms)
			send(t, w, probe(f, 2, 2)) // arrives at 45 ms
			time.Sleep(5 * ms)
			send(t, w, probe(f, 1, 2)) // arrives at 30 ms
			time.Sleep(7 * ms)
			w.Inject([]byte("forged"))
		}()
		var got []string
		for _, d := range collect(t, w, time.Second) {
			got = append(got, fmt.Sprint(d.Time.Sub(start), " ", len(d.Data)))
		}
		if want := []string{"17ms 6", "30ms 58", "45ms 58"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestRecvReusesBuffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := topologytest.Parse(t, "link s > a > d")
		w := New(top).Open()
		defer w.Close()
		send(t, w, probe(flow(top, 1, false), 1, 2))
		batch := []traceflow.Datagram{{Data: make([]byte, 3, 2000)}}
		room := &batch[0].Data[0]
		if n, err := w.Recv(nil); n != 0 || err != nil {
			t.Errorf("Recv without room: %d, %v", n, err)
		}
		if n, err := w.Recv(batch); n != 1 || err != nil {
			t.Fatalf("Recv: %d, %v", n, err)
		}
		if len(batch[0].Data) != 58 || &batch[0].Data[0] != room {
			t.Errorf("%d bytes, not into the buffer given", len(batch[0].Data))
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := topologytest.Parse(t, "link s > a > d")
		n := New(top)
		idle, waiting := n.Open(), n.Open()
		send(t, waiting, probe(flow(top, 1, false), 1, 2))
		ended := make(chan error)
		for _, w := range []*Wire{idle, waiting} {
			go func() {
				for {
					if _, err := w.Recv(make([]traceflow.Datagram, 1)); err != nil {
						ended <- err
						return
					}
				}
			}()
		}
		time.Sleep(ms)
		for _, w := range []*Wire{idle, waiting} {
			if err := errors.Join(w.Close(), w.Close()); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Recv ended with %v", err)
			}
			w.Inject([]byte{1}) // must not matter
		}
	})
}

// TestSeveralWires sees that all open wires get all replies.
func TestSeveralWires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := topologytest.Parse(t, "link s > a > d")
		n := New(top)
		one, two, closed := n.Open(), n.Open(), n.Open()
		closed.Close()
		send(t, one, probe(flow(top, 1, false), 1, 2))
		send(t, two, probe(flow(top, 2, true), 2, 2))
		two.Inject([]byte("for two alone"))
		got := make(chan int)
		go func() { got <- len(collect(t, one, time.Second)) }()
		if n := len(collect(t, two, time.Second)); n != 3 {
			t.Errorf("the second wire got %d packets, want 3", n)
		}
		if n := <-got; n != 2 {
			t.Errorf("the first wire got %d packets, want 2", n)
		}
	})
}

func TestQueue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var q queue
	var want []arrival
	for range 3000 {
		if len(want) > 0 && r.IntN(3) == 0 {
			slices.SortFunc(want, func(a, b arrival) int {
				if a.before(&b) {
					return -1
				}
				return 1
			})
			due, ok := q.next()
			if got := q.pop(); !ok || got.due != due || got.due != want[0].due || got.turn != want[0].turn {
				t.Fatalf("popped %v %d, want %v %d", got.due, got.turn, want[0].due, want[0].turn)
			}
			want = want[1:]
			continue
		}
		due := time.Duration(r.IntN(50))
		want = append(want, arrival{due: due, turn: q.turn})
		q.push(due, nil)
	}
	full := queue{heap: make([]arrival, queueLimit)}
	if full.push(0, nil) {
		t.Error("a full queue takes one more")
	}
}
