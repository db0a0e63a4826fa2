// SPDX-License-Identifier: BSD-3-Clause

// Command example is the program of the README's section on the library; a
// test of package cli compares the two.
package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"

	"traceflow"
	"traceflow/discover"
	"traceflow/probe"
)

func main() {
	ctx, to := context.Background(), netip.MustParseAddr(os.Args[1])
	local := must(probe.FindLocal(ctx, to, netip.Addr{}, ""))
	wire, caps, err := probe.Open(probe.KindAuto, probe.Options{IPv6: to.Is6()})
	if err != nil {
		log.Fatal(err)
	}
	engine := must(probe.NewEngine(wire, caps, probe.Config{Rate: 500, Retries: 2}))
	flow := traceflow.Flow{
		ID: 1, Protocol: traceflow.ProtocolUDP, Source: local.Address, Destination: to,
		SourcePort: 33453, DestinationPort: 33452,
	}
	fixed := discover.Fixed{Flows: []traceflow.Flow{flow}, FirstTTL: 1, MaxTTL: 64}
	result := must(fixed.Discover(ctx, engine))
	for i, hop := range result.Walks[0].Hops {
		fmt.Println(i+1, hop.Kind, hop.Address, hop.RTT)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
