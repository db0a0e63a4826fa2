// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDisplayWidth(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
	}{
		{"nothing", "", 0},
		{"ASCII", "router.example", 14},
		{"Latin with accents", "grüße", 5},
		{"combining accent", "e\u0301a", 2},
		{"combining over wide", "か\u3099", 2},
		{"Han", "東京", 4},
		{"Hangul", "서울", 4},
		{"full-width", "ＡＢ", 4},
		{"half-width Kana", "ｱｲ", 2},
		{"pictograph", "🚀", 2},
		{"drawing", "├─┬ …→", 6},
		{"replacement", "\uFFFD", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := displayWidth(tt.text); got != tt.want {
				t.Errorf("displayWidth(%q) = %d, want %d", tt.text, got, tt.want)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	tests := []struct {
		text        string
		width       int
		end, middle string
	}{
		{"short", 5, "short", "short"},
		{"abcdefghij", 5, "abcd…", "ab…ij"},
		{"abcdefghij", 6, "abcde…", "abc…ij"},
		{"abcdefghij", 1, "…", "…"},
		{"ab cdefghij", 4, "ab…", "ab…j"},
		{"東京大阪名古屋", 6, "東京…", "東…屋"},
		{"abcdefe\u0301", 4, "abc…", "ab…e\u0301"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got := shortenEnd(tt.text, "…", tt.width); got != tt.end {
				t.Errorf("at the end to %d: %q, want %q", tt.width, got, tt.end)
			}
			if got := shortenMiddle(tt.text, "…", tt.width); got != tt.middle {
				t.Errorf("in the middle to %d: %q, want %q", tt.width, got, tt.middle)
			}
		})
	}
}

func FuzzShorten(f *testing.F) {
	f.Add("xe-0-0-1.東京.example.net", 9)
	f.Add("e\u0301\u0301\u0301", 0)
	f.Fuzz(func(t *testing.T, text string, width int) {
		text, width = Printable(text), min(max(width, 1), 1000)
		for _, got := range []string{shortenEnd(text, "…", width), shortenMiddle(text, "…", width)} {
			if n := displayWidth(got); n > width {
				t.Errorf("%q to %d columns: %q has %d", text, width, got, n)
			}
			if Printable(got) != got {
				t.Errorf("%q to %d columns: %q is broken", text, width, got)
			}
		}
	})
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name, text string
		width      int
		want       []string
	}{
		{"no limit", "one two three", 0, []string{"one two three"}},
		{"fits", "one two", 7, []string{"one two"}},
		{"breaks", "one two three", 8, []string{"one two", "three"}},
		{"long word", "a seventeen-columns b", 5, []string{"a", "seventeen-columns", "b"}},
		{"wide", "東京 大阪", 8, []string{"東京", "大阪"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Wrap(tt.text, tt.width)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestMilliseconds(t *testing.T) {
	figures := []string{"", "0.007", "0.042", "0.100", "0.312", "1.00", "9.99", "10.0", "99.9", "100", "1234"}
	var got []string
	for _, d := range []time.Duration{-1, 7, 42, 100, 312, 1000, 9990, 9996, 99_900, 99_960, 1_234_000} {
		if d < 0 {
			got = append(got, "")
			continue
		}
		got = append(got, milliseconds(d*time.Microsecond))
	}
	if diff := cmp.Diff(figures, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	alignPoints(got)
	want := []string{
		"        ", "   0.007", "   0.042", "   0.100", "   0.312", "   1.00 ", "   9.99 ", "  10.0  ", "  99.9  ", " 100    ", "1234    ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("aligned (-want +got)\n%s", diff)
	}
}

func TestMarkdownEscapes(t *testing.T) {
	tests := []struct{ name, text, escaped, code string }{
		{"plain", "a.b-c", "a.b-c", "`a.b-c`"},
		{"marks", "*a* _b_ [c](d)", `\*a\* \_b\_ \[c\](d)`, "`*a* _b_ [c](d)`"},
		{"HTML", "<b>&amp;", `\<b\>\&amp;`, "`<b>&amp;`"},
		{"table", "a|b", `a\|b`, "`a\\|b`"},
		{"backticks", "a``b", "a\\`\\`b", "```a``b```"},
		{"backtick at the end", "a`", "a\\`", "`` a` ``"},
		{"newline", "a\n# b", "a\uFFFD\\# b", "`a\uFFFD# b`"},
		{"link", "http://www.x", `http:\//www\.x`, "`http://www.x`"},
		{"mention", "@all #1", "`@`all \\#1", "`@all #1`"},
		{"nothing", "", "", "`  `"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := escape(tt.text); got != tt.escaped {
				t.Errorf("escape: %q, want %q", got, tt.escaped)
			}
			if got := code(tt.text); got != tt.code {
				t.Errorf("code: %q, want %q", got, tt.code)
			}
		})
	}
}
