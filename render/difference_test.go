// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/render"
)

// sides are the flows of a target before and after, as those of golden.
type sides struct {
	name          string
	before, after []string
}

// times repeats lines.
func times(n int, lines ...string) (out []string) {
	for range n {
		out = append(out, lines...)
	}
	return out
}

const (
	memberA = "192.0.2.1 198.51.100.1 198.51.100.129 203.0.113.9"
	memberB = "192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9"
	memberC = "192.0.2.1 198.51.100.3 198.51.100.129 203.0.113.9"
	away    = "192.0.2.1 198.51.100.66 198.51.100.67 203.0.113.9"
	away2   = "192.0.2.1 198.51.100.68 198.51.100.67 203.0.113.9"
	broken  = "192.0.2.1 198.51.100.1 * *"
)

// differences are pairs of snapshots for tests of what is written of them.
var differences = []struct {
	name    string
	targets []sides
	expect  []plan.Expectation
	moving  bool
}{
	{name: "same", targets: []sides{{"www.example.net", times(8, memberA, memberB), times(8, memberA, memberB)}}},
	{name: "width", targets: []sides{{"www.example.net", times(6, memberA, memberB, memberC), times(6, memberA, memberB, memberB)}}},
	{
		name: "expected", targets: []sides{{"www.example.net", times(6, memberA, memberB, memberC), times(6, memberA, memberB, memberB)}},
		expect: []plan.Expectation{{Kind: "width", From: 3, To: 2}},
	},
	{
		name: "missing", targets: []sides{{"www.example.net", times(8, memberA, memberB), times(8, memberA, memberB)}},
		expect: []plan.Expectation{{Kind: "width", From: 3, To: 2}},
	},
	{name: "lost", targets: []sides{{"www.example.net", times(8, memberA, memberB), times(16, broken)}}},
	{name: "rerouted", targets: []sides{{"www.example.net", times(8, memberA, memberB), times(8, away, away2)}}},
	{name: "unsettled", targets: []sides{{"www.example.net", times(8, memberA, memberB), times(8, memberA, memberB)}}, moving: true},
	{name: "three", targets: []sides{
		{"a.example.net", times(8, memberA, memberB), times(8, away, away2)},
		{"b.example.net", times(8, memberA, memberB), times(8, away, away2)},
		{"c.example.net", times(8, memberA, memberB), times(16, broken)},
	}},
}

// snapshotOf is two passes over targets.
func snapshotOf(t *testing.T, started time.Time, targets []sides, flows func(sides) []string) *snapshot.Snapshot {
	t.Helper()
	s := &snapshot.Snapshot{Manifest: snapshot.Manifest{
		Schema: snapshot.Schema, Name: "CHG-1", Passes: 2, Wire: "sim", Started: started, Ended: started.Add(time.Minute), Complete: true,
	}}
	for _, target := range targets {
		one := snapshot.Target{TargetHead: snapshot.TargetHead{Name: target.name, Address: "203.0.113.9", Source: "192.0.2.10"}}
		for range 2 {
			g := golden{ends: ipv4, flows: flows(target)}
			pass := g.trace(t)
			pass.Destination.Name = target.name
			one.Passes = append(one.Passes, pass)
		}
		s.Targets = append(s.Targets, one)
	}
	return s
}

