// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/rendertest"
	"traceflow/render"
)

// hostileTexts are names as somebody may choose them for his hosts, interfaces,
// networks and exchange points.
var hostileTexts = []struct{ name, text string }{
	{"HTML", `<script>alert("x")</script><img src=x onerror=alert(1)>`},
	{"an entity", `&lt;script&gt;&#60;b&#62;&quot;]`},
	{"a terminal escape", "\x1b[31mred\x1b]0;title\a\x1b[2J"},
	{"C1 controls", "a\u009b31mred\u0085b\u009d0;title\u009c"},
	{"backspaces and returns", "safe\b\b\b\bevil\rover\v\f\t\x7f"},
	{"marks of direction", "abc\u202egnp.exe\u202c \u2066\u2067\u2069 \u200e\u200f\u061c"},
	{"invisible characters", "a\u200bb\u00adc\ufeffd\u2060e\U000e0041f\ue000g"},
	{"line breaks", "a\nb\r\nc\u2028d\u2029e"},
	{"NUL", "a\x00b"},
	{"invalid UTF-8", "a\xff\xc3\x28\xed\xa0\x80\xf8b"},
	{"a formula", `=cmd|' /C calc'!A0`},
	{"more formulas", "@SUM(1+1)"},
	{"a formula behind a tab", "\t=1+1"},
	{"a formula behind a space", "  +1+1,=2+2\n-3"},
	{"a wide formula", "＝1＋1"},
	{"quotes of CSV", `a","b";"c` + "\n=1+1"},
	{"quotes of DOT", `"];node[label="x`},
	{"a backslash at the end", `x\`},
	{"escapes of DOT", `\N\G\"]; a -> b; //` + " /* # <b>x</b>"},
	{"an HTML label of DOT", `<<table><tr><td>x</td></tr></table>>`},
	{"quotes of Mermaid", `"] --> evil["x` + "`**b**`" + ` end subgraph`},
	{"a directive of Mermaid", "%%{init: {'theme':'x'}}%% #quot; #35;lt;"},
	{"a link of Mermaid", "x\n  click n1 href \"javascript:alert(1)\""},
	{"Markdown", "a | b || c `code` **b** _i_ [x](javascript:alert(1)) ![y](http://192.0.2.1/z) ~~s~~ # h"},
	{"Markdown, escaped", `\| \` + "`" + ` \[x\](y) \\| z`},
	{"a table's end", "|\n\n---\n# heading\n| a | b |\n```\n"},
	{"10 kB", strings.Repeat("A", 10_000)},
	{"10 kB of wide characters", strings.Repeat("漢", 3_400)},
	{"combining characters", "e" + strings.Repeat("\u0301", 1000)},
}

// plainText is a text that harms nobody, to compare with.
const plainText = "name"

// harmless says what a format may make of hostile texts. plain is what it makes of
// plainText.
type harmless struct {
	each func(t *testing.T, plain, got string, trace *traceflow.Trace)
	// wraps says that lines are broken where the terminal ends, so that there may
	// be more of them.
	wraps bool
	// all looks at the outputs of all texts at once; nil is nothing more.
	all func(t *testing.T, plain string, got []string)
}

// harmlessFormats has each format, and some that other versions have.
var harmlessFormats = map[string]harmless{
	"vert":     {each: harmlessLines},
	"horiz":    {each: harmlessLines},
	"report":   {each: harmlessLines},
	"text":     {each: harmlessLines, wraps: true},
	"csv":      {each: harmlessCSV},
	"dot":      {each: harmlessDOT, all: drawnByGraphviz},
	"mermaid":  {each: harmlessMermaid, all: drawnByMermaid},
	"markdown": {each: harmlessMarkdown},
	"json":     {each: harmlessDocument},
	"ndjson":   {each: harmlessDocument},
	"atlas":    {each: harmlessJSON},
	"scamper":  {each: harmlessJSON},
	"svg":      {each: harmlessSVG},
	"html":     {each: harmlessHTML},
}

// TestHostileText writes traces full of hostile names in every format.
func TestHostileText(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute under the race detector; make test runs it without")
	}
	document := traceSim(t, "--sim", "interfaces", "--seed", "1", "--json", "--quiet").out
	for _, format := range writtenFormats() {
		check, ok := harmlessFormats[format]
		if !ok {
			t.Errorf("harmlessFormats does not say what is harmless in %s", format)
			continue
		}
		t.Run(format, func(t *testing.T) {
			write := func(text string, o render.Options) (string, *traceflow.Trace) {
				trace := named(t, document, text)
				var b bytes.Buffer
				if err := formats[format](&b, trace, o); err != nil {
					t.Fatal(err)
				}
				return b.String(), trace
			}
			plain, _ := write(plainText, render.Options{})
			narrow, _ := write(plainText, render.Options{Width: 60})
			colored, _ := write(plainText, render.Options{Color: true})
			var all []string
			for _, tt := range hostileTexts {
				t.Run(tt.name, func(t *testing.T) {
					got, trace := write(tt.text, render.Options{})
					check.each(t, plain, got, trace)
					all = append(all, got)
					got, trace = write(tt.text, render.Options{Width: 60})
					if check.wraps {
						harmlessCharacters(t, got)
					} else {
						check.each(t, narrow, got, trace)
					}
					got, _ = write(tt.text, render.Options{Color: true})
					if strings.Count(got, "\x1b") != strings.Count(colored, "\x1b") {
						t.Errorf("other terminal escapes than with a harmless name: %q", got)
					}
				})
			}
			if check.all != nil {
				t.Run("read", func(t *testing.T) { check.all(t, plain, all) })
			}
		})
	}
}

// named reads a document and writes a text wherever strangers choose one.
func named(t *testing.T, document, text string) *traceflow.Trace {
	t.Helper()
	var trace traceflow.Trace
	if err := json.Unmarshal([]byte(document), &trace); err != nil {
		t.Fatal(err)
	}
	trace.Destination.Name, trace.VantagePoint.Hostname, trace.VantagePoint.Interface = text, text, text
	told := 0
	for i := range trace.Exchanges {
		for j := range trace.Exchanges[i].Reply.Interfaces {
			trace.Exchanges[i].Reply.Interfaces[j].Name = text
			told++
		}
	}
	trace.Graph = traceflow.NewGraph(trace.Graph.Walks, trace.Exchanges)
	trace.DataSets = []traceflow.DataSet{{Name: text, Kind: text, SHA256: text, Licence: text}}
	trace.Annotations = nil // of the network's own
	as := make(map[netip.Addr]uint32)
	for i := range trace.Graph.Nodes {
		if n := &trace.Graph.Nodes[i]; n.IsValid() {
			as[n.Address] = 64500 + uint32(n.TTL)
		}
	}
	for _, address := range slices.SortedFunc(maps.Keys(as), netip.Addr.Compare) {
		trace.Annotations = append(trace.Annotations, traceflow.Annotation{
			Address:  address,
			Hostname: traceflow.Hostname{Name: text, Source: text},
			Origin:   traceflow.Origin{ASNs: []uint32{as[address]}, Name: text, Source: text},
			Place:    traceflow.Place{Country: text, City: text, Source: text},
			Port:     traceflow.Port{IXP: text, Member: as[address], MemberName: text, Source: text},
		})
	}
	if told == 0 || len(trace.Annotations) < 4 {
		t.Fatalf("%d interfaces and %d annotations are too few", told, len(trace.Annotations))
	}
	return &trace
}

// harmlessLines wants as many lines as of a harmless name, all of them printable
// and none endless.
func harmlessLines(t *testing.T, plain, got string, _ *traceflow.Trace) {
	t.Helper()
	harmlessCharacters(t, got)
	if strings.Count(got, "\n") != strings.Count(plain, "\n") {
		t.Errorf("%d lines, of a harmless name %d:\n%s", strings.Count(got, "\n"), strings.Count(plain, "\n"), got)
	}
}

// harmlessCharacters wants printable ones, and not too many in a row.
func harmlessCharacters(t *testing.T, got string) {
	t.Helper()
	onlyPrintable(t, got)
	if strings.Contains(got, strings.Repeat("A", 300)) || strings.Contains(got, strings.Repeat("漢", 300)) {
		t.Errorf("an endless line")
	}
}

// harmlessSVG wants the same elements as of a harmless name.
func harmlessSVG(t *testing.T, plain, got string, _ *traceflow.Trace) {
	t.Helper()
	// The heading has as many lines as its words take.
	heading := regexp.MustCompile(`(?m)^(<text class="head"[^<>\n]*>[^<>\n]*</text>\n)+`)
	one := "<text class=\"head\"></text>\n"
	plain, got = heading.ReplaceAllString(plain, one), heading.ReplaceAllString(got, one)
	harmlessLines(t, plain, got, nil)
	elements := func(text string) []string {
		var out []string
		for dec := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				return out
			}
			if err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if e, ok := token.(xml.StartElement); ok {
				out = append(out, e.Name.Local)
			}
		}
	}
	if diff := cmp.Diff(elements(plain), elements(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// harmlessHTML wants the same elements as of a harmless name: where a name could
// begin one, or end the script that holds the data, there would be more.
func harmlessHTML(t *testing.T, plain, got string, _ *traceflow.Trace) {
	t.Helper()
	harmlessLines(t, plain, got, nil)
	if got, want := strings.Count(got, "<"), strings.Count(plain, "<"); got != want {
		t.Errorf("%d times <, of a harmless name %d", got, want)
	}
}

// onlyPrintable wants characters that can be seen, and line breaks.
func onlyPrintable(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			t.Errorf("%q at %q", r, text[max(0, i-20):min(len(text), i+20)])
			return
		}
	}
}

// harmlessCSV wants rows as of a harmless name, in which no cell is a formula.
func harmlessCSV(t *testing.T, plain, got string, trace *traceflow.Trace) {
	t.Helper()
	harmlessLines(t, plain, got, trace)
	read := func(text string) [][]string {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll() // wants rows of one length
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	want, rows := read(plain), read(got)
	if len(rows) != len(want) {
		t.Fatalf("%d rows, of a harmless name %d", len(rows), len(want))
	}
	for i, row := range rows {
		for j, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(cell)[0]) {
				t.Errorf("a formula in %s: %q", rows[0][j], cell)
			}
			if ours := want[i][j] != plainText; ours && cell != want[i][j] {
				t.Errorf("%s is %q, beside a harmless name %q", rows[0][j], cell, want[i][j])
			}
		}
	}
}

var (
	dotString     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	mermaidString = regexp.MustCompile(`"[^"]*"`)
	// mermaidSafe is what a label may hold: words, and entities.
	mermaidSafe = regexp.MustCompile(`^"(?:[\pL\pN .,:/%()-]|#[0-9]+;|<br/>)*"$`)
)

// harmlessDOT wants the same but for what is in strings.
func harmlessDOT(t *testing.T, plain, got string, trace *traceflow.Trace) {
	t.Helper()
	harmlessLines(t, plain, got, trace)
	if diff := cmp.Diff(dotString.ReplaceAllString(plain, ""), dotString.ReplaceAllString(got, "")); diff != "" {
		t.Errorf("(-harmless +got)\n%s", diff)
	}
}

// harmlessMermaid wants the same but for strings and comments, and nothing in
// strings that means something.
func harmlessMermaid(t *testing.T, plain, got string, trace *traceflow.Trace) {
	t.Helper()
	harmlessLines(t, plain, got, trace)
	comment := regexp.MustCompile(`(?m)^  %% [^{}]*$`)
	bare := func(text string) string {
		return mermaidString.ReplaceAllString(comment.ReplaceAllString(text, ""), "")
	}
	if diff := cmp.Diff(bare(plain), bare(got)); diff != "" {
		t.Errorf("(-harmless +got)\n%s", diff)
	}
	for _, s := range mermaidString.FindAllString(comment.ReplaceAllString(got, ""), -1) {
		if !mermaidSafe.MatchString(s) {
			t.Errorf("not harmless: %s", s)
		}
	}
}

// shape is a drawing without its labels.
func shape(d rendertest.Drawing) rendertest.Drawing {
	d.Labels = nil
	return d
}

func drawnByGraphviz(t *testing.T, plain string, got []string) {
	t.Helper()
	drawings := rendertest.DOT(t, plain+strings.Join(got, ""))
	sameShapes(t, drawings, len(got))
}

func drawnByMermaid(t *testing.T, plain string, got []string) {
	t.Helper()
	sameShapes(t, rendertest.Mermaid(t, append([]string{plain}, got...)...), len(got))
}

// sameShapes wants drawings of texts that are all as the first.
func sameShapes(t *testing.T, drawings []rendertest.Drawing, texts int) {
	t.Helper()
	if len(drawings) != texts+1 || drawings[0].Nodes < 5 {
		t.Fatalf("%d drawings, want %d", len(drawings), texts+1)
	}
	for i, d := range drawings {
		if diff := cmp.Diff(shape(drawings[0]), shape(d)); diff != "" {
			t.Errorf("drawing %d (-harmless +got)\n%s", i, diff)
		}
	}
}

var (
	// In Markdown a fence begins a block of code, which ends with a longer one or
	// one as long; so do backticks within a line. A backslash makes most signs
	// text.
	markdownFence = regexp.MustCompile("^`{3,}")
	escapedSign   = regexp.MustCompile(`\\[!-/:-@\[-` + "`" + `{-~]`)
	backticks     = regexp.MustCompile("`+")
)

// harmlessMarkdown wants as many columns in each line as with a harmless name, and
// no HTML, link or image outside of code.
func harmlessMarkdown(t *testing.T, plain, got string, trace *traceflow.Trace) {
	t.Helper()
	harmlessLines(t, plain, got, trace)
	want, lines := bareMarkdown(plain), bareMarkdown(got)
	if len(want) != len(lines) {
		t.Fatalf("%d lines outside of blocks of code, with a harmless name %d:\n%s", len(lines), len(want), got)
	}
	for i, line := range lines {
		for _, sign := range []string{"|", "<", "](", "![", "&", "://", "#"} {
			if strings.Count(line, sign) != strings.Count(want[i], sign) {
				t.Errorf("%q brings %q into %.300q", trace.Destination.Name, sign, line)
			}
		}
	}
}

// bareMarkdown returns the lines outside of blocks of code, without spans of code
// and escaped signs. In rows of tables even code may hold no bare "|".
func bareMarkdown(text string) (out []string) {
	fence := ""
	for line := range strings.Lines(text) {
		if f := markdownFence.FindString(line); f != "" && (fence == "" || len(f) >= len(fence)) {
			if fence == "" {
				fence = f
			} else {
				fence = ""
			}
			continue
		}
		if fence != "" {
			continue
		}
		pipes := ""
		if strings.HasPrefix(line, "|") {
			line = strings.ReplaceAll(line, `\|`, "")
			pipes = strings.Repeat("|", strings.Count(line, "|"))
			line = strings.ReplaceAll(line, "|", " ")
		}
		out = append(out, pipes+strings.ReplaceAll(bareSpans(line), "|", ""))
	}
	return out
}

func bareSpans(line string) string {
	bare := ""
	for line != "" {
		if at := escapedSign.FindStringIndex(line); at != nil && at[0] == 0 {
			line = line[2:]
			continue
		}
		run := backticks.FindString(line)
		if run == "" || !strings.HasPrefix(line, run) {
			bare, line = bare+line[:1], line[1:]
			continue
		}
		line = line[len(run):]
		for _, end := range backticks.FindAllStringIndex(line, -1) {
			if end[1]-end[0] == len(run) {
				line = line[end[1]:]
				break
			}
		}
	}
	return bare
}

// harmlessJSON wants documents without anything that a terminal would act on.
func harmlessJSON(t *testing.T, _, got string, _ *traceflow.Trace) {
	t.Helper()
	onlyPrintable(t, got)
	d := json.NewDecoder(strings.NewReader(got))
	for {
		var value any
		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in %.200s", err, got)
		}
	}
}

// harmlessDocument wants the texts back as they were.
func harmlessDocument(t *testing.T, plain, got string, trace *traceflow.Trace) {
	t.Helper()
	harmlessJSON(t, plain, got, trace)
	var read traceflow.Trace
	if err := json.Unmarshal([]byte(got), &read); err != nil {
		t.Fatal(err)
	}
	if want := utf8Only(trace.Destination.Name); read.Destination.Name != want {
		t.Errorf("%.200q came back as %.200q", want, read.Destination.Name)
	}
}

// utf8Only is what JSON can hold of a text: a mark for each byte that is none.
func utf8Only(s string) string { return string([]rune(s)) }
