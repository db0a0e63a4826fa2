// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"traceflow"
	"traceflow/render"
)

const atlasSchemaFile = "../../render/testdata/schemas/atlas.json"

// TestAtlasObeysItsForm checks the golden files, and every built-in network
// traced with every kind of probe, against the form of RIPE Atlas.
func TestAtlasObeysItsForm(t *testing.T) {
	data, err := os.ReadFile(atlasSchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compileSchema(data, false)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../render/testdata/*.atlas")
	if err != nil || len(files) < 15 {
		t.Fatalf("golden files %v: %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		checkAtlas(t, schema, string(data))
	}
	results, labels := 0, 0
	for _, name := range networks() {
		for _, family := range []string{"-4", "-6"} {
			for _, flags := range []string{"", "-P 3 -T", "-P 3 -I", "-P 3 --quic -q 2"} {
				t.Run(name+family+flags, func(t *testing.T) {
					got := traceSim(t, append([]string{"--sim", name, family, "--format", "ndjson", "--quiet"}, strings.Fields(flags)...)...)
					if got.code == exitUsage {
						return
					}
					atlas := show(t, strings.NewReader(got.out), "--format", "atlas", "-")
					results += checkAtlas(t, schema, atlas.out)
					var trace traceflow.Trace
					if err := json.Unmarshal([]byte(got.out), &trace); err != nil {
						t.Fatal(err)
					}
					labels += compareAtlas(t, &trace, atlas.out)
				})
			}
		}
	}
	if !testing.Short() && (results < 1000 || labels < 50) {
		t.Errorf("only %d results with %d labels were checked", results, labels)
	}
	for from, to := range map[string]string{
		`"class":1`: `"class":"1"`, `"hop":1,`: `"hop":0,`, `"proto":"UDP"`: `"proto":"udp"`, `"rtt":1.500`: `"rtt":"1.5"`, `"af":4,`: ``, `"lts":-1`: `"lst":-1`,
	} {
		data, err := os.ReadFile("../../render/testdata/ipv4.atlas")
		if err != nil {
			t.Fatal(err)
		}
		bad := strings.ReplaceAll(string(data), from, to)
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Split(bad, "\n")[0]))
		if err != nil || bad == string(data) {
			t.Fatalf("%s: %v", from, err)
		}
		if schema.Validate(document) == nil {
			t.Errorf("the schema takes %s for %s", to, from)
		}
	}
}

func checkAtlas(t *testing.T, schema *jsonschema.Schema, lines string) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(lines) {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%v in %s", err, line)
		}
		n++
	}
	return n
}

// compareAtlas wants of each flow what the trace has of it, up to the end of its
// path: who answered where, and the labels. It returns how many labels there
// were.
func compareAtlas(t *testing.T, trace *traceflow.Trace, lines string) (labels int) {
	t.Helper()
	paths := make(map[int]*traceflow.Walk)
	for i := range trace.Graph.Walks {
		paths[trace.Graph.Walks[i].Flow.ID] = &trace.Graph.Walks[i]
	}
	for line := range strings.Lines(lines) {
		var r struct {
			Flow   int `json:"paris_id"`
			Result []struct {
				Hop    int
				Result []struct {
					From    netip.Addr
					Icmpext struct {
						Obj []struct{ MPLS []traceflow.MPLSLabel }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(strings.ReplaceAll(strings.ReplaceAll(line, `"s":0`, `"bottom":false`), `"s":1`, `"bottom":true`)), &r); err != nil {
			t.Fatal(err)
		}
		w := paths[r.Flow]
		var got, want []string
		for _, h := range r.Result {
			for _, x := range h.Result {
				for _, o := range x.Icmpext.Obj {
					for _, l := range o.MPLS {
						got = append(got, fmt.Sprint(h.Hop, x.From, l.Label, l.Bottom, l.TTL))
					}
				}
				if x.From.IsValid() {
					got = append(got, fmt.Sprint(h.Hop, x.From))
				}
			}
		}
		for i := range trace.Exchanges {
			e := &trace.Exchanges[i]
			if e.Flow != r.Flow || !e.Reply.Kind.Answered() || int(e.TTL) > w.Distance() {
				continue
			}
			for _, l := range e.Reply.MPLS {
				want = append(want, fmt.Sprint(int(e.TTL), e.Reply.Address, l.Label, l.Bottom, l.TTL))
				labels++
			}
			want = append(want, fmt.Sprint(int(e.TTL), e.Reply.Address))
		}
		// An answer from the end to what went on past it may stand for one there.
		if end := w.Distance(); len(got) == len(want)+1 && w.End != traceflow.EndUnknown && strings.HasPrefix(got[len(got)-1], fmt.Sprint(end, " ")) {
			got = got[:len(got)-1]
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("flow %d\n%v, want\n%v", r.Flow, got, want)
		}
	}
	return labels
}

// TestExchangeOfEveryFlow wants a line for each flow of which anything was sent.
func TestExchangeOfEveryFlow(t *testing.T) {
	for _, name := range []string{"d", "mpls", "silent", "drop-all", "prohibited", "wide16"} {
		trace := traceOf(t, "--sim", name)
		sent := make(map[int]bool)
		for i := range trace.Exchanges {
			sent[trace.Exchanges[i].Flow] = true
		}
		for format, more := range map[string]int{"atlas": 0, "scamper": 2} {
			var b strings.Builder
			if err := formats[format](&b, trace, render.Options{}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(b.String(), "\n"); got != len(sent)+more {
				t.Errorf("%s of %s: %d lines, want %d", format, name, got, len(sent)+more)
			}
		}
	}
}
