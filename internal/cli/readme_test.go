// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// example is a command in a document and what it is said to print:
//
//	$ traceflow --sim d --format dot
//	digraph …
//
// A line "…" stands for any number of lines, and within a line "…" for anything.
//
// A block with ```` may hold some with ```; where the reader is to see a drawing,
// the command is a comment.
var examples = []*regexp.Regexp{
	fenced("````"), fenced("```"),
	regexp.MustCompile("(?m)^<!-- \\$ traceflow (.*--sim .*) -->\n```mermaid\n((?s:.*?))^```$"),
}

func fenced(fence string) *regexp.Regexp {
	return regexp.MustCompile("(?m)^" + fence + "[a-z]+\n\\$ traceflow (.*--sim .*|diff .*)\n((?s:.*?))^" + fence + "$")
}

// TestREADME runs the simulated commands of the README, and compares the files that
// they write.
func TestREADME(t *testing.T) {
	file, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	formats := make(map[string]bool)
	text := string(data)
	run := func(example *regexp.Regexp, block string) string {
		parts := example.FindStringSubmatch(block)
		args := strings.Fields(parts[1])
		got := traceSim(t, args...)
		if want := map[string]int{"diff": 2}[args[0]]; got.code != want {
			t.Errorf("traceflow %s: exit code %d: %s", parts[1], got.code, got.err)
		}
		format := "text"
		for i, arg := range args {
			if arg == "--format" {
				format = args[i+1]
			}
		}
		if args[0] != "diff" && args[0] != "snapshot" {
			formats[format] = true
		}
		if matches(parts[2], got.out) {
			return block
		}
		if !*update {
			t.Errorf("traceflow %s (-README +got)\n%s", parts[1], cmp.Diff(parts[2], got.out))
		}
		return strings.TrimSuffix(block, parts[2]+block[strings.LastIndex(block, "\n")+1:]) + got.out + block[strings.LastIndex(block, "\n")+1:]
	}
	for _, example := range examples {
		text = example.ReplaceAllStringFunc(text, func(block string) string { return run(example, block) })
	}
	for _, format := range writtenFormats() {
		if !formats[format] {
			t.Errorf("no example of --format %s", format)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// matches reports whether an output is what an example says.
func matches(example, output string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(example) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*"))
		}
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(output)
}
