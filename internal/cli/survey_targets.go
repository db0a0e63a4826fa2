// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/internal/survey"
	"traceflow/probe"
)

// subject is a target of a plan with all that has to be known before sending.
type subject struct {
	target
	plan.Target
	head snapshot.TargetHead
	// pinned are the flows of a snapshot before; nil where they are to be chosen.
	pinned []traceflow.Flow
}

// traceOptions are those that a trace to the target would have: what opens sockets
// and resolves names reads them.
func (o *surveyOptions) traceOptions(t *plan.Target) *traceOptions {
	out := &traceOptions{
		probeOptions: o.probeOptions, paths: pathCount(plan.DefaultFlows), retries: o.retries, timeout: o.timeout,
		rate: int(o.rate), ipv4: t.Family == 4, ipv6: t.Family == 6, source: o.source, iface: o.iface,
		wire: o.wire, sim: o.sim, seed: cmp.Or(o.seed, defaultSeed), quiet: o.quiet, vary: t.Vary,
	}
	out.tcp, out.icmp = t.Protocol == traceflow.ProtocolTCP.String(), t.Protocol == traceflow.ProtocolICMP.String()
	out.udp, out.mtu = !out.tcp && !out.icmp, t.MTU
	switch {
	case t.Port != 0:
		out.destinationPort = t.Port
	case out.tcp:
		out.destinationPort = defaultTCPPort
	case out.icmp:
		out.destinationPort = 0
	default:
		out.destinationPort = defaultUDPPort
	}
	return out
}

// subjects resolves what a plan names, and finds the way there.
func (o *surveyOptions) subjects(ctx context.Context, p *plan.Plan) ([]subject, error) {
	network, err := o.network()
	if err != nil {
		return nil, usage(err)
	}
	var all []subject
	for i := range p.Targets {
		t := &p.Targets[i]
		options := o.traceOptions(t)
		one := subject{Target: *t}
		if network != nil {
			one.target, err = network.target(options, t.Destination)
		} else {
			var found []target
			if found, err = findTargets(ctx, options, []string{t.Destination}); err == nil {
				one.target = found[0]
			}
		}
		if err != nil {
			return nil, o.placed(t, err)
		}
		one.head = snapshot.TargetHead{
			Name: one.name, Address: one.address.String(), Source: one.local.Address.String(), Labels: t.Labels,
			Protocol: options.protocol().String(), Vary: cmp.Or(t.Vary, string(discover.VarySourcePort)), MTU: t.MTU, Ends: t.Ends,
		}
		all = append(all, one)
	}
	return all, nil
}

// placed says in which line of the plan a target stands that cannot be measured.
func (o *surveyOptions) placed(t *plan.Target, err error) error {
	if o.plan == "" || t.Line == 0 {
		return err
	}
	return fmt.Errorf("%s:%d: %w", o.plan, t.Line, err)
}

// repeated are the targets of a snapshot before, with the addresses and flows that
// it had.
func (o *surveyOptions) repeated(ctx context.Context, m *snapshot.Manifest) ([]subject, error) {
	network, err := o.network()
	if err != nil {
		return nil, usage(err)
	}
	var all []subject
	for i := range m.Targets {
		head := m.Targets[i]
		t := plan.Target{Destination: head.Address, Flows: head.Flows, Protocol: head.Protocol, Vary: head.Vary, MTU: head.MTU, Ends: head.Ends, Labels: head.Labels}
		if len(head.Pinned) > 0 {
			t.Port = int(head.Pinned[0].DestinationPort)
		}
		options := o.traceOptions(&t)
		one := subject{Target: t}
		if network != nil {
			one.target, err = network.target(options, head.Address)
		} else {
			if o.stage != "" {
				options.source = head.Source // even if the host would choose another by now
			}
			var found []target
			if found, err = findTargets(ctx, options, []string{head.Address}); err == nil {
				one.target = found[0]
				head.Resolved = resolvesTo(ctx, options, &head)
			}
		}
		if op := (*probe.OpError)(nil); errors.As(err, &op) && op.Op == "use source address" && o.stage != "" {
			return nil, fmt.Errorf("packets left from %s when the maintenance began, which is no address of this host now: measure where it began, or begin it again", head.Source)
		}
		if err != nil {
			return nil, err
		}
		one.name, head.Source = head.Name, one.local.Address.String()
		if one.pinned, err = head.FlowsFrom(one.local.Address); err != nil {
			return nil, fmt.Errorf("target %s: %w", head.Name, err)
		}
		head.Noise = snapshot.Noise{}
		one.head = head
		all = append(all, one)
	}
	return all, nil
}

// resolvesTo returns what a name resolves to now, if that is not what was pinned.
// A resolver that does not answer says nothing.
func resolvesTo(ctx context.Context, o *traceOptions, head *snapshot.TargetHead) string {
	if _, err := netip.ParseAddr(head.Name); err == nil {
		return ""
	}
	pinned, err := netip.ParseAddr(head.Address)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.timeout))
	defer cancel()
	family := *o
	family.ipv4, family.ipv6 = pinned.Is4(), !pinned.Is4()
	now, err := resolve(ctx, &family, head.Name)
	if err != nil || now == pinned {
		return ""
	}
	return now.String()
}

// network loads that of --sim; nil is the real one.
func (o *surveyOptions) network() (*simulated, error) {
	if o.sim == "" {
		return nil, nil
	}
	return openSimulated(o.sim, o.seed)
}

// surveyed makes a target of a survey.
func (o *surveyOptions) surveyed(s *subject, e *engine, rate float64) (survey.Target, error) {
	options := o.traceOptions(&s.Target)
	if len(s.pinned) > 0 {
		options.tos = s.pinned[0].TOS
	}
	protocol := options.protocol()
	if err := errors.Join(e.caps.CanSend(protocol), e.caps.CanFollow(protocol)); err != nil {
		return survey.Target{}, err
	}
	port := options.sourcePort
	axis := discover.Axis(s.head.Vary)
	if axis != discover.VarySourcePort {
		port++ // that of the first flow
	}
	t := survey.Target{
		Prober: e, Flows: s.pinned, Count: s.Flows, Ends: s.Ends,
		Mapper: discover.Vary(axis, options.flow(&s.target, 0, port), options.seed),
		Trace: traceflow.Trace{
			Version:      Version,
			Destination:  traceflow.Destination{Name: s.name, Address: s.address},
			VantagePoint: traceflow.VantagePoint{Hostname: s.hostname, Address: s.local.Address, Interface: s.local.Interface},
			Config: traceflow.Config{
				Protocol: protocol, TOS: options.tos, DontFragment: s.MTU, Confidence: 0.95, FirstTTL: 1, MaxTTL: 64,
				SourcePort: uint16(options.sourcePort), DestinationPort: uint16(options.destinationPort),
				Rate: rate, Retries: o.retries, Repeats: 1, Timeout: time.Duration(o.timeout), Seed: options.seed, Wire: string(e.caps.Kind),
			},
		},
	}
	if s.MTU {
		t.MTU = &discover.MTU{
			Largest: interfaceMTU(&s.target), Smallest: probe.SmallestSize(protocol, s.ipv6(), false), TimeLimit: mtuTime,
		}
	}
	return t, nil
}

// mtuTime bounds what the MTUs of one target take, so that one which answers
// nothing does not hold up a pass.
const mtuTime = 20 * time.Second

// readBounded reads a file that is not too large.
func readBounded(path string, largest int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New(err.Error()) // a right to read files is none to send packets
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}
