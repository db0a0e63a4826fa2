// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"runtime"
	"sync/atomic"
	"testing"

	"traceflow"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

func FuzzSend(f *testing.F) {
	top := topologytest.Parse(f, "node a mpls=16/0/1 mangle=id,checksum,address,ports,ttl zero-ttl nat=keep-checksum; "+
		"node b mangle=truncate nat=restore quote=30 duplicates=1 tos=0x29 interface=7/eth0/1500; "+
		"node d destination tcp=open udp=quic; link s > a > b delay=0s; link b > c > d delay=0s mtu=1300")
	for _, v6 := range []bool{false, true} {
		for _, protocol := range protocols {
			for ttl := range uint8(5) {
				to := flow(top, 1, v6)
				to.Protocol = protocol
				f.Add(probe(to, ttl, 20))
			}
		}
		f.Add(sized(flow(top, 1, v6), 9, 1400, true))
		f.Add(echoRequest(flow(top, 1, v6), "data"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := New(top)
		w := n.Open()
		defer w.Close()
		// The one address that draws answers is hard to guess.
		for _, direct := range []bool{false, true} {
			if direct && len(data) >= 40 {
				if data[0]>>4 == 4 {
					copy(data[16:20], top.Nodes[top.Destination].Address4.AsSlice())
				} else {
					copy(data[24:40], top.Nodes[top.Destination].Address6.AsSlice())
				}
			}
			batch := []traceflow.Datagram{{Data: data}}
			sent, err := w.Send(batch)
			if (sent == 1) != (err == nil) {
				t.Fatalf("Send: %d, %v", sent, err)
			}
			for _, a := range w.queue.heap {
				if h, _, err := packet.DecodeIP(a.data); err != nil || h.Length != len(a.data) {
					t.Fatalf("answer %x: %v", a.data, err)
				}
			}
		}
	})
}

// loop sends count probes in batches and receives the answers to them.
func loop(tb testing.TB, w *Wire, top *topologyPackets, count int) {
	sent, received := 0, 0
	for received < count {
		if sent < count {
			n, err := w.Send(top.out[:min(len(top.out), count-sent)])
			if err != nil {
				tb.Fatal(err)
			}
			sent += n
		}
		for received < sent {
			n, err := w.Recv(top.in)
			if err != nil {
				tb.Fatal(err)
			}
			received += n
		}
	}
}

// topologyPackets are probes for a network, and room for what they draw.
type topologyPackets struct{ out, in []traceflow.Datagram }

func packets(tb testing.TB, name string, v6 bool) (*Wire, *topologyPackets) {
	top := topologytest.Builtin(tb, name)
	for i := range top.Edges {
		top.Edges[i].Delay = 0
	}
	p := &topologyPackets{}
	hops := len(top.Truth(flow(top, 1, v6)))
	for i := range 64 {
		p.out = append(p.out, traceflow.Datagram{Data: probe(flow(top, uint16(1000+i), v6), uint8(1+i%hops), 12)})
		p.in = append(p.in, traceflow.Datagram{Data: make([]byte, 0, 2048)})
	}
	return New(top).Open(), p
}

func TestSendAndRecvDoNotAllocate(t *testing.T) {
	for _, name := range []string{"f", "mpls", "g", "bleach", "interfaces"} {
		both(t, func(t *testing.T, v6 bool) {
			w, p := packets(t, name, v6)
			loop(t, w, p, 64)
			if n := testing.AllocsPerRun(100, func() { loop(t, w, p, 64) }); n != 0 {
				t.Errorf("%s: %v allocations for 64 probes and answers", name, n)
			}
		})
	}
}

// BenchmarkExchange is one packet there and back.
func BenchmarkExchange(b *testing.B) {
	for _, name := range []string{"b", "f", "line", "mpls"} {
		for family, v6 := range map[string]bool{"IPv4": false, "IPv6": true} {
			b.Run(name+"/"+family, func(b *testing.B) {
				w, p := packets(b, name, v6)
				b.ReportAllocs()
				b.ResetTimer()
				loop(b, w, p, b.N)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
			})
		}
	}
}

// BenchmarkApart sends and receives in two goroutines over links that take a
// millisecond each, as the engine does.
func BenchmarkApart(b *testing.B) {
	top := topologytest.Builtin(b, "f")
	w := New(top).Open()
	defer w.Close()
	_, p := packets(b, "f", false)
	var received atomic.Int64
	go func() {
		for sent := 0; sent < b.N; {
			if sent-int(received.Load()) > queueLimit/2 {
				runtime.Gosched() // or the queue overflows
				continue
			}
			n, err := w.Send(p.out[:min(len(p.out), b.N-sent)])
			if err != nil {
				return
			}
			sent += n
		}
	}()
	for received.Load() < int64(b.N) {
		n, err := w.Recv(p.in)
		if err != nil {
			b.Fatal(err)
		}
		received.Add(int64(n))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}
