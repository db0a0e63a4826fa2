// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"traceflow"
	"traceflow/discover"
)

// validateSearch refuses what cannot work of the flags that say how much to
// look for.
func (o *traceOptions) validateSearch() error {
	if !(o.confidence >= 0.5 && o.confidence <= 0.9999) { // NaN is neither
		return fmt.Errorf("--confidence %v is not between 0.5 and 0.9999", o.confidence)
	}
	if o.guarantee != "pair" && o.guarantee != "node" {
		return fmt.Errorf("--guarantee %q is neither pair nor node", o.guarantee)
	}
	switch axis := discover.Axis(o.vary); axis {
	case discover.VarySourcePort, discover.VaryDestinationPort, discover.VaryBothPorts, discover.VaryLabel, discover.VaryDestination:
	default:
		return fmt.Errorf("--vary %q is none of srcport, dstport, both, label, dst", o.vary)
	}
	if o.timeLimit <= 0 {
		return errors.New("--time-limit must be more than 0")
	}
	if o.paths > 0 {
		for _, flag := range []string{"guarantee", "vary", "max-probes", "time-limit"} {
			if o.given(flag) {
				return fmt.Errorf("--paths %d follows these flows whatever they show; --%s is for --paths auto", int(o.paths), flag)
			}
		}
		return nil
	}
	if o.queries > 1 {
		return fmt.Errorf("--queries %d is for --paths N; --paths auto asks as often as it needs", o.queries)
	}
	if o.ipv4 && discover.Axis(o.vary) == discover.VaryLabel {
		return errors.New("--ipv4 and --vary label contradict each other: only IPv6 has flow labels")
	}
	if o.sim == "" && discover.Axis(o.vary) == discover.VaryLabel && !here().labels {
		return errors.New("--vary label takes a system that lets programs choose flow labels: Linux")
	}
	flows := discover.StoppingPoint(2, 1-o.confidence) // for one hop
	if o.maxProbes < flows+1 {
		return fmt.Errorf("--max-probes %d is too few to say anything at --confidence %v: it takes at least %d",
			o.maxProbes, o.confidence, flows+1)
	}
	for _, port := range []struct {
		flag string
		base int
		axes []discover.Axis
	}{
		{"srcport", o.sourcePort, []discover.Axis{discover.VarySourcePort, discover.VaryBothPorts}},
		{"dstport", o.destinationPort, []discover.Axis{discover.VaryDestinationPort, discover.VaryBothPorts}},
	} {
		if slices.Contains(port.axes, discover.Axis(o.vary)) && port.base > 65535-flows {
			return fmt.Errorf("--%s %d leaves too few ports for --confidence %v: lower it", port.flag, port.base, o.confidence)
		}
	}
	return nil
}

// validateTargets refuses what the flags make of the targets.
func (o *traceOptions) validateTargets(targets []target) error {
	for i := range targets {
		t := &targets[i]
		if discover.Axis(o.vary) == discover.VaryLabel && !t.ipv6() {
			return usagef("--vary label is of IPv6, and %s is not: give --ipv6, or another --vary", t.address)
		}
		if err := o.validateSize(o.given("size"), t.ipv6()); err != nil {
			return err
		}
	}
	return nil
}

// discover runs the algorithm that was asked for. It sets the trace's flows
// to those that were used.
func (o *traceOptions) discover(ctx context.Context, t *traceflow.Trace, target *target, prober discover.Prober) (discover.Result, error) {
	c := &t.Config
	if o.paths > 0 {
		fixed := discover.Fixed{Flows: t.Flows, FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL, Repeats: o.queries}
		r, err := fixed.Discover(ctx, prober)
		r.Guarantee = discover.Guarantee(r.Walks, o.confidence)
		return r, err
	}
	axis := discover.Axis(o.vary)
	port := o.sourcePort
	if axis != discover.VarySourcePort && axis != discover.VaryBothPorts {
		port = min(port+1, 65535) // that of the first flow
	}
	flow := o.flow(target, 0, port)
	a := discover.Adaptive{
		Flows: discover.Vary(axis, flow, o.seed), FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL,
		Confidence: o.confidence, PerNode: o.guarantee == "node", Retries: o.retries,
		MaxProbes: o.maxProbes, TimeLimit: time.Duration(o.timeLimit), Axis: axis,
	}
	r, err := a.Discover(ctx, prober)
	for i := range r.Walks {
		t.Flows = append(t.Flows, r.Walks[i].Flow)
	}
	return r, err
}
