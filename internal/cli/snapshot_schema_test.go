// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const snapshotSchemaFile = "../../docs/snapshot.schema.json"

// TestSnapshotSchema holds every record of snapshots of several kinds against the
// published schemas, which list every key.
func TestSnapshotSchema(t *testing.T) {
	data, err := os.ReadFile(snapshotSchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compileSchema(data, true)
	if err != nil {
		t.Fatal(err)
	}
	// The trace is an object with more keys than are listed there.
	open, err := compileSchema(data, false)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := loadSchema(true)
	if err != nil {
		t.Fatal(err)
	}
	planFile := filepath.Join(t.TempDir(), "plan.yaml")
	writePlan := "name: n\nbudget: 60\nrate: 5000\ndefaults: {labels: {a: b}}\ntargets:\n- {destination: dst, vary: dst, flows: 3, expect: no-change}\n" +
		"- {destination: 198.18.0.200, protocol: icmp, family: 4, mtu: true, flows: 2}\n- {destination: dst, protocol: tcp, port: 80, flows: 2}\n" +
		"expect: {width: 4->3, drain: [AS1]}\npolicy: {severity: {lost: info}, latency: 1ms, latency-part: 10%, loss: 1%, alpha: 1%}\n"
	if err := os.WriteFile(planFile, []byte(writePlan), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]bool)
	for _, args := range [][]string{
		{"--sim", "b", "-P", "1", "--rate", "5000"},
		{"--sim", "d", "--plan", planFile},
		{"--sim", "ixp", "-P", "2", "--tos", "ef", "--rate", "5000", "-6"},
		{"--sim", "ixp", "--passes", "9", "--budget", "3"},
	} {
		path := filepath.Join(t.TempDir(), "a.tfs")
		var out, stderr bytes.Buffer
		env := Env{Out: &out, Err: &stderr, DropPrivileges: func() error { return nil }}
		if code := Run(t.Context(), env, append([]string{"snapshot", "-o", path}, args...)); code != exitOK && code != exitNotReached {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr.String())
		}
		for line := range strings.Lines(unzip(t, path)) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			with := schema
			if inner, ok := record["trace"]; ok {
				with = open
				check(t, trace, inner)
			}
			check(t, with, record)
			for key := range record {
				keys[key] = true
			}
			if targets, ok := record["targets"].([]any); ok {
				for _, target := range targets {
					for key := range target.(map[string]any) {
						keys["target."+key] = true
					}
				}
			}
		}
	}
	for _, key := range []string{"plan", "notes", "budget_s", "data_sets", "end", "target.labels", "target.mtu", "target.flow_list", "target.width"} {
		if !keys[key] {
			t.Errorf("no snapshot here has %q", key)
		}
	}
}

func check(t *testing.T, schema *jsonschema.Schema, document any) {
	t.Helper()
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(exact); err != nil {
		t.Errorf("%.300s: %v", data, err)
	}
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// TestSnapshotIsDocumented wants every key of the schema in the page about it.
func TestSnapshotIsDocumented(t *testing.T) {
	data, err := os.ReadFile(snapshotSchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/snapshot.md")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(x any) {
		switch x := x.(type) {
		case map[string]any:
			if properties, ok := x["properties"].(map[string]any); ok {
				for key := range properties {
					if !bytes.Contains(page, []byte("`"+key+"`")) {
						t.Errorf("docs/snapshot.md has nothing of `%s`", key)
					}
				}
			}
			for _, v := range x {
				walk(v)
			}
		case []any:
			for _, v := range x {
				walk(v)
			}
		}
	}
	walk(schema)
}
