// SPDX-License-Identifier: BSD-3-Clause

package layout

import "slices"

const (
	// centreRounds are how often forks are centred: each may make room for others.
	centreRounds = 6
	// snap is how far a fork may be off its middle so that a link is straight.
	snap = 8
)

// centre moves forks and joins to the middle of their branches, as far as the
// boxes above and below leave them room. A chain of boxes that have one link to
// each other moves as one, so that it stays straight.
func (s *sketch) centre(y []int) {
	chains := s.chains(y)
	for range centreRounds {
		for _, chain := range chains {
			s.centreChain(chain, y)
		}
		slices.Reverse(chains)
	}
}

// chains are boxes in a row, each the only neighbour of the next one on that
// side, at one height.
func (s *sketch) chains(y []int) [][]int {
	var out [][]int
	seen := make([]bool, len(s.at))
	for _, column := range s.columns {
		for _, v := range column {
			if seen[v] {
				continue
			}
			chain := []int{v}
			for seen[v] = true; len(s.after[v]) == 1; {
				u := s.after[v][0]
				if len(s.before[u]) != 1 || y[u] != y[v] {
					break
				}
				chain, v = append(chain, u), u
				seen[u] = true
			}
			out = append(out, chain)
		}
	}
	return out
}

func (s *sketch) centreChain(chain []int, y []int) {
	branches := s.before[chain[0]]
	if after := s.after[chain[len(chain)-1]]; len(after) > len(branches) {
		branches = after
	} else if len(after) == len(branches) {
		branches = slices.Concat(branches, after)
	}
	if len(branches) < 2 {
		return
	}
	sum, from := 0, y[chain[0]]
	for _, u := range branches {
		sum += y[u]
	}
	to := sum / len(branches)
	near := snap + 1
	for _, u := range branches {
		if off := max(y[u]-sum/len(branches), sum/len(branches)-y[u]); off < near {
			to, near = y[u], off
		}
	}
	for _, v := range chain {
		column, at := s.columns[s.graph.Boxes[v].Column], s.at[v]
		if at > 0 {
			to = max(to, min(from, y[column[at-1]]+s.apart(column[at-1], v)))
		}
		if at+1 < len(column) {
			to = min(to, max(from, y[column[at+1]]-s.apart(v, column[at+1])))
		}
	}
	for _, v := range chain {
		y[v] = to
	}
}
