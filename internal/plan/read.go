// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// LargestFile is how many bytes a plan may have; MostTargets how many targets.
const (
	LargestFile = 4 << 20
	MostTargets = 10_000
)

// Read reads a plan. The error, an *Error, says where in the file something is
// wrong, and what would be right.
func Read(file string, data []byte) (*Plan, error) {
	return read(&reader{file: file}, data)
}

// ReadPolicy reads a plan of which only the expectations and the policy count: it may
// have no targets. The name of the file is for errors.
func ReadPolicy(file string, data []byte) (*Plan, error) {
	return read(&reader{file: file, policyOnly: true}, data)
}

func read(r *reader, data []byte) (*Plan, error) {
	file := r.file
	if len(data) > LargestFile {
		return nil, &Error{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("a plan of more than %d MiB is too large", LargestFile>>20)}
	}
	var documents []yaml.Node
	if err := yaml.Load(data, &documents, yaml.WithAllDocuments()); err != nil {
		return nil, r.syntax(err)
	}
	if len(documents) > 1 {
		return nil, r.wrong(&documents[1], "a second document; a plan is one")
	}
	if len(documents) == 0 || len(documents[0].Content) != 1 || isNull(documents[0].Content[0]) {
		return nil, &Error{File: file, Line: 1, Column: 1, Message: "the plan is empty; it takes at least targets: [ADDRESS]"}
	}
	p := &Plan{}
	if err := r.plan(p, documents[0].Content[0]); err != nil {
		return nil, err
	}
	return p, nil
}

// plan reads the whole.
func (r *reader) plan(p *Plan, n *yaml.Node) error {
	var defaults, groups, targets, budget *yaml.Node
	keep := func(to **yaml.Node) func(*yaml.Node) error {
		return func(n *yaml.Node) error { *to = n; return nil }
	}
	err := r.fields(n, []field{
		{"name", func(n *yaml.Node) error { return r.name(&p.Name, n) }},
		{"budget", func(n *yaml.Node) error { budget = n; return r.duration(&p.Budget, n) }},
		{"rate", func(n *yaml.Node) error { return r.rate(&p.Rate, n) }},
		{"passes", func(n *yaml.Node) error { return r.integer(&p.Passes, n, MinPasses, MaxPasses) }},
		{"defaults", keep(&defaults)},
		{"groups", keep(&groups)},
		{"targets", keep(&targets)},
		{"expect", func(n *yaml.Node) error { return r.expect(&p.Expect, n) }},
		{"expect-end", func(n *yaml.Node) error { return r.expect(&p.ExpectEnd, n) }},
		{"policy", func(n *yaml.Node) error { return r.policy(&p.Policy, n) }},
	})
	if err != nil {
		return err
	}
	// Whatever their order in the file, groups inherit from the defaults.
	var base Target
	if defaults != nil {
		if err := r.fields(defaults, r.targetFields(&base)); err != nil {
			return err
		}
	}
	if groups != nil {
		if err := r.groups(p, base, groups); err != nil {
			return err
		}
	}
	if targets != nil {
		if err := r.targets(p, base, targets); err != nil {
			return err
		}
	}
	if len(p.Targets) == 0 && !r.policyOnly {
		return r.wrong(n, "there are no targets; write targets: [ADDRESS, …]")
	}
	if budget != nil && !r.policyOnly {
		return r.affordable(p, budget)
	}
	return nil
}

// The numbers of passes that a plan may ask for: of a single one nothing tells
// what the network does of itself.
const (
	MinPasses = 2
	MaxPasses = 50
)

// MaxRate is the highest rate, in packets a second; MinRate the lowest, at which
// one target takes minutes.
const (
	MaxRate = 10_000_000
	MinRate = 1
)

func (r *reader) rate(to *float64, n *yaml.Node) error {
	text, err := r.scalar(n, "a number of packets a second")
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= MinRate && v <= MaxRate) {
		return r.wrong(n, "rate %s is not between %d and %d packets a second", quoted(text), MinRate, MaxRate)
	}
	*to = v
	return nil
}

// longestName is enough for a ticket and a few words.
const longestName = 200

func (r *reader) name(to *string, n *yaml.Node) error {
	text, err := r.scalar(n, "a name")
	if err == nil && (text == "" || len(text) > longestName) {
		return r.wrong(n, "a name has 1 to %d bytes", longestName)
	}
	*to = text
	return err
}
