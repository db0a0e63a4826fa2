// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

// What is measured here depends on the machine's load: it is no part of make
// check, but of make bench.

package e2e

import (
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
	"traceflow/probe"
)

// reached prints a figure beside what it has to be.
func reached(t *testing.T, what string, got, limit any, ok bool) {
	t.Helper()
	verdict := "ok"
	if !ok {
		verdict = "MISSED"
		t.Fail()
	}
	fmt.Printf("  %-58s %12v   must reach %-10v %s\n", what, got, limit, verdict)
}

// TestBenchWallTime measures the time for 64 and 255 flows over 12 hops with a
// round trip of 50 ms, and the number of packets.
func TestBenchWallTime(t *testing.T) {
	netlab.Require(t)
	const hops, roundTrip = 12, 50 * time.Millisecond
	network := openTUN(t, "far")
	destination := network.Nodes[network.Destination].Address4.String()
	fmt.Println("12 hops, 50 ms round trip, --rate 0, simulated network behind a TUN device:")
	for _, wire := range []string{"raw", "sockets"} {
		for _, flows := range []int{4, 64, 255} {
			trace := runHere(t, "-j", "--rate", "0", "--wire", wire, "--paths", strconv.Itoa(flows), destination).trace(t)
			took := trace.Ended.Sub(trace.Started)
			limit := 3 * roundTrip
			if flows == 255 {
				limit = time.Second
			}
			reached(t, fmt.Sprintf("%s: %d flows, wall time", wire, flows), took.Round(100*time.Microsecond), limit, took <= limit)
			// One more for the distance search; the rest are retries.
			most := flows*hops + 1 + trace.Stats.Retries
			reached(t, fmt.Sprintf("%s: %d flows, packets", wire, flows), trace.Stats.Probes, most, trace.Stats.Probes <= most)
		}
	}
	fmt.Println("  (the Python original on two diamonds, 6 hops, no delay: 64 paths 39 s, 255 paths 168 s)")
}

// TestBenchPeers runs the kernel networks of the peers' table.
func TestBenchPeers(t *testing.T) {
	netlab.Require(t)
	fmt.Println("kernel networks, --rate 0: interfaces/links/paths, packets, wall time, CPU time, memory")
	for _, tt := range []struct {
		name   string
		flows  int
		python string
	}{
		{"b", 64, "7/9/4 in 26.8 s"},
		{"d", 64, "16 paths in 39 s"},
		{"d", 255, "16 paths in 168 s"},
		{"k", 64, "16 paths in 33 s"},
		{"f", 64, "44/83/41"},
		{"f", 255, "67/129/64 in 106 s"},
	} {
		l := build(t, tt.name)
		for _, wire := range []string{"raw", "sockets"} {
			o := l.run(t, wire == "sockets", "-j", "--rate", "0", "--wire", wire, "--paths", strconv.Itoa(tt.flows), l.Destination4().String())
			trace := o.trace(t)
			fmt.Printf("  %-2s %3d flows %s: %3d/%3d/%2d, %4d packets, %6.1f ms, %4.0f ms CPU, %3.0f MB    Python original: %s\n",
				tt.name, tt.flows, wire, len(trace.Graph.Nodes), len(trace.Graph.Links), len(trace.Graph.Paths), trace.Stats.Probes,
				milliseconds(trace.Ended.Sub(trace.Started)), milliseconds(o.cpu), float64(o.memory)/1e6, tt.python)
		}
	}
}

