// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package probe

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

func TestMain(m *testing.M) { os.Exit(netlab.Main(m)) }

// openTUN puts a network behind a TUN device of the namespace that TestMain made.
func openTUN(t *testing.T, network *topology.Topology) {
	t.Helper()
	netlab.Require(t)
	device, err := simnet.OpenTUN(simnet.New(network), "")
	if errors.Is(err, os.ErrPermission) && os.Getenv("TRACEFLOW_LAB") != "require" {
		t.Skipf("needs the right to open /dev/net/tun: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestBSDOnLinux runs the raw wire of the BSDs on Linux, whose raw sockets take
// the same calls, in network order: what it cannot show is the order of
// bytes (TestHeaderOrder) and what these kernels do otherwise.
func TestBSDOnLinux(t *testing.T) {
	network := topologytest.Parse(t, "default delay=2ms; link s > r1 > a[1..4] > c > b[1..4] > e > d")
	openTUN(t, network)
	for _, tt := range []struct {
		name     string
		v6       bool
		protocol traceflow.Protocol
	}{
		{"UDP, IPv4", false, traceflow.ProtocolUDP},
		{"UDP, IPv6", true, traceflow.ProtocolUDP},
		{"ICMP, IPv4", false, traceflow.ProtocolICMP},
		{"ICMP, IPv6", true, traceflow.ProtocolICMP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire, err := openRawBSD(Options{IPv6: tt.v6}, networkOrder)
			if err != nil {
				t.Fatal(err)
			}
			e := open(t, wire, Capabilities{Kind: KindRaw, QuotedHeader: true}, Config{Retries: 2})
			var flows []traceflow.Flow
			var probes []traceflow.Probe
			for id := range 16 {
				f := flowOf(network, id+1, tt.v6)
				f.Label = 0 // these kernels write none
				if f.Protocol = tt.protocol; f.Protocol == traceflow.ProtocolICMP {
					f.DestinationPort = 0
				}
				flows = append(flows, f)
				probes = append(probes, probesTo(f, 6)...)
			}
			exchanges := mustProbe(t, e, probes)
			checkTrue(t, network, flows, exchanges)
			checkAnswered(t, network, probes, exchanges)
			for _, x := range exchanges {
				if x.Reply.Kind == traceflow.NoReply {
					continue
				}
				// 1 ms for stamps of microseconds, 30 ms for a machine that is busy.
				if least := time.Duration(x.TTL) * 4 * ms; x.Reply.RTT < least-ms || x.Reply.RTT > least+30*ms {
					t.Errorf("flow %d TTL %d: round trip %v, want %v", x.Flow, x.TTL, x.Reply.RTT, least)
				}
				if x.Reply.Kind != traceflow.EchoReply && x.Reply.QuotedTTL != 1 || x.Reply.TTL == 0 {
					t.Errorf("flow %d TTL %d: quoted TTL %d, reply's TTL %d", x.Flow, x.TTL, x.Reply.QuotedTTL, x.Reply.TTL)
				}
			}
		})
	}
}

// TestBSDRefuses wants an error for what the kernel would write otherwise.
func TestBSDRefuses(t *testing.T) {
	network := topologytest.Parse(t, "link s > r1 > d")
	openTUN(t, network)
	wire, err := openRawBSD(Options{IPv6: true}, networkOrder)
	if err != nil {
		t.Fatal(err)
	}
	f := flowOf(network, 1, true) // has a label
	sent, err := wire.Send([]traceflow.Datagram{{Data: appendProbe(nil, &traceflow.Probe{Flow: f, TTL: 1}, identity{tag: newTag(1, 1)}, false)}})
	if sent != 0 || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Send with a flow label: %d, %v", sent, err)
	}
	received := make(chan error, 1)
	go func() {
		_, err := wire.Recv(make([]traceflow.Datagram, 1))
		received <- err
	}()
	if err := wire.Close(); err != nil {
		t.Error(err)
	}
	if err := <-received; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Recv after Close: %v", err)
	}
}
