// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show runs the command on a text as its standard input.
func show(t *testing.T, in io.Reader, args ...string) (got outcome) {
	t.Helper()
	var out, err bytes.Buffer
	got.code = Run(t.Context(), Env{In: in, Out: &out, Err: &err}, append([]string{"show"}, args...))
	got.out, got.err = out.String(), err.String()
	return got
}

// same wants a document to come back as it was written.
func same(t *testing.T, document string, args ...string) {
	t.Helper()
	got := show(t, strings.NewReader(document), append(args, "-")...)
	if got.code != exitOK || got.err != "" {
		t.Errorf("exit code %d, %s", got.code, got.err)
	}
	if got.out != document {
		diff := cmp.Diff(document, got.out)
		t.Errorf("(-written +shown)\n%s", diff[:min(len(diff), 3000)])
	}
}

// TestShowGivesDocumentsBack traces every built-in network in virtual time with
// flags that change what is written, and shows each document.
func TestShowGivesDocumentsBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute under the race detector; make test runs it without")
	}
	documents := make(map[string]int)
	for _, flags := range []string{
		"", "--paths 6", "--paths 3 --mtu", "-T", "--vary dst", "-I --tos ef -f 2", "--max-probes 60",
	} {
		for _, family := range []string{"-4", "-6"} {
			for _, name := range networks() {
				t.Run(name+family+flags, func(t *testing.T) {
					written := traceSim(t, append([]string{"--sim", name, family, "--json", "--quiet"}, strings.Fields(flags)...)...)
					if written.code == exitUsage {
						return // no such destination in it, or no flow labels in IPv4
					}
					documents[flags]++
					same(t, written.out, "-j")
					var line bytes.Buffer
					if err := json.Compact(&line, []byte(written.out)); err != nil {
						t.Fatal(err)
					}
					same(t, line.String()+"\n", "--format", "ndjson")
				})
			}
		}
		if documents[flags] < 30 {
			t.Errorf("%q: only %d documents", flags, documents[flags])
		}
	}
}

// TestShowGivesGoldenTracesBack shows the documents that render's tests keep.
func TestShowGivesGoldenTracesBack(t *testing.T) {
	files, err := filepath.Glob("../../render/testdata/*json")
	if err != nil || len(files) < 15 {
		t.Fatalf("golden traces %v: %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			same(t, string(data), "--format", strings.TrimPrefix(filepath.Ext(file), "."))
		})
	}
}

// TestShowReadsEarlierForm shows the document that users were promised, which
// has none of the keys that came later, and it obeys the schema when written.
func TestShowReadsEarlierForm(t *testing.T) {
	for _, file := range []string{"testdata/contract.json", "testdata/earlier.json"} {
		loose, strict := schemas(t)
		for format := range formats {
			if got := show(t, nil, "--format", format, file); got.code != exitOK || got.err != "" || got.out == "" {
				t.Errorf("%s as %s: exit code %d, %d bytes, %s", file, format, got.code, len(got.out), got.err)
			}
		}
		got := show(t, nil, "-j", file)
		if n, err := validate(loose, strict, []byte(got.out)); n != 1 || err != nil {
			t.Errorf("%s: %d documents: %v", file, n, err)
		}
		// What the first form did not say is what was always so.
		for _, want := range []string{`"gap_ns": `, `"repeats": 1`, `"equal_shares": true`, `"verified": true`} {
			if !strings.Contains(got.out, want) || strings.Contains(got.out, `"gap_ns": 0`) {
				t.Errorf("%s: no %s in\n%s", file, want, got.out)
			}
		}
	}
}

