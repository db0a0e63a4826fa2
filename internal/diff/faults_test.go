// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"traceflow/internal/diff"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// TestFaults breaks networks in one way each: every fault is found, in its class,
// for every seed of the hashes, and nothing worse is claimed.
func TestFaults(t *testing.T) {
	const (
		four    = "link s > r1 > a[1..4] > c > d"
		three   = "link s > r1 > a1 a2 a4 > c > d"
		sixteen = "link s > r1 > w[1..16] > c > d"
		fifteen = "link s > r1 > w[1..8] w[10..16] > c > d"
		line    = "link s > r1 > m > c > d"
		dead    = "node z silent forward-loss=100%" // nothing is known of what is behind it
	)
	tests := []struct {
		name          string
		before, after string // %d is the seed
		how           how
		want          diff.Kind
		severity      diff.Severity
		// least is how many of ten seeds must show it; 0 is all.
		least int
		// anew gives balancers other hash seeds after; owners says whose addresses
		// are; vague is where too few flows are followed to be sure, and that may be
		// said.
		anew   bool
		owners string
		vague  bool
		// also may be claimed beside what follows from it.
		also []diff.Kind
	}{
		{name: "nothing", before: four, after: four},
		{name: "member down, black hole", before: four, after: "node a2 forward-loss=100%\n" + four, want: diff.PartialBlackHole, severity: diff.Regression},
		{name: "destination gone", before: four, after: "node r1 forward-loss=100%\n" + four, want: diff.Lost, severity: diff.Regression},
		{name: "reroute", before: "link s > r1 > x > c > d", after: "link s > r1 > y > c > d", want: diff.Rerouted, severity: diff.Review},
		{name: "longer way", before: "link s > r1 > x > c > d", after: "link s > r1 > y > z > c > d", want: diff.Rerouted, severity: diff.Review},
		{
			name: "reroute to a narrower way", before: "link s > r1 > a[1..4] > c > d", after: "link s > r1 > b1 > c > d", how: how{flows: 32},
			want: diff.WidthDown, severity: diff.Regression, also: []diff.Kind{diff.Rerouted},
		},
		{name: "reroute deep in a fan", before: "link s > r1 > a[1..4] > c > x > d", after: "link s > r1 > a[1..4] > c > y > d", want: diff.Rerouted, severity: diff.Review},
		{name: "4 to 3, 32 flows", before: four, after: three, how: how{flows: 32}, want: diff.WidthDown, severity: diff.Regression},
		{
			name: "4 to 3, 16 flows", before: four, after: three, want: diff.WidthDown, severity: diff.Regression,
			least: 8, also: []diff.Kind{diff.LinkGone},
		},
		{
			name: "4 to 3, silence", before: "default reply-loss=6%\n" + four, after: "default reply-loss=6%\n" + three,
			how: how{flows: 32}, want: diff.WidthDown, severity: diff.Regression,
		},
		{name: "16 to 15, 128 flows", before: sixteen, after: fifteen, how: how{flows: 128}, want: diff.WidthDown, severity: diff.Regression},
		{
			name: "16 to 15, 64 flows", before: sixteen, after: fifteen, how: how{flows: 64}, want: diff.WidthDown, severity: diff.Regression,
			least: 3, also: []diff.Kind{diff.Rehashed}, vague: true,
		},
		{name: "3 to 4", before: three, after: four, how: how{flows: 32}, want: diff.WidthUp, severity: diff.Review},
		{name: "another seed of the hash", anew: true, before: four, after: four, how: how{flows: 32}, want: diff.Rehashed, severity: diff.Info},
		{
			name: "another seed, 16 wide and 16 flows", anew: true, before: sixteen, after: sixteen, want: diff.Rehashed, severity: diff.Info,
			least: 8, also: []diff.Kind{diff.Rerouted}, vague: true,
		},
		{name: "5 ms more", before: line, after: "link s > r1 > m\nlink m > c delay=3500us\nlink c > d\n", want: diff.LatencyUp, severity: diff.Regression},
		{
			name: "5 ms more on one of two ways", before: "link s > r1 > a1 a2 > c > d",
			after: "link s > r1 > a1 a2\nlink a1 > c delay=3500us\nlink a2 > c\nlink c > d", want: diff.LatencyUp, severity: diff.Regression,
		},
		{
			name: "2 ms more, among jitter", before: "default jitter=2ms\n" + line,
			after: "default jitter=2ms\nlink s > r1 > m\nlink m > c delay=3ms\nlink c > d\n", want: diff.LatencyUp, severity: diff.Regression,
		},
		{
			name: "5 ms more, before a destination that does not answer", before: dead + "\nlink s > r1 > m > c > z > d",
			after: dead + "\nlink s > r1\nlink r1 > m delay=3500us\nlink m > c > z > d\n", want: diff.LatencyUp, severity: diff.Regression,
		},
		{
			name: "5 ms more on one of two ways to silence", before: dead + "\nlink s > r1 > a1 a2\nlink a1 > b1 > c > z > d\nlink a2 > b2 > c",
			after: dead + "\nlink s > r1 > a1 a2\nlink a1 > b1 delay=3500us\nlink b1 > c > z > d\nlink a2 > b2 > c", want: diff.LatencyUp, severity: diff.Regression,
		},
		{
			name: "a longer way by 8 ms to silence", before: dead + "\nlink s > r1 > x > c > e > z > d", after: dead + "\nlink s > r1 > y delay=5ms\nlink y > c > e > z > d",
			want: diff.LatencyMoved, severity: diff.Review, also: []diff.Kind{diff.Rerouted},
		},
		{
			name: "5 ms more behind the last but one that answers", before: dead + "\nlink s > r1 > m > c > z > d",
			after: dead + "\nlink s > r1 > m\nlink m > c delay=3500us\nlink c > z > d\n", want: diff.LatencyUp, severity: diff.Inconclusive, vague: true,
		},
		{
			name: "a longer way by 8 ms", before: "link s > r1 > x > c > d", after: "link s > r1 > y delay=5ms\nlink y > c\nlink c > d",
			want: diff.LatencyMoved, severity: diff.Review, also: []diff.Kind{diff.Rerouted},
		},
		{
			name: "2 % loss", before: line, after: "node c forward-loss=2%\n" + line,
			how: how{flows: 64, repeats: 16}, want: diff.LossUp, severity: diff.Regression,
		},
		{
			name: "2 % loss, over many passes", before: line, after: "node c forward-loss=2%\n" + line,
			how: how{flows: 64, passes: 16}, want: diff.LossUp, severity: diff.Regression,
		},
		{name: "MTU", before: line, after: "link s > r1 > m\nlink m > c mtu=1400\nlink c > d", how: how{mtu: true}, want: diff.MTUDown, severity: diff.Regression},
		{
			name: "MTU, black hole", before: line, after: "node m no-ptb\nlink s > r1 > m\nlink m > c mtu=1400\nlink c > d",
			how: how{mtu: true}, want: diff.MTUDown, severity: diff.Regression,
		},
		{name: "NAT", before: line, after: "node m nat=keep-all\n" + line, want: diff.NATChanged, severity: diff.Review},
		{name: "NAT that shows in checksums", before: line, after: "node m nat=keep-checksum\n" + line, want: diff.NATChanged, severity: diff.Review},
		{
			name: "NAT with another address", before: "node m nat=keep-all nat-address=192.0.2.1\n" + line,
			after: "node m nat=keep-all nat-address=192.0.2.2\n" + line, want: diff.NATChanged, severity: diff.Review,
		},
		{name: "return path", before: line, after: "node c return-extra=2\n" + line, want: diff.ReturnPath, severity: diff.Info},
		{name: "filter", before: four, after: "node c unreachable=prohibited\n" + four, want: diff.Filtered, severity: diff.Regression},
		{name: "filter on one of four", before: four, after: "node a3 unreachable=prohibited\n" + four, how: how{flows: 32}, want: diff.Filtered, severity: diff.Regression},
		{name: "remark", before: line, after: "node m tos=0\n" + line, how: how{tos: 0xb8}, want: diff.Remarked, severity: diff.Info},
		{
			name: "tunnel shows", before: "link s > r1 > p1 p2 > c > d", after: "node p1 mpls=16004/0/1\nnode p2 mpls=17004/0/1\nlink s > r1 > p1 p2 > c > d",
			want: diff.MPLSChanged, severity: diff.Review,
		},
		{
			name: "one label more", before: "node m mpls=16004/0/1\n" + line, after: "node m mpls=16/0/1,17/0/1\n" + line,
			want: diff.MPLSChanged, severity: diff.Review,
		},
		{
			name:   "tunnel hides",
			before: "node p1 mpls=16004/0/1\nnode p2 mpls=17004/0/1\nlink s > r1 > p1 > p2 > c > d",
			after:  "node p1 keep-ttl\nnode p2 keep-ttl\nlink s > r1 > p1 > p2 > c > d",
			want:   diff.MPLSChanged, severity: diff.Review,
		},
		{
			// Two probes of each flow pass r1 in the first round: with an even width, turns
			// and probes would be in step.
			name: "per packet, 5 to 3", before: "node r1 balance=packet\nlink s > r1 > a[1..5] > c > d", after: "node r1 balance=packet\nlink s > r1 > a1 a3 a5 > c > d",
			how: how{flows: 32, repeats: 3}, want: diff.WidthDown, severity: diff.Regression,
		},
		{
			name: "another exchange point", owners: topologytest.Owners, before: "link s > r1 > e1 > x1 > y > d", after: "link s > r1 > e1 > x2 > y > d",
			want: diff.IXPLeft, severity: diff.Review, also: []diff.Kind{diff.Rerouted},
		},
		{
			name: "relax on", owners: topologytest.Owners, before: "link s > r1 > e1 > p1 > t1 > t2 > y > z > d", after: "link s > r1 > e1 > p1 p2\nlink p1 > t1 > t2 > y > z > d\nlink p2 > u1 > u2 > y",
			how: how{flows: 32}, want: diff.RelaxOn, severity: diff.Review, also: []diff.Kind{diff.WidthUp, diff.LinkNew},
		},
		{
			name: "relax off", owners: topologytest.Owners, before: "link s > r1 > e1 > p1 p2\nlink p1 > t1 > t2 > y > z > d\nlink p2 > u1 > u2 > y", after: "link s > r1 > e1 > p1 > t1 > t2 > y > z > d",
			how: how{flows: 32}, want: diff.RelaxOff, severity: diff.Regression, also: []diff.Kind{diff.WidthDown},
		},
		{
			name: "another transit", owners: topologytest.Owners, before: "link s > r1 > e1 > t1 > t2 > y > z > d", after: "link s > r1 > e1 > u1 > u2 > y > z > d",
			want: diff.ASPathChanged, severity: diff.Review, also: []diff.Kind{diff.Rerouted},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seeds := 10
			if testing.Short() {
				seeds = 1
			}
			right := 0
			for seed := range seeds {
				b, a := tt.how, tt.how
				b.luck, a.luck = uint64(seed), uint64(1000+seed)
				anew := seed
				if tt.anew {
					anew += 500
				}
				r := both(t, network(t, tt.before, tt.owners, seed), network(t, tt.after, tt.owners, anew), b, a)
				if tt.want == "" {
					if len(r.Changes) > 0 {
						t.Errorf("seed %d: nothing has changed, but:\n%s", seed, show(r))
					}
					continue
				}
				if found(r, tt.want) {
					right++
				} else if !tt.vague || r.Severity < diff.Review {
					t.Logf("seed %d: not found:\n%s", seed, show(r))
				}
				for i := range r.Changes {
					c := &r.Changes[i]
					if c.Severity > tt.severity && !tt.vague || c.Severity == diff.Regression && tt.severity < diff.Regression || c.Severity == diff.Inconclusive && !tt.vague || c.Cause < 0 && c.Kind != tt.want && !slices.Contains(tt.also, c.Kind) {
						t.Errorf("seed %d: claims %s %s:\n%s", seed, c.Severity, c.Kind, show(r))
						break
					}
				}
				if seed == 0 {
					t.Logf("\n%s", show(r))
				}
			}
			least := seeds
			if tt.least > 0 {
				least = tt.least * seeds / 10
			}
			if tt.want != "" && right < least {
				t.Errorf("found %d times of %d, want %d", right, seeds, least)
			}
		})
	}
}

