// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"traceflow/internal/topology"
)

const schemaFile = "../../docs/traceflow.trace.schema.json"

// loadSchema compiles the published schema. The strict variant refuses keys
// that the schema does not describe.
func loadSchema(strict bool) (*jsonschema.Schema, error) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		return nil, err
	}
	return compileSchema(data, strict)
}

func compileSchema(data []byte, strict bool) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if strict {
		forbidUnknown(document)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("trace.json", document); err != nil {
		return nil, err
	}
	return c.Compile("trace.json")
}

// forbidUnknown closes every object schema that lists its properties.
func forbidUnknown(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		_, isProperties := s["properties"].(map[string]any)
		if isProperties && s["type"] == "object" {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			forbidUnknown(v)
		}
	case []any:
		for _, v := range s {
			forbidUnknown(v)
		}
	}
}

// validate checks a stream of result documents against both variants and
// returns how many there were.
func validate(loose, strict *jsonschema.Schema, data []byte) (int, error) {
	n := 0
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return n, err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return n, err
		}
		if err := loose.Validate(document); err != nil {
			return n, err
		}
		if err := strict.Validate(document); err != nil {
			return n, fmt.Errorf("a key is not in %s: %w", schemaFile, err)
		}
	}
	return n, nil
}

func schemas(t *testing.T) (loose, strict *jsonschema.Schema) {
	t.Helper()
	loose, err := loadSchema(false)
	if err != nil {
		t.Fatal(err)
	}
	strict, err = loadSchema(true)
	if err != nil {
		t.Fatal(err)
	}
	return loose, strict
}

func TestSchemaTakesGoldenTraces(t *testing.T) {
	loose, strict := schemas(t)
	files, err := filepath.Glob("../../render/testdata/*json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden traces: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := validate(loose, strict, data); n != 1 || err != nil {
			t.Errorf("%s: %d documents: %v", file, n, err)
		}
	}
}

// TestSchemaTakesBuiltinTopologies traces every network of both families, in
// virtual time.
func TestSchemaTakesBuiltinTopologies(t *testing.T) {
	loose, strict := schemas(t)
	families := make(map[string]int)
	for _, name := range networks() {
		for _, family := range []string{"-4", "-6"} {
			t.Run(name+family, func(t *testing.T) {
				got := traceSim(t, "--sim", name, family, "--json", "--paths", "9", "--quiet")
				if got.code == exitUsage && strings.Contains(got.err, "of that family") {
					return
				}
				families[family]++
				if got.code != exitOK && got.code != exitNotReached && got.code != exitNoReply || got.err != "" {
					t.Errorf("exit code %d, %s", got.code, got.err)
				}
				if n, err := validate(loose, strict, []byte(got.out)); n != 1 || err != nil {
					t.Errorf("%d documents: %v", n, err)
				}
			})
		}
	}
	if !testing.Short() && (families["-4"] < 30 || families["-6"] < 30) {
		t.Errorf("traced too few networks: %v", families)
	}
}

// networks are those that are traced by tests of all of them: with -short, as
// under the race detector, one of each kind.
func networks() []string {
	if testing.Short() {
		return []string{"b", "e2", "i", "interfaces", "ixp", "nat", "perpacket", "tunnel-opaque"}
	}
	return topology.BuiltinNames()
}

// outcome is all that a command leaves behind.
type outcome struct {
	out, err string
	code     int
}

// traceSim runs a command that touches no real network, in virtual time.
func traceSim(t *testing.T, args ...string) (got outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out, err bytes.Buffer
		env := Env{Out: &out, Err: &err, DropPrivileges: func() error { return nil }}
		got.code = Run(t.Context(), env, args)
		got.out, got.err = out.String(), err.String()
	})
	return got
}

// TestSchemaKeepsContract breaks the document that users were promised, and
// one of ours, in every place.
func TestSchemaKeepsContract(t *testing.T) {
	contract, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("promised", func(t *testing.T) {
		breakEverywhere(t, contract, []string{"exchanges.reply.mpls"})
	})
	t.Run("ours", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes a minute under the race detector; make test runs it without")
		}
		breakEverywhere(t, []byte(traceSim(t, "--sim", "ixp", "--json", "--quiet").out), []string{
			"end_reason", "finish", "path_mtus", "config.quic", "config.tos", "config.size_bytes", "config.dont_fragment",
			"route_changes", "guarantee.equal_shares", "guarantee.rate_limited_hops", "guarantee.short_hops", "guarantee.hop_shares",
			"config.gap_ns", "config.repeats", "config.timeout_us", "stats.foreign", "stats.malformed", "stats.unattributed",
			"flows.end", "flows.ambiguous", "exchanges.error", "exchanges.abandoned", "exchanges.reply.verified", "exchanges.reply.mpls",
			"links.share", "diamonds.meshed", "nats", "tunnels", "remarkings", "zero_ttl",
			"flows.tos", "nodes.initial_ttl", "nodes.return_length", "nodes.asymmetry",
			"annotations", "data_sets", "borders", "exits",
		})
	})
}

