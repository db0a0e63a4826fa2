// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// policy reads what counts as a regression.
func (r *reader) policy(p *Policy, n *yaml.Node) error {
	return r.fields(n, []field{
		{"severity", func(n *yaml.Node) error { return r.severity(p, n) }},
		{"latency", func(n *yaml.Node) error { return r.duration(&p.Latency, n) }},
		{"latency-part", func(n *yaml.Node) error { return r.part(&p.LatencyPart, n) }},
		{"loss", func(n *yaml.Node) error { return r.partBelow(&p.Loss, n, 1) }},
		{"alpha", func(n *yaml.Node) error { return r.partBelow(&p.Alpha, n, 0.5) }},
	})
}

func (r *reader) severity(p *Policy, n *yaml.Node) error {
	p.Severity = make(map[string]string)
	kinds := ChangeKinds()
	return r.pairs(n, "a kind of change: "+strings.Join(severities, ", "), func(key, value *yaml.Node) error {
		if !slices.Contains(kinds, key.Value) {
			return r.wrong(key, "unknown kind of change %s%s; there are %s", quoted(key.Value), likely(key.Value, kinds), strings.Join(kinds, ", "))
		}
		if p.Severity[key.Value] != "" {
			return r.wrong(key, "%s stands here again", key.Value)
		}
		var severity string
		if err := r.word(&severity, value, severities); err != nil {
			return err
		}
		if slices.Contains(untold, key.Value) && severity != "regression" {
			return r.wrong(value, "%s cannot be %s: what nobody knows is never green; --fail-on regression,change leaves it out", key.Value, severity)
		}
		p.Severity[key.Value] = severity
		return nil
	})
}

// untold are kinds that say that nobody knows: they can neither be expected nor be
// made less of.
var untold = []string{"unstable", "unmeasured"}

// expect reads the changes that are meant to happen: kinds, each with what it is
// about, or a list of kinds alone.
func (r *reader) expect(to *[]Expectation, n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		return r.pairs(n, "a kind of change: what it is about", func(key, value *yaml.Node) error {
			return r.expectation(to, key, value)
		})
	}
	list, err := r.list(n)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.Kind == yaml.MappingNode {
			err = r.expect(to, n)
		} else {
			err = r.expectation(to, n, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// widths is a change of width, as 4->3.
var widths = regexp.MustCompile(`^([0-9]{1,4}) *(?:->|→) *([0-9]{1,4})$`)

// mostValues bounds what one expectation is about.
const mostValues = 10_000

func (r *reader) expectation(to *[]Expectation, key, value *yaml.Node) error {
	kind, err := r.scalar(key, "a kind of change")
	if err != nil {
		return err
	}
	kinds := append(ExpectationKinds(), ChangeKinds()...)
	if kind = strings.ReplaceAll(kind, "_", "-"); !slices.Contains(kinds, kind) {
		return r.wrong(key, "unknown kind of change %s%s; there are %s", quoted(key.Value), likely(key.Value, kinds), strings.Join(kinds, ", "))
	}
	if slices.Contains(untold, kind) || kind == "expected-missing" {
		return r.wrong(key, "%s is nothing to expect: it says what is not known, or did not come", kind)
	}
	e := Expectation{Kind: kind, Line: key.Line}
	var values []*yaml.Node
	if value != nil {
		if values, err = r.list(value); err != nil {
			return err
		}
	}
	if len(values) > mostValues {
		return r.wrong(value, "there are more than %d values", mostValues)
	}
	for _, n := range values {
		text, err := r.scalar(n, "an address, a prefix, an AS or a name")
		if err != nil {
			return err
		}
		if m := widths.FindStringSubmatch(text); m != nil && kind == "width" {
			e.From, _ = strconv.Atoi(m[1]) // four digits
			e.To, _ = strconv.Atoi(m[2])
			if e.From < 1 || e.To < 1 || e.From == e.To {
				return r.wrong(n, "%s is no change of width; write 4->3", quoted(text))
			}
			*to = append(*to, e)
			continue
		}
		if kind == "width" {
			return r.wrong(n, "%s is no change of width; write 4->3", quoted(text))
		}
		if text == "" {
			return r.wrong(n, "this is empty; write an address, a prefix, an AS or a name")
		}
		if err := r.value(kind, text, n); err != nil {
			return err
		}
		e.Values = append(e.Values, text)
	}
	switch {
	case kind == "width" && len(values) == 0:
		return r.wrong(key, "width takes what it changes from and to, as 4->3")
	case kind == "drain" && len(values) == 0:
		return r.wrong(key, "drain takes what traffic is taken off: addresses, prefixes, ASes or names")
	case kind != "width":
		*to = append(*to, e)
	}
	return nil
}

// value refuses what an expectation of a kind cannot be about.
func (r *reader) value(kind, text string, n *yaml.Node) error {
	switch kind {
	case "drain": // anything may be the name of an interface
		return nil
	case "relax":
		if text != "on" && text != "off" {
			return r.wrong(n, "%s is neither on nor off", quoted(text))
		}
	case "no-change":
		return r.wrong(n, "no-change takes no value, and this is %s", quoted(text))
	case "latency-up", "latency-moved":
		if d, err := time.ParseDuration(strings.TrimPrefix(text, "+")); err != nil || d <= 0 {
			return r.wrong(n, "%s is no time; write 5ms", quoted(text))
		}
	default:
		_, err := netip.ParseAddr(text)
		if _, perr := netip.ParsePrefix(text); err != nil && perr != nil {
			return r.wrong(n, "%s is no address and no prefix", quoted(text))
		}
	}
	return nil
}