// addresses are those of nodes that topologytest.Owners has; others get one by their names.
var addresses = map[string]string{
	"s": "192.0.2.200", "r1": "192.0.2.11", "e1": "192.0.2.12", "x1": "203.0.113.10", "x2": "203.0.113.138",
	"y": "198.51.100.10", "z": "198.51.100.11", "d": "198.51.100.200",
	"p1": "203.0.113.20", "p2": "203.0.113.30", "t1": "192.88.98.1", "t2": "192.88.98.2", "u1": "192.88.97.1", "u2": "192.88.97.2",
}

// network makes a network whose nodes have the same address and, for one seed, the
// same hash as those of the same name in others.
func network(t *testing.T, lines, prefixes string, seed int) *topology.Topology {
	t.Helper()
	head, lines := "", lines
	if first, rest, ok := strings.Cut(lines, "\n"); ok && strings.HasPrefix(first, "default ") {
		head, lines = first+"\n", rest
	}
	text := "family 4\n" + head + "node s source\nnode d destination\n" + lines + "\n"
	if prefixes != "" {
		text += "-- prefixes --\n" + prefixes
	}
	out := parse(t, text)
	for i := range out.Nodes {
		n := &out.Nodes[i]
		h := fnv.New64a()
		h.Write([]byte(n.Name))
		sum := h.Sum64()
		n.Address4 = netip.AddrFrom4([4]byte{198, 18, byte(sum >> 8), byte(sum)})
		if known := addresses[n.Name]; known != "" {
			n.Address4 = netip.MustParseAddr(known)
		}
		n.HashSeed = sum ^ uint64(seed+1)*0x9e3779b97f4a7c15
	}
	return out
}

// found reports whether a change of a kind is the head of an event, or follows
// from one.
func found(r *diff.Report, k diff.Kind) bool {
	return slices.ContainsFunc(r.Changes, func(c diff.Change) bool { return c.Kind == k })
}
