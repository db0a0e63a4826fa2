// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"

	"traceflow"
)

// mtus says how large packets may be, path by path; nothing where that was not
// measured. Paths of which the same is true share a line.
func mtus(t *traceflow.Trace) []string {
	var lines []string
	paths := make(map[string][]int)
	for i := range t.Graph.Paths {
		id := t.Graph.Paths[i].ID
		m, ok := t.MTU(id)
		if !ok {
			continue
		}
		text := mtu(&m, t.Config.Masked)
		if p := &t.Graph.Paths[i]; !p.Reached || int(m.TTL) < p.Length {
			text = fmt.Sprintf("as far as TTL %d, where the last answers come from: %s", m.TTL, text)
		}
		if !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
		paths[text] = append(paths[text], id)
	}
	for i, text := range lines {
		which := "Path"
		if len(paths[text]) > 1 {
			which = "Paths"
		}
		lines[i] = fmt.Sprintf("%s %s: %s", which, list(paths[text], " and "), text)
	}
	return lines
}

func mtu(m *traceflow.PathMTU, masked int) string {
	switch {
	case m.Whole:
		return fmt.Sprintf("MTU %d, all that this host's interface can send.", m.Bytes)
	case !m.Sure:
		return fmt.Sprintf("MTU at least %d; too little was answered to say more.", m.Bytes)
	case masked > 0 && m.LimitTTL == 0 && !m.Limit.IsValid():
		if m.BlackHole {
			return fmt.Sprintf("MTU %d; larger packets vanish before TTL %d, and nothing says so.", m.Bytes, masked+1)
		}
		return fmt.Sprintf("MTU %d, limited before TTL %d.", m.Bytes, masked+1)
	case m.BlackHole && m.LimitTTL == 0:
		return fmt.Sprintf("MTU %d; larger packets vanish before the first router, and nothing says so.", m.Bytes)
	case m.BlackHole:
		return fmt.Sprintf("MTU %d; larger packets vanish after %s, and nothing says so.", m.Bytes, hop(m.LimitTTL, m.Limit))
	case m.LimitTTL == 0:
		return fmt.Sprintf("MTU %d, as %s says.", m.Bytes, m.Limit)
	}
	return fmt.Sprintf("MTU %d, limited after %s.", m.Bytes, hop(m.LimitTTL, m.Limit))
}
