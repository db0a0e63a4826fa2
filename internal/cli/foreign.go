// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/json"
	"slices"
)

// foreign names the tool that wrote a JSON document, by keys that no other has;
// "" if it is not known.
func foreign(raw json.RawMessage) string {
	raw = firstElement(raw)
	var keys map[string]json.RawMessage
	if json.Unmarshal(raw, &keys) != nil {
		return ""
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := keys[name]; !ok {
				return false
			}
		}
		return true
	}
	is := func(key string, values ...string) bool {
		var got string
		return json.Unmarshal(keys[key], &got) == nil && slices.Contains(values, got)
	}
	within := func(key string) map[string]json.RawMessage {
		var inner map[string]json.RawMessage
		_ = json.Unmarshal(keys[key], &inner) // another type has no keys
		return inner
	}
	switch {
	case has("schema"):
		return ""
	case has("msm_id") || has("prb_id") || has("fw", "dst_addr"):
		return "RIPE Atlas"
	case is("type", "trace", "tracelb", "cycle-start", "cycle-stop", "cycle-def", "ping", "dealias", "tbit", "sniff", "sting"):
		return "scamper"
	case within("report")["hubs"] != nil:
		return "mtr"
	case within("info")["target"] != nil && has("hops"):
		return "trippy"
	case has("id", "results") && is("type", "ping", "traceroute", "mtr", "dns", "http"):
		return "Globalping"
	case has("nodes", "edges"):
		return nodes
	case has("flows") && within("flows") != nil && !has("paths"):
		return "dublin-traceroute"
	}
	return ""
}

// nodes is what the Python traceflow leaves for its page.
const nodes = "the Python traceflow's nodes.json"

// foreignText names the tool that wrote something that is no JSON, by how it
// begins.
func foreignText(begin []byte) string {
	begin = bytes.TrimSpace(begin)
	switch {
	case bytes.HasPrefix(begin, []byte("data =")), bytes.HasPrefix(begin, []byte("data=")):
		return nodes // which is JavaScript
	case bytes.HasPrefix(begin, []byte{0x12, 0x05}):
		return "scamper, in its binary form (warts)"
	}
	return ""
}

// firstElement returns the first element of a list, without reading the rest,
// and anything else as it is.
func firstElement(raw json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('[') {
		return raw
	}
	var first json.RawMessage
	if d.Decode(&first) != nil {
		return raw
	}
	return first
}
