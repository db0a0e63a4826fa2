// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"slices"
	"strings"
	"testing"

	"traceflow/internal/rendertest"
)

// namesAreTrue tests that what stands above a station is its own from near and
// from afar: whole, or with a mark where something is left out, or the first part
// of its name.
func namesAreTrue(t *testing.T, network string) func(*testing.T, pageTab) {
	nodes := make(map[string]*pageNode)
	d := readPage(t, pageOf(t, networkNamed(t, network))).Drawing
	for i := range d.Nodes {
		nodes[d.Nodes[i].ID] = &d.Nodes[i]
	}
	return func(t *testing.T, p pageTab) {
		type label struct{ ID, Text string }
		shortened := 0
		for range 8 {
			labels := rendertest.Eval[[]label](p.Tab, `all('[data-n] > .label').map(e => ({ ID: e.parentElement.dataset.n, Text: e.textContent }))`)
			for _, l := range labels {
				n := nodes[l.ID]
				if !slices.Contains(n.Lines, l.Text) {
					shortened++
				}
				if !isPartOf(l.Text, n) {
					t.Errorf("%q stands above %s, which has %q", l.Text, l.ID, n.Lines)
				}
			}
			rendertest.Eval[bool](p.Tab, `all('.zoom button')[1].click() || true`)
		}
		if shortened == 0 {
			t.Error("nothing was shortened: this tests nothing")
		}
	}
}

// isPartOf reports whether a text may stand for one of the lines of a node.
func isPartOf(text string, n *pageNode) bool {
	if n.Kind == "silent" && slices.Contains([]string{"no answer", "silent", "*"}, text) {
		return true
	}
	if first, _, found := strings.Cut(n.Hostname, "."); found && text == first {
		return true
	}
	return slices.ContainsFunc(n.Lines, func(line string) bool {
		begin, cutEnd := strings.CutSuffix(text, "…")
		end, cutBegin := strings.CutPrefix(text, "…")
		return text == line || cutEnd && strings.HasPrefix(line, begin) || cutBegin && strings.HasSuffix(line, end)
	})
}
