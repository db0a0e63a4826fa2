// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
)

// TestAutoTakesBuiltinTopologies looks for every path of every network of both
// families, in virtual time: the document obeys the schema, agrees with
// itself, and comes out the same when it is read and written again.
func TestAutoTakesBuiltinTopologies(t *testing.T) {
	loose, strict := schemas(t)
	families := make(map[string]int)
	for _, name := range networks() {
		for _, family := range []string{"-4", "-6"} {
			t.Run(name+family, func(t *testing.T) {
				got := traceSim(t, "--sim", name, family, "--json", "--quiet")
				if got.code == exitUsage && strings.Contains(got.err, "of that family") {
					return
				}
				families[family]++
				if got.code != exitOK && got.code != exitNotReached || got.err != "" {
					t.Errorf("exit code %d, %s", got.code, got.err)
				}
				if n, err := validate(loose, strict, []byte(got.out)); n != 1 || err != nil {
					t.Errorf("%d documents: %v", n, err)
				}
				agrees(t, got.out)
				again(t, got.out)
			})
		}
	}
	if !testing.Short() && (families["-4"] < 30 || families["-6"] < 30) {
		t.Errorf("traced too few networks: %v", families)
	}
}

// agrees checks that the parts of a document say the same.
func agrees(t *testing.T, document string) {
	t.Helper()
	var d struct {
		Reached bool
		Flows   []struct {
			ID, Path int
			Reached  bool
			End      string
		}
		Paths []struct {
			ID      int
			Flows   []int
			Reached bool
		}
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	reached := make(map[int]bool)
	for _, f := range d.Flows {
		reached[f.Path] = reached[f.Path] || f.Reached
		if f.Reached && f.End != "reached" && f.End != "inferred" || f.End == "reached" && !f.Reached {
			t.Errorf("flow %d: reached %t, end %s", f.ID, f.Reached, f.End)
		}
		if f.Reached && !d.Reached {
			t.Errorf("flow %d reached what nobody reached", f.ID)
		}
	}
	for _, p := range d.Paths {
		if p.Reached && !reached[p.ID] {
			t.Errorf("path %d was reached by none of its flows", p.ID)
		}
	}
}

// balancer is what the exchanges of a document do not tell.
var balancer = regexp.MustCompile(`"balancer": "[a-z-]+"`)

// again reads a document and writes it.
func again(t *testing.T, document string) {
	t.Helper()
	var read traceflow.Trace
	if err := json.Unmarshal([]byte(document), &read); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(&read)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(balancer.ReplaceAllString(document, ""), balancer.ReplaceAllString(b.String()+"\n", "")); diff != "" {
		t.Errorf("(-written +read and written)\n%s", diff)
	}
}

// TestAutoSeed wants the same flows, in the same order, for the same seed.
func TestAutoSeed(t *testing.T) {
	for _, axis := range []string{"srcport", "dstport", "both", "dst", "label"} {
		run := func(seed string) []string {
			args := []string{"--sim", "d", "--seed", seed, "--vary", axis, "--json", "--quiet"}
			if axis == "label" {
				args = append(args, "-6")
			}
			got := traceSim(t, args...)
			var read traceflow.Trace
			if err := json.Unmarshal([]byte(got.out), &read); err != nil {
				t.Fatalf("%v: %s", err, got.err)
			}
			var flows []string
			for _, f := range read.Flows {
				flows = append(flows, fmt.Sprintf("%d %d %d %d %s", f.ID, f.SourcePort, f.DestinationPort, f.Label, f.Destination))
			}
			return flows
		}
		first, second, other := run("7"), run("7"), run("8")
		n := min(len(first), len(second), len(other))
		if n < 8 {
			t.Fatalf("%s: only %d flows", axis, n)
		}
		if diff := cmp.Diff(first[:n], second[:n]); diff != "" {
			t.Errorf("%s: one seed, other flows (-first +second)\n%s", axis, diff)
		}
		if cmp.Equal(first[:n], other[:n]) {
			t.Errorf("%s: two seeds, the same flows", axis)
		}
	}
}

// TestAutoRunsOut has a time limit end the search on slow networks.
func TestAutoRunsOut(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"--sim", "far", "--time-limit", "0.04"}, exitNotReached, []string{"1 path, which does not reach the destination.\n", "no link up to TTL "}},
		{[]string{"--sim", "d", "--time-limit", "0.1"}, exitOK, []string{" fell short because of the time limit"}},
		{[]string{"--sim", "rl-b", "--time-limit", "1"}, exitOK, []string{" fell short because of a rate limit"}},
	} {
		args := append([]string{"--quiet"}, tt.args...)
		got := traceSim(t, args...)
		if got.code != tt.code || got.err != "" {
			t.Errorf("%v: exit code %d, %s", tt.args, got.code, got.err)
		}
		for _, want := range tt.want {
			if !strings.Contains(got.out, want) {
				t.Errorf("%v: no %q in\n%s", tt.args, want, got.out)
			}
		}
		if document := traceSim(t, append(args, "--json")...).out; !strings.Contains(document, `"stop_reason": "time-limit"`) {
			t.Errorf("%v: not stopped by the time limit", tt.args)
		}
	}
}