// breakEverywhere removes and mistypes every key of a valid document. Keys of
// list elements are tried on the element that has most of them.
func breakEverywhere(t *testing.T, data []byte, optional []string) {
	t.Helper()
	loose, strict := schemas(t)
	if _, err := validate(loose, strict, data); err != nil {
		t.Fatal(err)
	}
	broken := 0
	var walk func(path string, at func(document any) any)
	walk = func(path string, at func(document any) any) {
		object, ok := at(parse(t, data)).(map[string]any)
		if list, isList := at(parse(t, data)).([]any); isList {
			if len(list) == 0 {
				t.Logf("%s is empty: not tested", path)
				return
			}
			best := 0
			for i := range list {
				if size(list[i]) > size(list[best]) {
					best = i
				}
			}
			walk(path, func(document any) any { return at(document).([]any)[best] })
			return
		}
		if !ok {
			return
		}
		for key, value := range object {
			name := strings.TrimPrefix(path+"."+key, ".")
			change := func(what string, edit func(map[string]any), isFine bool) {
				document := parse(t, data)
				edit(at(document).(map[string]any))
				if err := loose.Validate(document); (err == nil) != isFine {
					t.Errorf("%s %s: %v, want fine: %t", name, what, err, isFine)
				}
				broken++
			}
			change("missing", func(m map[string]any) { delete(m, key) }, slices.Contains(optional, name))
			change("mistyped", func(m map[string]any) { m[key] = otherType(value) }, false)
			change("with an unknown neighbour", func(m map[string]any) { m["added_later"] = 1 }, true)
			walk(name, func(document any) any { return at(document).(map[string]any)[key] })
		}
	}
	walk("", func(document any) any { return document })
	if broken < 200 {
		t.Errorf("only %d changes", broken)
	}
}

func TestSchemaRefuses(t *testing.T) {
	loose, strict := schemas(t)
	data := []byte(traceSim(t, "--sim", "b", "--json", "--quiet").out)
	for name, edit := range map[string]func(map[string]any){
		"schema of another version": func(m map[string]any) { m["schema"] = "traceflow.trace/2" },
		"unknown stop reason":       func(m map[string]any) { m["stop_reason"] = "bored" },
		"time that is none":         func(m map[string]any) { m["started"] = "yesterdayZ" },
		"time of another zone":      func(m map[string]any) { m["started"] = "2026-01-02T03:04:05+01:00" },
		"address that is none":      func(m map[string]any) { m["destination"].(map[string]any)["address"] = "203.0.113.256" },
		"address that is empty":     func(m map[string]any) { m["destination"].(map[string]any)["address"] = "" },
		"port beyond 65535":         func(m map[string]any) { m["config"].(map[string]any)["dst_port"] = 65536 },
		"TTL of 0":                  func(m map[string]any) { m["config"].(map[string]any)["first_ttl"] = 0 },
		"share beyond 1":            func(m map[string]any) { m["guarantee"].(map[string]any)["min_share"] = 1.5 },
		"fraction of a packet":      func(m map[string]any) { m["stats"].(map[string]any)["probes"] = 1.5 },
		"no paths":                  func(m map[string]any) { m["config"].(map[string]any)["paths"] = 0 },
	} {
		document := parse(t, data)
		edit(document.(map[string]any))
		if err := loose.Validate(document); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	auto := parse(t, data)
	auto.(map[string]any)["config"].(map[string]any)["paths"] = "auto"
	if err := loose.Validate(auto); err != nil {
		t.Errorf(`"paths": "auto": %v`, err)
	}
	unknown := parse(t, data)
	unknown.(map[string]any)["nodes"].([]any)[0].(map[string]any)["undocumented"] = 1
	if err := strict.Validate(unknown); err == nil {
		t.Error("the strict variant accepts a key that is not documented")
	}
}

func parse(t *testing.T, data []byte) any {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// size counts the values in a document.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += size(e)
		}
	case []any:
		for _, e := range v {
			n += size(e)
		}
	}
	return n
}

func otherType(v any) any {
	switch v.(type) {
	case string:
		return true
	case map[string]any:
		return []any{}
	case []any:
		return map[string]any{}
	}
	return map[string]any{"a": "b"} // for numbers, booleans and null
}

// TestSchemaIsDocumented finds keys of the schema that docs/json.md does not
// name, and keys of the contract that the schema lacks.
func TestSchemaIsDocumented(t *testing.T) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(schema any)
	walk = func(schema any) {
		switch s := schema.(type) {
		case map[string]any:
			if properties, ok := s["properties"].(map[string]any); ok {
				for key, of := range properties {
					if !strings.Contains(string(text), "`"+key+"`") {
						t.Errorf("docs/json.md does not explain `%s`", key)
					}
					if m, ok := of.(map[string]any); !ok || m["description"] == nil {
						t.Errorf("the schema does not describe %s", key)
					}
				}
			}
			for _, v := range s {
				walk(v)
			}
		case []any:
			for _, v := range s {
				walk(v)
			}
		}
	}
	walk(parse(t, data))
}
