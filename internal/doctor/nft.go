// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
)

// ruleset is what nftables filters by, as "nft -j list ruleset" prints it
// (libnftables-json(5)).
type ruleset struct {
	chains map[chainName]*chain
	base   []*chain // those that packets enter at, in the order listed
}

type chainName struct{ Family, Table, Name string }

func (n chainName) String() string {
	return fmt.Sprintf("%s of table %s %s", n.Name, n.Family, n.Table)
}

type chain struct {
	name   chainName
	hook   string // empty unless it is a base chain
	policy string
	rules  []rule
}

// rule is a list of statements, each an object of one key.
type rule []map[string]json.RawMessage

func decodeRuleset(text []byte) (*ruleset, error) {
	var document struct {
		Items []struct {
			Chain *struct{ Family, Table, Name, Hook, Policy string } `json:"chain"`
			Rule  *struct {
				Family, Table, Chain string
				Expr                 rule `json:"expr"`
			} `json:"rule"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("decode the ruleset: %w", err)
	}
	r := &ruleset{chains: make(map[chainName]*chain)}
	at := func(n chainName) *chain {
		if r.chains[n] == nil {
			r.chains[n] = &chain{name: n}
		}
		return r.chains[n]
	}
	for _, item := range document.Items {
		if c := item.Chain; c != nil {
			listed := at(chainName{c.Family, c.Table, c.Name})
			if c.Hook != "" && listed.hook == "" {
				r.base = append(r.base, listed)
			}
			listed.hook, listed.policy = c.Hook, c.Policy
		}
		if u := item.Rule; u != nil {
			in := at(chainName{u.Family, u.Table, u.Chain})
			in.rules = append(in.rules, u.Expr)
		}
	}
	return r, nil
}

// fate is what becomes of a packet.
type fate int

// The fates, the worst last.
const (
	accepted fate = iota
	unsure        // it depends on what cannot be told from here
	dropped
)

// decide follows a packet through the base chains of some hooks. A packet that
// one chain accepts still has to pass the next. The chain returned is the one
// that decided against it.
func (r *ruleset) decide(p *packet, hooks ...string) (fate, *chain) {
	worst, by := accepted, (*chain)(nil)
	for _, c := range r.base {
		if !slices.Contains(hooks, c.hook) || c.name.Family != "inet" && c.name.Family != p.family {
			continue
		}
		w := walker{rules: r, packet: p, seen: make(map[chainName]passage)}
		if got := w.through(c).fate(c.policy); got > worst {
			worst, by = got, c
		}
	}
	return worst, by
}

// passage is what a chain does to a packet: how it ends, and how it may have
// ended before by a rule that may match.
type passage struct {
	end                ending
	mayAccept, mayDrop bool
}

type ending int

const (
	endNext ending = iota // the chain has no word on it
	endAccept
	endDrop
)

// fate is what a base chain's passage comes to.
func (p passage) fate(policy string) fate {
	if p.end == endNext && policy == "drop" {
		p.end = endDrop
	}
	switch {
	case p.end == endDrop && !p.mayAccept:
		return dropped
	case p.end != endDrop && !p.mayDrop:
		return accepted
	}
	return unsure
}

// walker takes one packet through the chains, each once.
type walker struct {
	rules  *ruleset
	packet *packet
	seen   map[chainName]passage
}

func (w *walker) through(c *chain) passage {
	if known, ok := w.seen[c.name]; ok {
		return known
	}
	// The kernel allows no loops. What is here while the chain is being walked
	// ends one that was made up.
	w.seen[c.name] = passage{}
	var p passage
	for _, r := range c.rules {
		if w.rule(c, r, &p) {
			break
		}
	}
	w.seen[c.name] = p
	return p
}

// rule applies a rule and reports whether the chain ends there.
func (w *walker) rule(c *chain, r rule, p *passage) bool {
	matches := yes
	for _, statement := range r {
		for key, value := range statement {
			switch key {
			case "match":
				matches = min(matches, w.packet.matches(value))
			case "vmap":
				if w.verdictMap(c, value, matches, p) {
					return true
				}
			case "counter", "log", "mangle", "notrack", "set", "flow", "secmark", "ct helper", "ct timeout", "ct expectation":
			case "accept", "drop", "reject", "jump", "goto", "return", "continue", "queue":
				return w.verdict(c, key, value, matches, p)
			case "xt":
				var extension struct{ Type, Name string }
				_ = json.Unmarshal(value, &extension) // what is not there is not known
				if extension.Type == "target" && extension.Name == "REJECT" {
					return w.verdict(c, "reject", nil, matches, p)
				}
				matches = min(matches, maybe)
			default: // a limit, a quota, or what this version does not know
				matches = min(matches, maybe)
			}
		}
		if matches == no {
			return false
		}
	}
	return false
}

// verdict applies a verdict as far as its rule matches, and reports whether the
// chain ends with it.
func (w *walker) verdict(c *chain, name string, value json.RawMessage, matches answer, p *passage) bool {
	if matches == no {
		return false
	}
	sure := matches == yes
	switch name {
	case "accept":
		return p.finish(endAccept, sure)
	case "drop", "reject":
		return p.finish(endDrop, sure)
	case "return":
		if !sure { // the rules after it may not apply
			p.mayAccept, p.mayDrop = true, true
		}
		return sure
	case "jump", "goto":
		var to struct{ Target string }
		target := (*chain)(nil)
		if json.Unmarshal(value, &to) == nil {
			target = w.rules.chains[chainName{c.name.Family, c.name.Table, to.Target}]
		}
		if target == nil {
			p.mayAccept, p.mayDrop = true, true
			return false
		}
		inner := w.through(target)
		p.mayAccept, p.mayDrop = p.mayAccept || inner.mayAccept, p.mayDrop || inner.mayDrop
		if inner.end != endNext {
			return p.finish(inner.end, sure)
		}
		return name == "goto" && sure
	case "queue":
		p.mayAccept, p.mayDrop = true, true
	}
	return false
}

// finish notes an ending. One that is not sure is only possible.
func (p *passage) finish(end ending, sure bool) bool {
	switch {
	case sure:
		p.end = end
	case end == endAccept:
		p.mayAccept = true
	default:
		p.mayDrop = true
	}
	return sure
}

// verdictMap applies a map from values to verdicts.
func (w *walker) verdictMap(c *chain, value json.RawMessage, matches answer, p *passage) bool {
	var m struct {
		Key  json.RawMessage
		Data struct {
			Set [][]json.RawMessage
		}
	}
	if json.Unmarshal(value, &m) != nil { // a named map
		p.mayAccept, p.mayDrop = true, true
		return false
	}
	f := w.packet.field(m.Key)
	for _, entry := range m.Data.Set {
		if len(entry) != 2 {
			continue
		}
		var verdict map[string]json.RawMessage
		if json.Unmarshal(entry[1], &verdict) != nil {
			continue
		}
		for name, value := range verdict {
			if w.verdict(c, name, value, min(matches, f.in(entry[0])), p) {
				return true
			}
		}
	}
	return false
}
