// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"fmt"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/probe"
)

// engine is an open engine and what its wire can do.
type engine struct {
	*probe.Engine
	caps probe.Capabilities
	// around, if set, is between the engine and who looks for paths.
	around discover.Prober
}

// finder is what paths are looked for with.
func (e *engine) finder() discover.Prober {
	if e.around != nil {
		return e.around
	}
	return e.Engine
}

// engines has one engine for each family in use.
type engines map[bool]*engine // by target.ipv6

func (e engines) of(t *target) *engine { return e[t.ipv6()] }

func (e engines) close() {
	for _, engine := range e {
		_ = engine.Close() // nothing is lost by it
	}
}

// openEngines opens all sockets that the targets need, so that privileges can
// be dropped before the first packet.
func openEngines(env Env, o *traceOptions, targets []target, observe func(traceflow.Exchange)) (_ engines, err error) {
	all := make(engines)
	defer func() {
		if err != nil {
			all.close()
		}
	}()
	blind, remedy := "", ""
	for i := range targets {
		t := &targets[i]
		if all.of(t) != nil {
			continue
		}
		e, err := openEngine(env, o, t, observe)
		if err != nil {
			return nil, err
		}
		all[t.ipv6()] = e
		blind, remedy = e.caps.Blind, ""
		if e.caps.Kind != probe.KindRaw {
			remedy = here().remedy
		}
	}
	if blind != "" && probe.Kind(o.wire) == probe.KindAuto && !o.quiet {
		fmt.Fprintln(env.Err, printable(blind+remedy))
	}
	return all, nil
}

func openEngine(env Env, o *traceOptions, t *target, observe func(traceflow.Exchange)) (*engine, error) {
	var wire probe.Wire
	var caps probe.Capabilities
	if t.network != nil {
		wire, caps = t.network.Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}
	} else {
		var err error
		wire, caps, err = probe.Open(probe.Kind(o.wire), probe.Options{
			IPv6: t.ipv6(), Interface: o.iface, DontFragment: o.dontFragment, LowestPort: uint16(o.sourcePort),
		})
		if err != nil {
			return nil, err
		}
	}
	if o.tcp && caps.Sends[traceflow.ProtocolTCP].Serial && o.tos&ecnBits != 0 {
		return nil, errors.Join(usagef("--tcp with ECN bits is not possible with --wire %s: the kernel keeps them for itself; it takes --wire raw", caps.Kind), wire.Close())
	}
	if err := caps.CanSend(o.protocol()); err != nil {
		return nil, errors.Join(err, wire.Close())
	}
	if err := caps.CanFollow(o.protocol()); err != nil && o.paths != 1 {
		return nil, errors.Join(err, wire.Close())
	}
	config := probe.Config{
		Rate: o.pps(), Timeout: time.Duration(o.timeout), QUIC: o.quic, Size: o.size, DontFragment: o.dontFragment,
	}
	if o.paths > 0 {
		// Otherwise the search decides itself what is worth asking again.
		config.Retries = o.retries
	}
	config.Observe = observe
	if o.debug {
		config.Observe = func(e traceflow.Exchange) {
			fmt.Fprintln(env.Err, describe(&e))
			if observe != nil {
				observe(e)
			}
		}
	}
	e, err := probe.NewEngine(wire, caps, config)
	if err != nil {
		return nil, errors.Join(err, wire.Close())
	}
	return &engine{Engine: e, caps: caps}, nil
}

// describe is a line of --debug.
func describe(e *traceflow.Exchange) string {
	at := fmt.Sprintf("%s flow %d ttl %d attempt %d", e.Sent.Format("15:04:05.000000"), e.Flow, e.TTL, e.Attempt)
	switch {
	case e.Err != nil:
		return at + ": not sent: " + printable(e.Err.Error())
	case e.Reply.Kind == traceflow.NoReply:
		return at + ": no reply"
	}
	r := &e.Reply
	return fmt.Sprintf("%s: %s from %s in %v (type %d code %d, ttl %d, quoted ttl %d)",
		at, r.Kind, r.Address, r.RTT, r.ICMPType, r.ICMPCode, r.TTL, r.QuotedTTL)
}

func dropPrivileges() error { return probe.DropPrivileges() }
