// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology"
)

// peerLimit is how long one tool may take in one network.
const peerLimit = 90 * time.Second

// dublinFlows and dublinTTLs are what dublin-traceroute is asked for: it sends
// to every TTL, and leaves those behind the destination out of its result.
const dublinFlows, dublinTTLs = 64, 30

// peer is a tool and how to run it.
type peer struct {
	name  string
	bare  bool     // runs without any right
	needs string   // the program to look for
	args  []string // with {dst} for the destination
	// read takes what the tool printed, and the folder that it ran in.
	read func(stdout []byte, folder string) (*seen, error)
}

// peers returns the tools, ours first. docs/peers.md explains the arguments.
func peers(traceflow string) []peer {
	flags := []string{traceflow, "-n", "-j", "--quiet", "--rate", "0", "--seed", "1", "{dst}"}
	return []peer{
		{name: "traceflow, raw", needs: traceflow, args: flags, read: readTraceflow},
		{name: "traceflow, no rights", bare: true, needs: traceflow, args: flags, read: readTraceflow},
		{
			name: "scamper", needs: "scamper", read: readScamper,
			args: []string{"scamper", "-O", "json", "-p", "1000", "-c", "tracelb -P udp-sport -c 95 -g 3 -w 1 -W 15", "-i", "{dst}"},
		},
		{
			name: "dublin-traceroute", needs: "dublin-traceroute", read: readDublin,
			args: []string{"dublin-traceroute", "--npaths=" + strconv.Itoa(dublinFlows), "--max-ttl=" + strconv.Itoa(dublinTTLs), "--broken-nat", "{dst}"},
		},
		{
			name: "traceroute, 64 runs", needs: "traceroute", read: readTraceroute,
			args: []string{"sh", "-c", "for port in $(seq 33434 33497); do traceroute -n -q 1 -U -p 33434 --sport=$port {dst}; done"},
		},
		{
			name: "mtr", needs: "mtr", read: readMTR,
			args: []string{"mtr", "-n", "-u", "-c", "20", "-i", "0.1", "-G", "1", "--raw", "{dst}"},
		},
	}
}

// prepare gives the vantage point what tools look for before they send:
// scamper a route to the gateway's own address, dublin-traceroute a default
// route and an address on its device. The rule keeps everything else from
// leaving, such as dublin-traceroute's questions for names, which then fail at
// once.
const prepare = `set -e
gateway=$(ip -4 route get {dst} | sed -n 's/.* via \([^ ]*\).*/\1/p')
device=$(ip -4 route get {dst} | sed -n 's/.* dev \([^ ]*\).*/\1/p')
ip rule add not to 198.18.0.0/15 unreachable
ip address add {src}/32 dev $device
ip route add $gateway/32 dev $device
ip route add default via $gateway dev $device onlink`

// TestBenchSideBySide runs traceflow and the peers that are installed on the
// same networks of kernels, one after the other, and prints what each finds and
// takes.
func TestBenchSideBySide(t *testing.T) {
	netlab.Require(t)
	// What a tool leaves behind becomes a child of this process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) })

	all := peers(buildCommand(t))
	fmt.Println("side by side on networks of kernels:")
	all = slices.DeleteFunc(all, func(p peer) bool {
		_, err := exec.LookPath(p.needs)
		if err != nil {
			fmt.Printf("  %s is not installed: left out\n", p.name)
		}
		return err != nil
	})
	for _, name := range []string{"b", "d", "k", "f"} {
		t.Run(name, func(t *testing.T) { sideBySide(t, name, all) })
	}
}

// sideBySide prints the table of one network.
func sideBySide(t *testing.T, name string, all []peer) {
	l := build(t, name)
	if _, err := exec.LookPath("ip"); err != nil {
		fmt.Println("  ip, of iproute2, is not installed: scamper and dublin-traceroute will not find their way")
	} else if out, err := l.output(t, "sh", "-c", prepare); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	size, links := l.Topology().Size(), linksOf(l.Topology())
	fmt.Printf("\n  network %s: %d interfaces, %d links, %d paths\n", name, size.Interfaces, size.Links, size.Paths)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer table.Flush()
	fmt.Fprintln(table, "tool\tinterfaces\tlinks\tnot there\tpaths\tprobes\twall s\tCPU ms\tMB\t")
	for _, p := range all {
		folder := t.TempDir()
		m, err := l.measure(t, p, folder)
		if err != nil {
			t.Fatal(err)
		}
		took := fmt.Sprintf("%.3f\t%.0f\t%.1f\t", m.wall.Seconds(), milliseconds(m.cpu), float64(m.memory)/1e6)
		found, err := p.read(m.stdout, folder)
		switch {
		case m.stopped:
			fmt.Fprintf(table, "%s\t–\t–\t–\t–\t–\t%s stopped after %.0f s\n", p.name, took, peerLimit.Seconds())
		case err != nil:
			fmt.Fprintf(table, "%s\t–\t–\t–\t–\t–\t%s no result: %v %s\n", p.name, took, err, firstLine(m.stderr))
		default:
			fmt.Fprintf(table, "%s\t%s\t%s\n", p.name, found.cells(links), took)
		}
	}
}

