// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// shows is what somebody who looks at a picture should be able to say of the
// network. Nodes are called by their names, or by their addresses.
type shows struct {
	paths int
	forks []string // "r1 into 4"
	slow  []string // "a → b": links that are labelled with their delay
	lost  []string // links that packets are lost from, on to the destination
	local []string // routers that answer less than they forward
	// silent are TTLs at which a hop does not answer, between others.
	silent []string
	ends   []string // "b1: silence": where flows got no further
	signs  []string // owners, exchange points, translators and tunnels
}

// showsOf says what a drawing holds.
func showsOf(d *picture.Drawing) shows {
	s := shows{paths: len(d.Paths)}
	called := make(map[string]string)
	next := make(map[string]int)
	for i := range d.Nodes {
		called[d.Nodes[i].ID] = nameOf(&d.Nodes[i])
	}
	for i := range d.Links {
		l := &d.Links[i]
		next[l.From]++
		link := called[l.From] + " → " + called[l.To]
		switch {
		case l.Lost > 0:
			s.lost = append(s.lost, link)
		case l.Label != "":
			s.slow = append(s.slow, link)
		}
	}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if next[n.ID] > 1 {
			s.forks = append(s.forks, fmt.Sprintf("%s into %d", called[n.ID], next[n.ID]))
		}
		if n.Verdict == string(traceflow.LossLocal) {
			s.local = append(s.local, called[n.ID])
		}
		if ttl := fmt.Sprintf("TTL %d", n.TTL); n.Kind == picture.Silent && !slices.Contains(s.silent, ttl) {
			s.silent = append(s.silent, ttl)
		}
		for _, e := range n.Ends {
			s.ends = append(s.ends, called[n.ID]+": "+e.Reason)
		}
		if x := "exchange point " + n.IXP; n.IXP != "" && !slices.Contains(s.signs, x) {
			s.signs = append(s.signs, x)
		}
		if x := fmt.Sprintf("AS%d", n.ASN); n.ASN != 0 && !slices.Contains(s.signs, x) {
			s.signs = append(s.signs, x)
		}
		for _, tag := range n.Tags {
			s.signs = append(s.signs, tag.Label+" at "+called[n.ID])
		}
	}
	for i := range d.Marks {
		s.signs = append(s.signs, fmt.Sprintf("address translation before TTL %d", d.Marks[i].TTL))
	}
	for i := range d.Pipes {
		s.signs = append(s.signs, fmt.Sprintf("tunnel of %d routers", len(d.Pipes[i].Nodes)))
	}
	return s
}

func nameOf(n *picture.Node) string {
	switch {
	case n.Hostname != "":
		name, _, _ := strings.Cut(n.Hostname, ".")
		return name
	case n.Address != "":
		return n.Address
	}
	return string(n.Kind)
}

// check compares what a result shows with what its pictures are to show.
func (n *network) check(result []byte) error {
	var t traceflow.Trace
	if err := json.Unmarshal(result, &t); err != nil {
		return err
	}
	got := showsOf(picture.Of(&t))
	if n.kernel {
		got.slow = nil // what delays there are come from this machine
	}
	if !reflect.DeepEqual(got, n.shows) {
		return fmt.Errorf("shows\n%s\nand not\n%s", &got, &n.shows)
	}
	return nil
}

// most is how many of a kind a caption names.
const most = 12

// String is the caption.
func (s *shows) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d paths.", s.paths)
	add := func(what, none string, list []string) {
		switch {
		case len(list) > most:
			fmt.Fprintf(&b, " %s %s and %d more.", what, strings.Join(list[:most], ", "), len(list)-most)
		case len(list) > 0:
			fmt.Fprintf(&b, " %s %s.", what, strings.Join(list, ", "))
		case none != "":
			b.WriteString(" " + none)
		}
	}
	add("They fork at", "They do not fork.", s.forks)
	add("Slow:", "No link is slow by itself.", s.slow)
	add("Packets are lost from", "", s.lost)
	add("Answers less than it forwards, which is no loss:", "", s.local)
	add("No answer from", "Every hop answered.", s.silent)
	add("Flows end behind", "", s.ends)
	add("Also:", "", s.signs)
	return b.String()
}
