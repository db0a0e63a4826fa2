// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"

	"traceflow"
	"traceflow/discover"
)

// finish looks for the destination by other kinds of probes, if it answered
// none of the flows.
func (o *traceOptions) finish(ctx context.Context, t *traceflow.Trace, target *target, e *engine, r *discover.Result) error {
	if !discover.NeedsFinish(r) {
		return nil
	}
	search := discover.Finish{Flows: o.otherFlows(target, e), FirstTTL: t.Config.FirstTTL, MaxTTL: t.Config.MaxTTL}
	if len(search.Flows) == 0 {
		return nil
	}
	var err error
	t.Finish, err = search.Discover(ctx, e)
	t.Finish.End(r.Walks)
	return err
}

// otherFlows are one flow of each other kind that the wire can send: those
// that destinations answer most often come first.
func (o *traceOptions) otherFlows(target *target, e *engine) []traceflow.Flow {
	var flows []traceflow.Flow
	for _, kind := range []struct {
		protocol traceflow.Protocol
		port     uint16
	}{
		{traceflow.ProtocolICMP, 0},
		{traceflow.ProtocolTCP, 443},
		{traceflow.ProtocolTCP, 80},
		{traceflow.ProtocolUDP, defaultUDPPort},
	} {
		f := o.flow(target, 0, min(o.sourcePort+1, 65534))
		if kind.protocol == f.Protocol && (f.Protocol != traceflow.ProtocolTCP || kind.port == f.DestinationPort) ||
			e.caps.CanSend(kind.protocol) != nil || kind.protocol == traceflow.ProtocolUDP && o.quic {
			continue
		}
		f.Protocol, f.DestinationPort = kind.protocol, kind.port
		if e.caps.Sends[kind.protocol].Serial {
			f.TOS &^= ecnBits // which the kernel keeps for itself
		}
		flows = append(flows, f)
	}
	return flows
}
