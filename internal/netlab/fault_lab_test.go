// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// line is a chain of three routers with one fault, such as "r2 silent".
func line(t *testing.T, fault string) *topology.Topology {
	t.Helper()
	destination := "node dst destination"
	if keys, ok := strings.CutPrefix(fault, "dst"); ok {
		destination += keys
	} else {
		destination += "\nnode " + fault
	}
	return topologytest.Parse(t, "node src source\n"+destination+"\nlink src > r1 > r2 > r3 > dst\n")
}

// nodeAt returns a predicate for the node with an address.
func nodeAt(a netip.Addr) func(topology.Node) bool {
	return func(n topology.Node) bool { return n.Address4 == a || n.Address6 == a }
}

// at returns a node's address in the flow's family.
func at(t *testing.T, network *topology.Topology, name string, f traceflow.Flow) netip.Addr {
	t.Helper()
	for i := range network.Nodes {
		if network.Nodes[i].Name == name {
			return network.Nodes[i].AddressFor(f.Destination)
		}
	}
	t.Fatalf("no node %s", name)
	return netip.Addr{}
}

// onLine runs a test on a line with a fault, for each family.
func onLine(t *testing.T, fault string, test func(t *testing.T, w *walker, name func(string) netip.Addr)) {
	t.Helper()
	network := line(t, fault)
	families(t, build(t, network), func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
		w := newWalker(t, l, f)
		defer w.close()
		test(t, w, func(node string) netip.Addr { return at(t, network, node, f) })
	})
}

func TestSilent(t *testing.T) {
	onLine(t, "r2 silent", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		for range 5 {
			w.send(t, 2)
			w.send(t, 3)
			if all := w.until(t, name("r3")); len(all) != 1 {
				t.Errorf("got answers %v, want one of r3", all)
			}
		}
	})
}

func TestReplyLoss(t *testing.T) {
	onLine(t, "r2 reply-loss=50%", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		const n = 400
		got := 0
		for range n {
			w.send(t, 2)
			w.send(t, 3)
			got += count(w.until(t, name("r3")), name("r2"))
		}
		if got < n/4 || got > n*3/4 { // ten standard deviations
			t.Errorf("%d of %d answers came, want about half", got, n)
		}
	})
}

func TestForwardLoss(t *testing.T) {
	onLine(t, "r2 forward-loss=50%", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		const n = 400
		got := 0
		for range n {
			w.send(t, 3)
			w.send(t, 2) // what ends at r2 is not forwarded
			got += count(w.until(t, name("r2")), name("r3"))
		}
		if got < n/4 || got > n*3/4 {
			t.Errorf("%d of %d packets were forwarded, want about half", got, n)
		}
	})
	// Flows that were lost are observed all the same.
	families(t, build(t, line(t, "r2 forward-loss=50%")), func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
		if got := size(paths(t, l, flows(f, 200))); got.Paths != 1 || got.Interfaces != 4 {
			t.Errorf("observed %+v, want one path of 4", got)
		}
	})
}

func TestDropUDP(t *testing.T) {
	onLine(t, "dst drop-udp", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		w.send(t, 4)
		w.send(t, 5)
		w.send(t, 3)
		if all := w.until(t, name("r3")); len(all) != 1 {
			t.Errorf("got answers %v, want one of r3", all)
		}
	})
}

// connect opens a TCP connection from the vantage point, blocking.
func connect(t *testing.T, l *netlab.Lab, to netip.Addr, port int) error {
	t.Helper()
	domain, address := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: port, Addr: to.As16()})
	if to.Is4() {
		domain, address = unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: to.As4()}
	}
	return l.Do(func() error {
		fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		// How long a destination that drops TCP keeps the test waiting, in ms.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 200); err != nil {
			return err
		}
		return unix.Connect(fd, address)
	})
}

func TestTCP(t *testing.T) {
	for _, tt := range []struct {
		keys string
		want error
	}{
		{"", unix.ECONNREFUSED},
		{" tcp=open", nil},
		{" tcp=open drop-udp drop-icmp", nil},
		{" drop-tcp", unix.ETIMEDOUT},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			families(t, build(t, line(t, "dst"+tt.keys)), func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
				for _, port := range []int{443, 20000} {
					if err := connect(t, l, f.Destination, port); !errors.Is(err, tt.want) {
						t.Errorf("connect to port %d: %v, want %v", port, err, tt.want)
					}
				}
			})
		})
	}
}

func TestUnreachable(t *testing.T) {
	for _, tt := range []struct {
		kind         string
		code4, code6 uint8 // of ICMP type 3 and ICMPv6 type 1
	}{{"net", 0, 0}, {"host", 1, 3}, {"prohibited", 13, 1}} {
		t.Run(tt.kind, func(t *testing.T) {
			onLine(t, "r2 unreachable="+tt.kind, func(t *testing.T, w *walker, name func(string) netip.Addr) {
				refused, expired := answer{kind: 3, code: tt.code4}, answer{kind: 11}
				if w.flow.Source.Is6() {
					refused, expired = answer{kind: 1, code: tt.code6}, answer{kind: 3}
				}
				// More than the kernel's own burst of refusals.
				for ttl := 2; ttl < 30; ttl++ {
					want := refused
					if ttl == 2 {
						want = expired
					}
					w.send(t, ttl)
					a, ok := w.next(t)
					if !ok || a.from != name("r2") || a.kind != want.kind || a.code != want.code {
						t.Fatalf("TTL %d: got %v, %v, want type %d code %d of r2", ttl, a, ok, want.kind, want.code)
					}
				}
			})
		})
	}
	families(t, build(t, line(t, "r2 unreachable=host")), func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
		if got := size(paths(t, l, flows(f, 200))); got.Paths != 1 || got.Interfaces != 2 {
			t.Errorf("observed %+v, want one path of 2", got)
		}
	})
}

