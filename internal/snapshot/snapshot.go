// SPDX-License-Identifier: BSD-3-Clause

// Package snapshot is a stored measurement of many destinations, made to be
// compared with another: the same flows in every pass, and at least two passes,
// so that what the network does of itself is known before anything is called a
// change. One file holds it all, compressed NDJSON with a checksum.
//
// It measures nothing (package survey does) and compares nothing (package diff
// does). docs/snapshot.md has every key of the file.
package snapshot

import (
	"encoding/json"
	"net/netip"
	"time"

	"traceflow"
)

// Schema names the form of the file. Within it keys are only ever added.
const Schema = "traceflow.snapshot/1"

// Snapshot is what was measured of each target, with its circumstances.
type Snapshot struct {
	Manifest Manifest
	Targets  []Target // in the order of the manifest
}

// Stage is a part of a maintenance.
type Stage string

// The parts of a maintenance.
const (
	StageBegin Stage = "begin"
	StageCheck Stage = "check"
	StageEnd   Stage = "end"
)

// Manifest is the circumstances: the first record of the file.
type Manifest struct {
	Schema string `json:"schema"`
	Name   string `json:"name"` // of the plan or the maintenance
	// Maintenance is what of one it was measured for; "" for a snapshot by itself.
	Maintenance Stage     `json:"maintenance,omitempty"`
	Version     string    `json:"version"` // of the program
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended"`
	// Hostname is that of the vantage point.
	Hostname string `json:"hostname,omitempty"`
	// Seed is what the flows follow from, and with them everything random.
	Seed     uint64              `json:"seed"`
	Passes   int                 `json:"passes"`
	Wire     string              `json:"wire"`
	Rate     float64             `json:"rate_pps"`
	Budget   float64             `json:"budget_s,omitempty"`
	Complete bool                `json:"complete"`
	DataSets []traceflow.DataSet `json:"-"`
	Targets  []TargetHead        `json:"targets"`
	// Noise is what differs between passes without any change.
	Noise Noise `json:"noise"`
	// Names are what addresses are called, where a name server was asked.
	Names map[netip.Addr]string `json:"names,omitempty"`
	// Notes say what was left out so that the budget was kept.
	Notes []string `json:"notes,omitempty"`
	// Plan is the plan as it was read, for the diff: expectations and policy.
	Plan json.RawMessage `json:"plan,omitempty"`
	// Unknown has the keys that this version does not know; they are written back.
	Unknown map[string]json.RawMessage `json:"-"`
}

// TargetHead is what the manifest has of a target.
type TargetHead struct {
	Name    string            `json:"name"`    // as given
	Address string            `json:"address"` // as resolved, once
	Source  string            `json:"source"`  // the address that packets left from
	Labels  map[string]string `json:"labels,omitempty"`
	Flows   int               `json:"flows"`
	// Width is the largest number of next hops that was found before the flows
	// were chosen.
	Width int `json:"width,omitempty"`
	// Resolved is what the name resolves to now, where Address was pinned by a
	// snapshot before and the name resolves to something else.
	Resolved string `json:"resolved,omitempty"`
	// Protocol, Vary and Pinned are the flows; MTU is whether path MTUs were measured.
	Protocol string `json:"protocol"`
	Vary     string `json:"vary"`
	MTU      bool   `json:"mtu,omitempty"`
	// Ends is how many packets each flow sent to the destination in each pass; 0 is 1.
	Ends   int    `json:"ends,omitempty"`
	Pinned []Flow `json:"flow_list"`
	// Noise is that of this target.
	Noise Noise `json:"noise"`
}

// Flow is one of the flows of a target, in their order.
type Flow struct {
	SourcePort      uint16 `json:"src_port"`
	DestinationPort uint16 `json:"dst_port"`
	Label           uint32 `json:"flow_label,omitempty"`
	TOS             uint8  `json:"tos,omitempty"`
	// Destination is that of the flow, where the flows differ in it.
	Destination *netip.Addr `json:"destination,omitempty"`
}

// Target is a destination and its passes, oldest first. All have the same flows,
// but for those that were cut short.
type Target struct {
	TargetHead
	Passes []*traceflow.Trace
}

// Pin returns the flows of a target in the form of the file.
func Pin(flows []traceflow.Flow, destination netip.Addr) []Flow {
	pinned := make([]Flow, len(flows))
	for i, f := range flows {
		pinned[i] = Flow{SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Label: f.Label, TOS: f.TOS}
		if f.Destination != destination {
			pinned[i].Destination = &f.Destination
		}
	}
	return pinned
}

// FlowsFrom returns the pinned flows, to be sent from a source.
func (t *TargetHead) FlowsFrom(source netip.Addr) ([]traceflow.Flow, error) {
	protocol, err := traceflow.ParseProtocol(t.Protocol)
	if err != nil {
		return nil, err
	}
	address, err := netip.ParseAddr(t.Address)
	if err != nil {
		return nil, err
	}
	flows := make([]traceflow.Flow, len(t.Pinned))
	for i, f := range t.Pinned {
		flows[i] = traceflow.Flow{
			ID: i + 1, Protocol: protocol, Source: source, Destination: address,
			SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Label: f.Label, TOS: f.TOS,
		}
		if f.Destination != nil {
			flows[i].Destination = *f.Destination
		}
	}
	return flows, nil
}
