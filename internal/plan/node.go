// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// Error is what is wrong in a plan, and where.
type Error struct {
	File         string
	Line, Column int // from 1
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// reader turns nodes of YAML into values.
type reader struct {
	file string
	seen map[any]int // line of each target
	// policyOnly is set where targets are not wanted.
	policyOnly bool
}

// wrong is an error at a node.
func (r *reader) wrong(n *yaml.Node, format string, args ...any) error {
	return &Error{File: r.file, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// syntax says where a file is no YAML.
func (r *reader) syntax(err error) error {
	e := &Error{File: r.file, Line: 1, Column: 1, Message: "no YAML: " + err.Error()}
	if load, ok := errors.AsType[*yaml.LoadError](err); ok {
		e.Line, e.Column = max(1, load.Mark.Line), max(1, load.Mark.Column)
		e.Message = "no YAML: " + load.Message
	}
	return e
}

// field is a key and what reads its value.
type field struct {
	key  string
	read func(*yaml.Node) error
}

// fields reads a mapping, in which every key may stand once.
func (r *reader) fields(n *yaml.Node, known []field) error {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
	}
	seen := make(map[string]int)
	return r.pairs(n, strings.Join(names, ", "), func(key, value *yaml.Node) error {
		i := slices.Index(names, key.Value)
		if i < 0 {
			return r.wrong(key, "unknown key %s%s; the keys here are %s", quoted(key.Value), likely(key.Value, names), strings.Join(names, ", "))
		}
		if line := seen[key.Value]; line > 0 {
			return r.wrong(key, "%s stands here again; it is in line %d, too", key.Value, line)
		}
		seen[key.Value] = key.Line
		return known[i].read(value)
	})
}

// pairs calls do for the pairs of a mapping, which has such keys.
func (r *reader) pairs(n *yaml.Node, keys string, do func(key, value *yaml.Node) error) error {
	if err := r.plain(n); err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode {
		return r.wrong(n, "this is %s; write keys and values: %s", kindOf(n), keys)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, err := r.scalar(key, "a key"); err != nil {
			return err
		}
		if err := do(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// plain refuses what would make one part of a file stand for another: defaults
// and groups are for that.
func (r *reader) plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return r.wrong(n, "anchors and aliases are not read here; put what targets share under defaults, or in a group")
	}
	return nil
}

// list returns the elements of a sequence; anything else is the only one.
func (r *reader) list(n *yaml.Node) ([]*yaml.Node, error) {
	if err := r.plain(n); err != nil {
		return nil, err
	}
	switch {
	case n.Kind == yaml.SequenceNode:
		return n.Content, nil
	case isNull(n):
		return nil, nil
	}
	return []*yaml.Node{n}, nil
}

// scalar returns the text of a value.
func (r *reader) scalar(n *yaml.Node, what string) (string, error) {
	if err := r.plain(n); err != nil {
		return "", err
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return "", r.wrong(n, "this is %s; write %s", kindOf(n), what)
	}
	if strings.ContainsFunc(n.Value, unicode.IsControl) {
		return "", r.wrong(n, "there are control characters in %s", quoted(n.Value))
	}
	return n.Value, nil
}

func (r *reader) integer(to *int, n *yaml.Node, from, upTo int) error {
	text, err := r.scalar(n, fmt.Sprintf("a number from %d to %d", from, upTo))
	if err != nil {
		return err
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < from || v > upTo {
		return r.wrong(n, "%s is no whole number from %d to %d", quoted(text), from, upTo)
	}
	*to = v
	return nil
}

func (r *reader) boolean(to *bool, n *yaml.Node) error {
	text, err := r.scalar(n, "true or false")
	if err != nil {
		return err
	}
	if text != "true" && text != "false" {
		return r.wrong(n, "%s is neither true nor false", quoted(text))
	}
	*to = text == "true"
	return nil
}

// duration reads seconds, or a time with its unit.
func (r *reader) duration(to *time.Duration, n *yaml.Node) error {
	text, err := r.scalar(n, "a time such as 120s or 2m")
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt32 {
			return r.wrong(n, "%s is no time; write 120s, 2m or 1ms", quoted(text))
		}
		d = time.Duration(f * float64(time.Second))
	}
	if d <= 0 {
		return r.wrong(n, "%s is not more than 0", quoted(text))
	}
	*to = d
	return nil
}

// part reads a part of a whole: 0.02, or 2%.
func (r *reader) part(to *float64, n *yaml.Node) error {
	text, err := r.scalar(n, "a part such as 2% or 0.02")
	if err != nil {
		return err
	}
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= 1) {
		return r.wrong(n, "%s is no part of a whole; write 2%% or 0.02", quoted(text))
	}
	*to = v
	return nil
}

// partBelow reads a part of a whole that is less than another.
func (r *reader) partBelow(to *float64, n *yaml.Node, limit float64) error {
	if err := r.part(to, n); err != nil || *to < limit {
		return err
	}
	return r.wrong(n, "%s is not below %g %%", quoted(n.Value), 100*limit)
}

// word reads one of a few words.
func (r *reader) word(to *string, n *yaml.Node, words []string) error {
	text, err := r.scalar(n, "one of "+strings.Join(words, ", "))
	if err != nil {
		return err
	}
	if !slices.Contains(words, text) {
		return r.wrong(n, "%s is none of %s%s", quoted(text), strings.Join(words, ", "), likely(text, words))
	}
	*to = text
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func kindOf(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "empty"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return "the text " + quoted(n.Value)
}

// quoted is text of the file in a message: short, and nothing a terminal obeys.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.QuoteToGraphic(s)
}

// likely says which of the words was meant, if one is a slip away.
func likely(word string, words []string) string {
	for _, w := range words {
		if oneSlip(strings.ToLower(strings.ReplaceAll(word, "_", "-")), w) {
			return " (did you mean " + w + "?)"
		}
	}
	return ""
}

// oneSlip reports whether two words are equal but for one letter: another one,
// one too many, or one too few.
func oneSlip(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(a) || a[i+1:] == b[i+1:]
	}
	return a[i+1:] == b[i:]
}