// TestBenchEveryPath lets the command decide how many flows it takes.
func TestBenchEveryPath(t *testing.T) {
	netlab.Require(t)
	fmt.Println("every path at 95 % confidence, kernel networks, --rate 0:")
	for _, tt := range []struct {
		name    string
		packets int // 0: no limit
		wall    time.Duration
	}{
		{"d", 120, 300 * time.Millisecond},
		{"f", 0, 1500 * time.Millisecond},
	} {
		l := build(t, tt.name)
		trace := l.run(t, false, "-j", "--rate", "0", "--seed", "1", l.Destination4().String()).trace(t)
		took := trace.Ended.Sub(trace.Started).Round(100 * time.Microsecond)
		size := l.Topology().Size()
		found := fmt.Sprintf("%d/%d", len(trace.Graph.Nodes), len(trace.Graph.Links))
		want := fmt.Sprintf("%d/%d", size.Interfaces, size.Links)
		reached(t, tt.name+": interfaces/links", found, want, found == want)
		reached(t, tt.name+": wall time", took, tt.wall, took <= tt.wall)
		if tt.packets > 0 {
			reached(t, tt.name+": packets", trace.Stats.Probes, tt.packets, trace.Stats.Probes <= tt.packets)
		} else {
			fmt.Printf("  %s: %d packets\n", tt.name, trace.Stats.Probes)
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// TestBenchRoundTrips compares medians with the configured delays, and in the
// kernel lab with what Linux traceroute reports in the same run.
func TestBenchRoundTrips(t *testing.T) {
	netlab.Require(t)
	network := openTUN(t, "far")
	fmt.Println("round trips, median of 48 packets a hop, against the delays of a simulated network behind a TUN device:")
	for _, wire := range []string{"raw", "sockets"} {
		var worst time.Duration
		for _, hop := range roundTrips(t, network, wire) {
			worst = max(worst, (hop.measured - hop.configured).Abs())
		}
		reached(t, wire+": farthest from the configured delay", worst, 300*time.Microsecond, worst <= 300*time.Microsecond)
	}

	l := build(t, "line")
	destination := l.Destination4().String()
	theirs := tracerouteMedians(t, l, destination)
	fmt.Println("round trips in the kernel lab, 12 hops, against Linux traceroute in the same run:")
	for _, wire := range []string{"raw", "sockets"} {
		trace := l.run(t, wire == "sockets", "-j", "--wire", wire, "--paths", "10", destination).trace(t)
		var worst time.Duration
		for i := range trace.Graph.Nodes {
			n := &trace.Graph.Nodes[i]
			worst = max(worst, (n.RTT.Median - theirs[n.TTL]).Abs())
		}
		reached(t, wire+": farthest from traceroute's median", worst, 100*time.Microsecond, worst <= 100*time.Microsecond)
	}
}

// tracerouteMedians returns the median of ten round trips to each TTL.
func tracerouteMedians(t *testing.T, l *lab, destination string) map[uint8]time.Duration {
	t.Helper()
	path, err := exec.LookPath("traceroute")
	if err != nil {
		t.Skip("needs traceroute")
	}
	cmd := l.Command(t.Context(), path, "-n", "-q", "10", destination)
	var out strings.Builder
	cmd.Stdout = &out
	if err := l.Run(cmd); err != nil {
		t.Fatal(err)
	}
	figure := regexp.MustCompile(`([0-9.]+) ms`)
	medians := make(map[uint8]time.Duration)
	for line := range strings.Lines(out.String()) {
		fields := strings.Fields(line)
		ttl, err := strconv.Atoi(fields[0])
		if err != nil {
			continue
		}
		var all []time.Duration
		for _, m := range figure.FindAllStringSubmatch(line, -1) {
			ms, _ := strconv.ParseFloat(m[1], 64)
			all = append(all, time.Duration(ms*float64(time.Millisecond)))
		}
		slices.Sort(all)
		medians[uint8(ttl)] = all[(len(all)-1)/2]
	}
	return medians
}

// TestBenchWires measures what the wires carry over veth.
func TestBenchWires(t *testing.T) {
	netlab.Require(t)
	fmt.Println("wires over veth:")
	// One link, and a far end that takes packets and says nothing: more would
	// measure how fast kernels forward.
	direct := buildNetwork(t, topologytest.Parse(t, "node src source\nnode dst destination drop-udp\nlink src > dst"))
	sendRate(t, direct, probe.KindRaw, 600_000, 200_000)
	sendRate(t, direct, probe.KindSockets, 200_000, 50_000)
	receiveRate(t, build(t, "line"))
}

// probes returns a batch of UDP packets for the lab's destination, of so many
// flows, those of one flow after another as the engine sends them.
func probes(l *lab, flows int, ttl uint8) []traceflow.Datagram {
	out := make([]traceflow.Datagram, 64)
	for i := range out {
		h := packet.IP{Source: l.Source4(), Destination: l.Destination4(), Protocol: packet.ProtocolUDP, TTL: ttl, ID: uint16(i + 1)}
		payload := make([]byte, 20)
		b := packet.AppendIP(nil, &h, 8+len(payload))
		out[i].Data = packet.AppendUDP(b, netip.AddrPortFrom(l.Source4(), uint16(33453+i*flows/len(out))),
			netip.AddrPortFrom(l.Destination4(), 33452), payload)
	}
	return out
}

// sendRate sends n packets as fast as the wire takes them.
func sendRate(t *testing.T, l *lab, kind probe.Kind, n, limit int) {
	t.Helper()
	batch := probes(l, 16, 64)
	err := l.Do(func() error {
		wire, _, err := probe.Open(kind, probe.Options{})
		if err != nil {
			return err
		}
		defer wire.Close()
		start := time.Now()
		sent := 0
		for sent < n {
			k, err := wire.Send(batch)
			if err != nil {
				return err
			}
			sent += k
		}
		rate := float64(sent) / time.Since(start).Seconds()
		reached(t, fmt.Sprintf("%s: packets a second from one sender", kind), int(rate), limit, int(rate) >= limit)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// receiveRate has the first router flood the vantage point with time exceeded
// for a while, paced, and counts what the raw wire receives.
func receiveRate(t *testing.T, l *lab) {
	t.Helper()
	const rate, seconds = 100_000, 2
	var receiver, sender probe.Wire
	open := func(to *probe.Wire) func() error {
		return func() (err error) {
			*to, _, err = probe.Open(probe.KindRaw, probe.Options{})
			return err
		}
	}
	router := l.Topology().Edges[0].To
	if err := l.Do(open(&receiver)); err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	if err := l.DoAt(router, open(&sender)); err != nil {
		t.Fatal(err)
	}
	defer sender.Close()

	from := l.Topology().Nodes[router].Address4
	batch := probes(l, 16, 1)
	for i := range batch {
		message := packet.AppendICMPError(nil, from, l.Source4(), packet.ICMPv4TimeExceeded, 0, 0, batch[i].Data, nil, packet.CompliantLayout)
		h := packet.IP{Source: from, Destination: l.Source4(), Protocol: packet.ProtocolICMP, TTL: 64}
		batch[i].Data = append(packet.AppendIP(nil, &h, len(message)), message...)
	}
	counted := make(chan int)
	go func() {
		got, room := 0, make([]traceflow.Datagram, 64)
		for got < rate*seconds {
			n, err := receiver.Recv(room)
			if err != nil {
				break
			}
			got += n
		}
		counted <- got
	}()
	start := time.Now()
	for sent := 0; sent < rate*seconds; {
		due := int(time.Since(start).Seconds() * rate)
		for sent < min(due, rate*seconds) {
			n, err := sender.Send(batch[:min(len(batch), rate*seconds-sent)])
			if err != nil {
				t.Fatal(err)
			}
			sent += n
		}
		time.Sleep(100 * time.Microsecond)
	}
	took := time.Since(start)
	var got int
	select {
	case got = <-counted:
	case <-time.After(3 * time.Second):
		receiver.Close()
		got = <-counted
	}
	reached(t, fmt.Sprintf("raw: replies received at %.0f a second, of %d", rate*seconds/took.Seconds(), rate*seconds), got, rate*seconds, got == rate*seconds)
}

// TestBenchMemory measures the whole process for 255 flows over 30 hops.
func TestBenchMemory(t *testing.T) {
	netlab.Require(t)
	var line strings.Builder
	line.WriteString("node src source\nnode dst destination\nlink src")
	for i := range 29 {
		fmt.Fprintf(&line, " > r%d", i+1)
	}
	line.WriteString(" > dst\n")
	network := topologytest.Parse(t, line.String())
	device, err := simnet.OpenTUN(simnet.New(network), "")
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	// The command proper: a test binary is twice as large.
	binary := filepath.Join(t.TempDir(), "traceflow")
	if out, err := exec.Command("go", "build", "-o", binary, "traceflow/cmd/traceflow").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fmt.Println("largest resident set of the whole process, 255 flows over 30 hops:")
	for _, format := range []string{"vert", "json"} {
		cmd := exec.Command(binary, "-n", "--quiet", "--rate", "0", "--paths", "255", "--format", format,
			network.Nodes[network.Destination].Address4.String())
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		memory := float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss*1024) / 1e6
		if format == "json" {
			fmt.Printf("  with the JSON document of all exchanges: %.1f MB\n", memory)
			continue
		}
		reached(t, "MB, table", fmt.Sprintf("%.1f", memory), 40, memory < 40)
	}
}