func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		name, limit string
		want        int
	}{
		{"by the kernel", "6/10s", 6},
		{"by the filter", "3/1m", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onLine(t, "r2 limit="+tt.limit, func(t *testing.T, w *walker, name func(string) netip.Addr) {
				got := 0
				for range 40 {
					w.send(t, 2)
					w.send(t, 3)
					got += count(w.until(t, name("r3")), name("r2"))
				}
				if got != tt.want {
					t.Errorf("%d answers, want %d", got, tt.want)
				}
			})
		})
	}
	t.Run("not spent by Paths", func(t *testing.T) {
		families(t, build(t, line(t, "dst limit=6/10s")), func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
			paths(t, l, flows(f, 100))
			w := newWalker(t, l, f)
			defer w.close()
			w.send(t, 4)
			w.until(t, f.Destination)
		})
	})
}

func TestNAT(t *testing.T) {
	onLine(t, "r1 nat=restore nat-ports=keep", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		// The socket takes an error only if its own address is in the quote.
		for ttl, node := range []string{1: "r1", 2: "r2", 3: "r3", 4: "dst"} {
			if ttl == 0 {
				continue
			}
			w.send(t, ttl)
			if a, ok := w.next(t); !ok || a.from != name(node) {
				t.Errorf("TTL %d: got %v, %v, want %s", ttl, a, ok, node)
			}
		}
	})
}

// TestNATKeepAll looks at the source that the routers behind it are shown.
func TestNATKeepAll(t *testing.T) {
	onLine(t, "r1 nat=keep-all nat-ports=keep", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		got := w.arrivingSource(t)
		if got != name("r1") {
			t.Errorf("arrives from %v, want r1", got)
		}
	})
}

func TestKeepTTL(t *testing.T) {
	onLine(t, "r2 keep-ttl", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		for ttl, node := range []string{1: "r1", 2: "r3", 3: "dst"} {
			if ttl == 0 {
				continue
			}
			w.send(t, ttl)
			if a, ok := w.next(t); !ok || a.from != name(node) {
				t.Errorf("TTL %d: got %v, %v, want %s", ttl, a, ok, node)
			}
		}
	})
}

func TestDuplicates(t *testing.T) {
	onLine(t, "r2 duplicates=2", func(t *testing.T, w *walker, name func(string) netip.Addr) {
		w.send(t, 2)
		w.send(t, 3)
		if got := count(w.until(t, name("r3")), name("r2")); got != 3 {
			t.Errorf("%d answers, want 3", got)
		}
	})
}

// TestRemark looks at the TOS byte with which datagrams arrive.
func TestRemark(t *testing.T) {
	for _, tt := range []struct {
		keys string
		want int
	}{
		{"r2 tos=keep", 0xb9},
		{"r2 tos=0x28", 0x28},
		{"r2 tos=bleach-ecn", 0xb8},
		{"r2 tos=bleach-dscp", 0x01},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			onLine(t, tt.keys, func(t *testing.T, w *walker, name func(string) netip.Addr) {
				if got := w.arrivingTOS(t, 0xb9); got != tt.want {
					t.Errorf("arrives with %#x, want %#x", got, tt.want)
				}
			})
		})
	}
}

// TestMTU sends packets around the limit of the link behind r2.
func TestMTU(t *testing.T) {
	for _, silent := range []bool{false, true} {
		lines := "node src source; node dst destination; link src > r1 > r2; link r2 > r3 mtu=1400; link r3 > dst"
		if silent {
			lines += "; node r2 no-ptb"
		}
		t.Run(fmt.Sprintf("no-ptb=%t", silent), func(t *testing.T) {
			network := topologytest.Parse(t, lines)
			families(t, build(t, network), func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
				w := newWalker(t, l, f)
				defer w.close()
				w.dontFragment(t)
				header, tooBig := 48, answer{kind: 2}
				if f.Source.Is4() {
					header, tooBig = 28, answer{kind: 3, code: 4}
				}
				w.payload = make([]byte, 1400-header)
				w.send(t, 64)
				if all := w.until(t, f.Destination); len(all) != 1 {
					t.Errorf("1400 bytes: answers %v", all)
				}
				w.payload = make([]byte, 1401-header)
				w.send(t, 64)
				if !silent {
					a, ok := w.next(t)
					if !ok || a.from != at(t, network, "r2", f) || a.kind != tooBig.kind || a.code != tooBig.code || a.info != 1400 {
						t.Errorf("1401 bytes: got %v, %v, want %+v of r2 with an MTU of 1400", a, ok, tooBig)
					}
				}
				w.payload = make([]byte, 10)
				w.send(t, 64)
				if all := w.until(t, f.Destination); len(all) != 1 {
					t.Errorf("1401 bytes, then few: answers %v", all)
				}
			})
		})
	}
}

func TestReplyTTL(t *testing.T) {
	for keys, want := range map[string]int{
		"r2 reply-ttl=200":                199,
		"r2 return-extra=5":               58,
		"r2 reply-ttl=200 return-extra=9": 190,
	} {
		onLine(t, keys, func(t *testing.T, w *walker, name func(string) netip.Addr) {
			for ttl, want := range []int{1: 64, 2: want, 3: 62} {
				if ttl == 0 {
					continue
				}
				w.send(t, ttl)
				if a, ok := w.next(t); !ok || a.ttl != want {
					t.Errorf("%s, TTL %d: the answer's own TTL is %d, want %d", keys, ttl, a.ttl, want)
				}
			}
		})
	}
}