// TestShowRefuses has one line for each kind of input that cannot be shown.
func TestShowRefuses(t *testing.T) {
	good := traceSim(t, "--sim", "b", "-P", "2", "--format", "ndjson", "--quiet").out
	foreign := func(tool string) string { return "this is the output of " + tool + ";" }
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "it is empty"},
		{"blanks", " \n\n", "it is empty"},
		{"cut off", good[:len(good)/2], fmt.Sprintf("cut off after %d bytes", len(good)/2)},
		{"text", "traceroute to example.com", "no JSON after byte 0: invalid character 'a'"},
		{"binary", "\x00\x01\x02", "no JSON after byte 0"},
		{"newer schema", strings.Replace(good, "traceflow.trace/1", "traceflow.trace/2", 1), "a newer traceflow wrote this; this one reads traceflow.trace/1, so update it"},
		{"other schema", `{"schema":"traceflow.doctor/1"}`, `"traceflow.doctor/1" is not "traceflow.trace/1"`},
		{"schema of another type", `{"schema":1}`, "no result of traceflow"},
		{"unknown object", `{"a":1}`, `it has no "schema"`},
		{"list", `[1,2]`, `it has no "schema"`},
		{"wrong type", `{"schema":"traceflow.trace/1","flows":3}`, "flows is a JSON number"},
		{"wrong protocol", strings.ReplaceAll(good, `"protocol":"udp"`, `"protocol":"\u001b[2Jsctp"`), "unknown protocol"},
		{"deep", strings.Repeat("[", 1<<20), "exceeded max depth"},
		{"RIPE Atlas", `[{"fw":5080,"af":4,"dst_addr":"203.0.113.9","msm_id":1,"prb_id":2,"type":"traceroute","result":[]}]`, foreign("RIPE Atlas")},
		{"scamper", `{"type":"cycle-start","list_name":"default","id":0}`, foreign("scamper")},
		{"scamper trace", `{"type":"trace","version":"0.1","hops":[]}`, foreign("scamper")},
		{"warts", "\x12\x05\x00\x01", "scamper, in its binary form"},
		{"mtr", `{"report":{"mtr":{"src":"a"},"hubs":[]}}`, foreign("mtr")},
		{"trippy", `{"info":{"target":{"ip":"203.0.113.9"}},"hops":[]}`, foreign("trippy")},
		{"Globalping", `{"id":"a","type":"mtr","status":"finished","results":[]}`, foreign("Globalping")},
		{"dublin-traceroute", `{"flows":{"33434":[]}}`, foreign("dublin-traceroute")},
		{"Python traceflow", `data = '{"nodes":[]}'`, foreign("the Python traceflow's nodes.json")},
		{"its JSON", `{"nodes":[],"edges":[]}`, foreign("the Python traceflow's nodes.json")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := show(t, strings.NewReader(tt.in), "-")
			refused(t, got, "traceflow: standard input: ", tt.want)
			if got.out != "" {
				t.Errorf("shown all the same: %s", got.out)
			}
			// Two that are good come before it.
			got = show(t, strings.NewReader(good+good+tt.in), "--format", "ndjson", "-")
			if got.out != good+good {
				t.Errorf("the first two are not shown, but\n%s", got.out)
			}
			if strings.TrimSpace(tt.in) != "" {
				refused(t, got, "traceflow: standard input: result 3: ", "")
			}
		})
	}
}

func refused(t *testing.T, got outcome, begin, want string) {
	t.Helper()
	line, _ := strings.CutSuffix(got.err, "\n")
	if got.code != exitInternal || !strings.HasPrefix(line, begin) || !strings.Contains(line, want) || strings.ContainsAny(line, "\n\x1b") {
		t.Errorf("exit code %d, %q, want 1 and one line of %q", got.code, got.err, want)
	}
}

// endless is a document that does not end.
type endless struct {
	begun bool
	read  int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	if !e.begun {
		e.begun = true
		n = copy(p, `{"schema":"traceflow.trace/1","version":"`)
	}
	for i := range p[n:] {
		p[n+i] = 'a'
	}
	e.read += int64(len(p))
	return len(p), nil
}

// TestShowIsBounded has documents that are too large, in bytes and in values:
// they are refused, and not read to their end.
func TestShowIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 256 MiB")
	}
	in := &endless{}
	refused(t, show(t, in, "-"), "traceflow: standard input: ", "a result of more than 256 MiB is too large")
	if in.read > 2*largestResult {
		t.Errorf("%d bytes were read", in.read)
	}
	for _, element := range []string{"null", "{}", "1"} {
		in := `{"schema":"traceflow.trace/1","exchanges":[` + strings.Repeat(element+",", mostValues) + element + `]}`
		refused(t, show(t, strings.NewReader(in), "-"), "traceflow: standard input: ", "too large")
	}
}

func FuzzReadResult(f *testing.F) {
	good, err := os.ReadFile("../../render/testdata/ipv4.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`[{"fw":1,"msm_id":2}]`))
	f.Add([]byte(`{"report":{"hubs":[]}}`))
	f.Add([]byte("data = '{}'"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out, stderr bytes.Buffer
		code := Run(t.Context(), Env{In: bytes.NewReader(data), Out: &out, Err: &stderr}, []string{"show", "--format", "ndjson", "-"})
		if code != exitOK && code != exitInternal || (code == exitOK) != (stderr.Len() == 0) || strings.Count(stderr.String(), "\n") > 1 {
			t.Errorf("exit code %d, %q", code, stderr.String())
		}
	})
}
