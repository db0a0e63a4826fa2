// SPDX-License-Identifier: BSD-3-Clause

// Package snapshot is a stored measurement of many destinations, made to be
// compared with another: the same flows in every pass, and at least two passes,
// so that what the network does of itself is known before anything is called a
// change. One file holds it all, compressed NDJSON with a checksum.
package snapshot

import (
	"encoding/json"
	"time"

	"traceflow"
)

// Schema names the form of the file.
const Schema = "traceflow.snapshot/1"

// Snapshot is what was measured of each target, with its circumstances.
type Snapshot struct {
	Manifest Manifest
	Targets  []Target // in the order of the manifest
}

// Manifest is the circumstances: the first record of the file.
type Manifest struct {
	Schema  string    `json:"schema"`
	Name    string    `json:"name"`    // of the plan or the maintenance
	Version string    `json:"version"` // of the program
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Seed is what the flows follow from, and with them everything random.
	Seed     uint64              `json:"seed"`
	Passes   int                 `json:"passes"`
	Wire     string              `json:"wire"`
	Rate     float64             `json:"rate_pps"`
	Budget   float64             `json:"budget_s,omitempty"`
	Complete bool                `json:"complete"`
	DataSets []traceflow.DataSet `json:"data_sets,omitempty"`
	Targets  []TargetHead        `json:"targets"`
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
}

// Target is a destination and its passes, oldest first. All have the same flows.
type Target struct {
	TargetHead
	Passes []*traceflow.Trace
}
