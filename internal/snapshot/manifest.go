// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"traceflow"
)

// What a file may say: more is nobody's measurement.
const (
	mostTargets = 10_000
	mostPasses  = 1_000
	mostFlows   = 65_536 // of one target
	mostEnds    = 1_000  // packets of a flow in a pass
)

// plainManifest is a Manifest without its methods, and with what the root package
// has no form for.
type plainManifest Manifest

type manifestForm struct {
	plainManifest
	DataSets []dataSet `json:"data_sets,omitempty"`
}

// dataSet is a traceflow.DataSet in the words of traceflow.trace/1.
type dataSet struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"`
	Date    *time.Time `json:"date"`
	SHA256  string     `json:"sha256"`
	Licence string     `json:"licence"`
}

// MarshalJSON writes the manifest, the keys that are not known after the others.
func (m *Manifest) MarshalJSON() ([]byte, error) {
	form := manifestForm{plainManifest: plainManifest(*m)}
	if form.Targets == nil {
		form.Targets = []TargetHead{}
	}
	for i := range m.DataSets {
		form.DataSets = append(form.DataSets, toDataSet(&m.DataSets[i]))
	}
	out, err := json.Marshal(form)
	if err != nil || len(m.Unknown) == 0 {
		return out, err
	}
	b := bytes.NewBuffer(bytes.TrimSuffix(out, []byte("}")))
	for _, key := range slices.Sorted(maps.Keys(m.Unknown)) {
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		b.WriteByte(',')
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.Unknown[key])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads a manifest.
func (m *Manifest) UnmarshalJSON(data []byte) error {
	var form manifestForm
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	known := knownKeys()
	maps.DeleteFunc(all, func(key string, _ json.RawMessage) bool {
		// encoding/json takes keys whatever their case.
		return slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) })
	})
	*m = Manifest(form.plainManifest)
	if len(all) > 0 {
		m.Unknown = all
	}
	for i := range form.DataSets {
		m.DataSets = append(m.DataSets, form.DataSets[i].read())
	}
	return nil
}

func toDataSet(s *traceflow.DataSet) dataSet {
	out := dataSet{Name: s.Name, Kind: s.Kind, SHA256: s.SHA256, Licence: s.Licence}
	if !s.Date.IsZero() {
		date := s.Date.UTC()
		out.Date = &date
	}
	return out
}

func (s *dataSet) read() traceflow.DataSet {
	out := traceflow.DataSet{Name: s.Name, Kind: s.Kind, SHA256: s.SHA256, Licence: s.Licence}
	if s.Date != nil {
		out.Date = *s.Date
	}
	return out
}

// knownKeys are those of a manifest.
func knownKeys() []string {
	keys := []string{"data_sets"}
	for field := range reflect.TypeFor[Manifest]().Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("json"), ","); key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// check refuses what no program of ours has written.
func (m *Manifest) check() error {
	switch {
	case len(m.Targets) == 0:
		return errors.New("the manifest has no targets")
	case len(m.Targets) > mostTargets:
		return fmt.Errorf("the manifest has %d targets, more than %d", len(m.Targets), mostTargets)
	case m.Passes < 1 || m.Passes > mostPasses:
		return fmt.Errorf("the manifest has %d passes, which is not 1 to %d", m.Passes, mostPasses)
	}
	for i := range m.Targets {
		t := &m.Targets[i]
		for _, a := range []string{t.Address, t.Source} {
			if _, err := netip.ParseAddr(a); err != nil {
				return fmt.Errorf("target %d: %w", i, err)
			}
		}
		if t.Flows < 0 || t.Flows > mostFlows || len(t.Pinned) > mostFlows || t.Width < 0 || t.Ends < 0 || t.Ends > mostEnds {
			return fmt.Errorf("target %d: %d flows and width %d are no counts", i, t.Flows, t.Width)
		}
	}
	return nil
}