// buildCommand builds the command proper where other users may run it: a test
// binary is twice as large.
func buildCommand(t *testing.T) string {
	t.Helper()
	path := command(t)
	build := exec.Command("go", "build", "-trimpath", "-o", path, "traceflow/cmd/traceflow")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// output runs a command at the vantage point.
func (l *lab) output(t *testing.T, name string, args ...string) (string, error) {
	cmd := l.Command(t.Context(), name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := l.Run(cmd)
	return out.String(), err
}

// linksOf returns the links that there are, by address.
func linksOf(network *topology.Topology) map[[2]netip.Addr]bool {
	links := make(map[[2]netip.Addr]bool)
	for _, e := range network.Edges {
		links[[2]netip.Addr{network.Nodes[e.From].Address4, network.Nodes[e.To].Address4}] = true
	}
	return links
}

// measured is what one run of a tool left and took.
type measured struct {
	stdout, stderr []byte
	wall, cpu      time.Duration
	memory         int64 // largest resident set of any of its processes, bytes
	stopped        bool  // took longer than peerLimit
}

// measure runs a tool at the vantage point. The kernel counts into a program's
// largest resident set that of the process which started it, and a Go program
// is larger than most tools. So a shell starts the tool and ends; the tool is
// then ours to wait for, with all that it leaves behind.
func (l *lab) measure(t *testing.T, p peer, folder string) (*measured, error) {
	limit := strconv.Itoa(int(peerLimit.Seconds()))
	cmd := l.Command(t.Context(), "sh", append([]string{"-c", `timeout -k 1 "$@" &`, "sh", limit}, p.args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &stdout, &stderr
	start := l.Run
	if p.bare {
		start, cmd.Dir = l.RunUnprivileged, "/"
	}
	m := &measured{}
	began := time.Now()
	if err := start(cmd); err != nil {
		return nil, err
	}
	for {
		var status syscall.WaitStatus
		var used syscall.Rusage
		_, err := syscall.Wait4(-1, &status, 0, &used)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil { // ECHILD: that was all
			break
		}
		m.cpu += time.Duration(used.Utime.Nano() + used.Stime.Nano())
		m.memory = max(m.memory, used.Maxrss*1024)
		m.stopped = m.stopped || status.ExitStatus() == 124 // timeout's own
	}
	m.wall = time.Since(began)
	m.stdout, m.stderr = stdout.Bytes(), stderr.Bytes()
	return m, nil
}

// seen is what a tool says about a network.
type seen struct {
	addresses map[netip.Addr]bool
	links     map[[2]netip.Addr]bool
	hasLinks  bool
	paths     map[string]bool // nil if the tool has none
	probes    int
}

func newSeen() *seen {
	return &seen{addresses: make(map[netip.Addr]bool), links: make(map[[2]netip.Addr]bool), hasLinks: true, paths: make(map[string]bool)}
}

// link adds two addresses at neighbouring TTLs.
func (s *seen) link(from, to netip.Addr) {
	if from.IsValid() && to.IsValid() {
		s.links[[2]netip.Addr{from, to}] = true
	}
}

// path adds the addresses that answered one flow, by TTL; an invalid one for
// silence. What has a gap is no path more: it may be one of the others.
func (s *seen) path(hops []netip.Addr) {
	for i, a := range hops {
		if a.IsValid() {
			s.addresses[a] = true
		}
		if i > 0 {
			s.link(hops[i-1], a)
		}
	}
	if !slices.Contains(hops, netip.Addr{}) {
		s.paths[fmt.Sprint(hops)] = true
	}
}

// cells returns the table's columns from the interfaces to the probes; truth
// has the links that there are.
func (s *seen) cells(truth map[[2]netip.Addr]bool) string {
	links, wrong, paths := "–", "–", "–"
	if s.hasLinks {
		n := 0
		for link := range s.links {
			if !truth[link] {
				n++
			}
		}
		links, wrong = strconv.Itoa(len(s.links)), strconv.Itoa(n)
	}
	if s.paths != nil {
		paths = strconv.Itoa(len(s.paths))
	}
	return fmt.Sprintf("%d\t%s\t%s\t%s\t%d", len(s.addresses), links, wrong, paths, s.probes)
}

// readTraceflow reads traceflow's result document.
func readTraceflow(stdout []byte, _ string) (*seen, error) {
	var trace traceflow.Trace
	if err := json.Unmarshal(stdout, &trace); err != nil {
		return nil, err
	}
	address := make(map[string]netip.Addr)
	for i := range trace.Graph.Nodes {
		address[trace.Graph.Nodes[i].ID] = trace.Graph.Nodes[i].Address
	}
	s := newSeen()
	s.probes = trace.Stats.Probes
	for _, path := range trace.Graph.Paths {
		hops := make([]netip.Addr, len(path.Nodes))
		for i, id := range path.Nodes {
			hops[i] = address[id]
		}
		s.path(hops)
	}
	return s, nil
}

// scamperHop is an address in scamper's graph, with the flows that it answered.
type scamperHop struct {
	Addr   string `json:"addr"`
	Probes []struct {
		Flow int `json:"flowid"`
	} `json:"probes"`
}

func (h *scamperHop) address() netip.Addr {
	a, _ := netip.ParseAddr(h.Addr) // "*" is silence
	return a
}

// shares reports whether both hops answered the same flow.
func (h *scamperHop) shares(other *scamperHop) bool {
	for _, p := range h.Probes {
		for _, q := range other.Probes {
			if p.Flow == q.Flow {
				return true
			}
		}
	}
	return false
}

// readScamper reads scamper's JSON: nodes, each with the sets of addresses that
// follow it. Which of two sets lead to which of the next scamper says only
// where one of the sets has one address; elsewhere the flows of the probes do.
// It has no paths.
func readScamper(stdout []byte, _ string) (*seen, error) {
	s := newSeen()
	s.paths = nil
	for in := json.NewDecoder(bytes.NewReader(stdout)); ; {
		var record struct {
			Type   string `json:"type"`
			Probes int    `json:"probec"`
			Nodes  []struct {
				Addr string         `json:"addr"`
				Sets [][]scamperHop `json:"links"`
			} `json:"nodes"`
		}
		err := in.Decode(&record)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if record.Type != "tracelb" {
			continue
		}
		s.probes = record.Probes
		for _, node := range record.Nodes {
			before := []scamperHop{{Addr: node.Addr}}
			s.addresses[before[0].address()] = true
			for _, set := range node.Sets {
				s.scamperSets(before, set)
				before = set
			}
		}
	}
	delete(s.addresses, netip.Addr{})
	if len(s.addresses) == 0 {
		return nil, errors.New("no tracelb record with an address")
	}
	return s, nil
}

// scamperSets adds the links from one set of addresses to the next.
func (s *seen) scamperSets(before, set []scamperHop) {
	for j := range set {
		s.addresses[set[j].address()] = true
		for i := range before {
			if len(before) == 1 || len(set) == 1 || before[i].shares(&set[j]) {
				s.link(before[i].address(), set[j].address())
			}
		}
	}
}

// readDublin reads trace.json, in which every flow has its hops, each with the
// TTL that was sent.
func readDublin(_ []byte, folder string) (*seen, error) {
	text, err := os.ReadFile(filepath.Join(folder, "trace.json"))
	if err != nil {
		return nil, err
	}
	var result struct {
		Flows map[string][]struct {
			Received *struct {
				IP struct {
					Source netip.Addr `json:"src"`
				} `json:"ip"`
			} `json:"received"`
		} `json:"flows"`
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, err
	}
	s := newSeen()
	s.probes = dublinFlows * dublinTTLs
	for _, flow := range result.Flows {
		hops := make([]netip.Addr, len(flow))
		for i, hop := range flow {
			if hop.Received != nil {
				hops[i] = hop.Received.IP.Source
			}
		}
		s.path(hops)
	}
	return s, nil
}

// readTraceroute reads the output of many runs of traceroute, each with one
// probe for each TTL, and merges them. Its sockets are connected, so over veth
// its packets take any way whatever their port (docs/lab.md, traps): what it
// says of links and paths is joined by chance.
func readTraceroute(stdout []byte, _ string) (*seen, error) {
	s := newSeen()
	for run := range strings.SplitSeq(string(stdout), "traceroute to ") {
		var hops []netip.Addr
		for line := range strings.Lines(run) {
			fields := strings.Fields(line)
			if len(fields) < 2 {
				continue
			}
			if _, err := strconv.Atoi(fields[0]); err != nil {
				continue // the heading's rest
			}
			a, _ := netip.ParseAddr(fields[1]) // "*" is silence
			hops = append(hops, a)
			s.probes++
		}
		if hops != nil {
			s.path(hops)
		}
	}
	if s.probes == 0 {
		return nil, errors.New("no hop")
	}
	return s, nil
}

// readMTR reads mtr's raw form: "x" is a packet that was sent, "h" an address
// that was not there before. Every packet has ports of its own, so neither
// links nor paths follow.
func readMTR(stdout []byte, _ string) (*seen, error) {
	s := newSeen()
	s.hasLinks, s.paths = false, nil
	for line := range strings.Lines(string(stdout)) {
		switch fields := strings.Fields(line); {
		case len(fields) < 3:
		case fields[0] == "x":
			s.probes++
		case fields[0] == "h":
			a, err := netip.ParseAddr(fields[2])
			if err != nil {
				return nil, err
			}
			s.addresses[a] = true
		}
	}
	if s.probes == 0 {
		return nil, errors.New("no probe")
	}
	return s, nil
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}
