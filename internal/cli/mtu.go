// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"net"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/probe"
)

// simulatedMTU is that of the simulated vantage point's link.
const simulatedMTU = 1500

// measureMTU measures the path MTU of every distinct path of a trace, if that
// was asked for.
func (o *traceOptions) measureMTU(ctx context.Context, t *traceflow.Trace, target *target, e *engine) error {
	if !o.mtu {
		return nil
	}
	m := discover.MTU{
		Walks: onePerPath(&t.Graph), Largest: interfaceMTU(target),
		Smallest:  probe.SmallestSize(o.protocol(), target.ipv6(), o.quic),
		TimeLimit: time.Duration(o.timeLimit),
	}
	var err error
	t.MTUs, err = m.Discover(ctx, e)
	return err
}

// onePerPath returns for each path the walk that was answered most often, of
// those that took no other path for sure.
func onePerPath(g *traceflow.Graph) []traceflow.Walk {
	best := make(map[int]*traceflow.Walk)
	for i := range g.Walks {
		w := &g.Walks[i]
		if w.Path == 0 || w.Ambiguous && best[w.Path] != nil {
			continue
		}
		if b := best[w.Path]; b == nil || b.Ambiguous || w.LastAnswered() > b.LastAnswered() {
			best[w.Path] = w
		}
	}
	var walks []traceflow.Walk
	for _, p := range g.Paths {
		if w := best[p.ID]; w != nil {
			walks = append(walks, *w)
		}
	}
	return walks
}

// interfaceMTU is the largest packet that leaves this host towards a target.
func interfaceMTU(t *target) int {
	const largest = 65535 // of IPv4 and, without jumbograms, about that of IPv6
	if t.network != nil {
		return simulatedMTU
	}
	i, err := net.InterfaceByName(t.local.Interface)
	if err == nil && i.MTU > 0 {
		return min(i.MTU, largest)
	}
	// The source address is on no interface but the loopback: try what the
	// widest can send; what this one cannot, the kernel refuses.
	widest := simulatedMTU
	all, _ := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			widest = max(widest, i.MTU)
		}
	}
	return min(widest, largest)
}