func differenceNamed(t *testing.T, name string) *render.Difference {
	t.Helper()
	for _, x := range differences {
		if x.name != name {
			continue
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		d := &render.Difference{
			Before: render.Compared{File: "before.tfs", Snapshot: snapshotOf(t, at, x.targets, func(s sides) []string { return s.before })},
			After:  render.Compared{File: "after.tfs", Snapshot: snapshotOf(t, at.Add(time.Hour), x.targets, func(s sides) []string { return s.after })},
		}
		var err error
		if d.Report, err = diff.Snapshots(d.Before.Snapshot, d.After.Snapshot, x.expect, plan.Policy{}); err != nil {
			t.Fatal(err)
		}
		if x.moving {
			d.Settled = new(bool)
		}
		return d
	}
	t.Fatalf("no difference %s", name)
	return nil
}

type differenceFormat func(io.Writer, *render.Difference, render.Options) error

var differenceWriters = map[string]differenceFormat{
	"txt": render.DifferenceText, "md": render.DifferenceMarkdown, "json": render.DifferenceJSON, "xml": render.DifferenceJUnit,
}

func differenceAs(t *testing.T, write differenceFormat, d *render.Difference, o render.Options) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDifferenceGolden(t *testing.T) {
	for _, x := range differences {
		for format, write := range differenceWriters {
			t.Run(x.name+"."+format, func(t *testing.T) {
				got := differenceAs(t, write, differenceNamed(t, x.name), render.Options{})
				checkGolden(t, filepath.Join("testdata", "diff", x.name+"."+format), got)
			})
		}
	}
}

// TestDifferenceVerdict wants the answer in the first word, and the exit code that
// goes with it.
func TestDifferenceVerdict(t *testing.T) {
	tests := []struct {
		name, word string
		severity   diff.Severity
	}{
		{"same", "OK", diff.Ignored},
		{"width", "REGRESSION", diff.Regression},
		{"expected", "OK", diff.Info},
		{"missing", "CHANGE", diff.Review},
		{"lost", "REGRESSION", diff.Regression},
		{"rerouted", "CHANGE", diff.Review},
		{"unsettled", "INCONCLUSIVE", diff.Inconclusive},
		{"three", "REGRESSION", diff.Regression},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := differenceNamed(t, tt.name)
			if word, line := d.Verdict(); word != tt.word || line == "" || d.Severity() != tt.severity {
				t.Errorf("%s %q, %v; want %s, %v", word, line, d.Severity(), tt.word, tt.severity)
			}
			if text := differenceAs(t, render.DifferenceText, d, render.Options{Width: 80}); !strings.HasPrefix(text, tt.word+": ") {
				t.Errorf("does not begin with %s:\n%s", tt.word, text)
			}
		})
	}
}

// evil is text as strangers write it.
const evil = "a\x1b[31mb\u202ec\u2066\rd\ne\u009bf\xffg\u2028|h`i*j<k>&l]]>m\"n'o_p[q](http://r)@s #t $u$ </failure><script>"

// hostileDifference is a difference in which every text is evil.
func hostileDifference(t *testing.T, events int) *render.Difference {
	t.Helper()
	d := differenceNamed(t, "width")
	d.Before.File, d.After.File = evil, strings.Repeat(evil, 100)
	d.Before.Snapshot.Manifest.Name, d.After.Snapshot.Manifest.Name = evil, evil
	for _, s := range []*snapshot.Snapshot{d.Before.Snapshot, d.After.Snapshot} {
		for i := range s.Targets {
			s.Targets[i].Name = evil
		}
	}
	d.Report = &diff.Report{Severity: diff.Regression, Left: []diff.Reason{{Target: evil, What: evil}, {What: evil}, {What: evil}, {What: evil}, {What: evil}, {What: evil}}}
	for i := range 40 {
		d.Report.Targets = append(d.Report.Targets, diff.Target{
			Name: evil, Address: netip.MustParseAddr("203.0.113.9"), Flows: 16, LossFloor: 0.02, Severity: diff.Severity(i % 5),
		})
	}
	for i := range events {
		severity := diff.Regression - diff.Severity(min(3, i/4))
		d.Report.Changes = append(d.Report.Changes, diff.Change{
			Kind: diff.Kinds()[i%len(diff.Kinds())], Target: i % 40, Severity: severity, Confidence: traceflow.ConfidenceHigh, P: 0.0123,
			Flows: []int{1, 2}, Of: 16, TTL: 3, Before: evil, After: evil, Cause: -1,
		})
		d.Report.Events = append(d.Report.Events, diff.Event{
			Kind: d.Report.Changes[i].Kind, Severity: severity, Changes: []int{i}, Targets: []int{i % 40, (i + 1) % 40}, Title: strings.Repeat(evil+" ", 1+i%3),
		})
	}
	return d
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestDifferenceFits wants the text on one screen of 80 columns, whatever happened.
func TestDifferenceFits(t *testing.T) {
	pairs := map[string]*render.Difference{"hostile": hostileDifference(t, 100), "few": hostileDifference(t, 3)}
	for _, x := range differences {
		pairs[x.name] = differenceNamed(t, x.name)
	}
	for name, d := range pairs {
		for _, o := range []render.Options{{}, {Width: 80}, {Width: 80, Color: true}, {Width: 80, ASCII: true}, {Width: 132}} {
			t.Run(fmt.Sprintf("%s %+v", name, o), func(t *testing.T) {
				text := differenceAs(t, render.DifferenceText, d, o)
				lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
				most := 24
				if name == "hostile" || name == "few" {
					most = 40 // names of 200 letters take lines of their own
				}
				if len(lines) > most {
					t.Errorf("%d lines:\n%s", len(lines), text)
				}
				width := max(o.Width, 80)
				for _, line := range lines {
					plain := escapes.ReplaceAllString(line, "")
					if n := utf8.RuneCountInString(plain); n > width && strings.Contains(strings.TrimSpace(plain), " ") && name != "hostile" && name != "few" {
						t.Errorf("%d columns: %q", n, line)
					}
					for _, r := range plain {
						if !unicode.IsPrint(r) || o.ASCII && r > unicode.MaxASCII {
							t.Errorf("%q in %q", r, line)
						}
					}
				}
			})
		}
	}
}

// TestDifferenceHostile wants text of strangers to be text in every form.
func TestDifferenceHostile(t *testing.T) {
	d := hostileDifference(t, 100)
	for format, write := range differenceWriters {
		t.Run(format, func(t *testing.T) {
			out := differenceAs(t, write, d, render.Options{})
			for line := range strings.Lines(out) {
				for _, r := range strings.TrimSuffix(line, "\n") {
					if format != "json" && !unicode.IsPrint(r) {
						t.Fatalf("%q in %q", r, line)
					}
				}
			}
			switch format {
			case "md":
				markdownIsInert(t, out)
			case "json":
				differenceObeysSchema(t, out)
			case "xml":
				junitHolds(t, out, 40)
			}
		})
	}
}

// unescaped is what makes markup, a link or a mention.
var unescaped = regexp.MustCompile(`(^|[^\\])(<script>|\]\(http|\*j<|@s)`)

// markdownIsInert looks for what would be more than text.
func markdownIsInert(t *testing.T, out string) {
	t.Helper()
	table := regexp.MustCompile(`(?m)^\|.*\|$`).FindAllString(out, -1)
	for _, row := range table {
		if cells := strings.Count(strings.ReplaceAll(row, `\|`, ""), "|"); cells != 6 {
			t.Errorf("%d bars, not 6: %s", cells, row)
		}
	}
	if len(table) < 50 {
		t.Errorf("%d rows", len(table))
	}
	for line := range strings.Lines(out) {
		outside := regexp.MustCompile("``[^`].*?``|`[^`]*`").ReplaceAllString(strings.ReplaceAll(line, "\\`", ""), "")
		if bad := unescaped.FindString(outside); bad != "" {
			t.Errorf("%s outside code: %s", bad, line)
		}
	}
}

// junit is what a CI system reads.
type junit struct {
	XMLName  xml.Name `xml:"testsuite"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Cases    []struct {
		Name    string    `xml:"name,attr"`
		Failure *struct{} `xml:"failure"`
		Error   *struct{} `xml:"error"`
	} `xml:"testcase"`
}

// junitHolds reads XML strictly, and wants its counts to be true.
func junitHolds(t *testing.T, out string, cases int) {
	t.Helper()
	var s junit
	d := xml.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if space, ok := token.(xml.CharData); err != nil || !ok || len(bytes.TrimSpace(space)) > 0 {
			t.Fatalf("behind the document: %v, %v", token, err)
		}
	}
	failures, broken := 0, 0
	for _, c := range s.Cases {
		if c.Failure != nil {
			failures++
		}
		if c.Error != nil {
			broken++
		}
		if c.Name == "" {
			t.Error("a case without a name")
		}
	}
	if s.Tests != cases || len(s.Cases) != cases || s.Failures != failures || s.Errors != broken {
		t.Errorf("says %d tests, %d failures, %d errors; has %d, %d, %d; want %d", s.Tests, s.Failures, s.Errors, len(s.Cases), failures, broken, cases)
	}
}

func TestDifferenceJUnit(t *testing.T) {
	tests := []struct {
		name             string
		cases            int
		failures, errors int
	}{
		{"same", 1, 0, 0}, {"width", 1, 1, 0}, {"missing", 2, 0, 0}, {"unsettled", 2, 0, 1}, {"three", 3, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := differenceAs(t, render.DifferenceJUnit, differenceNamed(t, tt.name), render.Options{})
			junitHolds(t, out, tt.cases)
			if want := fmt.Sprintf(`failures="%d" errors="%d"`, tt.failures, tt.errors); !strings.Contains(out, want) {
				t.Errorf("no %s in\n%s", want, out)
			}
		})
	}
}

// differenceObeysSchema holds a document against the published schema.
func differenceObeysSchema(t *testing.T, out string) {
	t.Helper()
	file, err := os.ReadFile("../docs/traceflow.diff.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(document)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("diff.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("diff.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
}

// closeObjects allows no key that the schema does not list.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if s["type"] == "object" {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			closeObjects(v)
		}
	case []any:
		for _, v := range s {
			closeObjects(v)
		}
	}
}

// TestDifferenceSchema also wants the schema to know every kind of change.
func TestDifferenceSchema(t *testing.T) {
	for _, x := range differences {
		t.Run(x.name, func(t *testing.T) {
			differenceObeysSchema(t, differenceAs(t, render.DifferenceJSON, differenceNamed(t, x.name), render.Options{}))
		})
	}
	t.Run("kinds", func(t *testing.T) {
		d := hostileDifference(t, len(diff.Kinds()))
		out := differenceAs(t, render.DifferenceJSON, d, render.Options{})
		differenceObeysSchema(t, out)
		var read struct{ Changes []struct{ Kind diff.Kind } }
		if err := json.Unmarshal([]byte(out), &read); err != nil || len(read.Changes) != len(diff.Kinds()) {
			t.Errorf("%d changes: %v", len(read.Changes), err)
		}
	})
}

func TestDifferenceWriteErrors(t *testing.T) {
	d := differenceNamed(t, "width")
	writers := map[string]differenceFormat{"svg": render.DifferenceSVG, "html": render.DifferenceHTML}
	maps.Copy(writers, differenceWriters)
	for format, write := range writers {
		if err := write(brokenWriter{}, d, render.Options{}); err == nil {
			t.Errorf("%s: no error from a writer that is closed", format)
		}
	}
}

// TestDifferenceKeysAreExplained wants every key of the schema in docs/diff.md.
func TestDifferenceKeysAreExplained(t *testing.T) {
	schema, err := os.ReadFile("../docs/traceflow.diff.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/diff.md")
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(schema, &read); err != nil {
		t.Fatal(err)
	}
	keys := read.Properties
	for _, d := range read.Defs {
		for key := range d.Properties {
			keys[key] = true
		}
	}
	if len(keys) < 30 {
		t.Errorf("%d keys", len(keys))
	}
	for key := range keys {
		if !bytes.Contains(text, []byte("`"+key+"`")) {
			t.Errorf("docs/diff.md does not explain %s", key)
		}
	}
}
