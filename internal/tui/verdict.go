// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"slices"

	"charm.land/lipgloss/v2"

	"traceflow"
	"traceflow/internal/watch"
)

// The signs, two cells wide. They say what colours say too.
const (
	lossy   = " !" // loss that persists to the destination
	dead    = "!!" // the destination does not answer any more
	strayed = " >" // flows have left the path
	limited = "RL" // a router answers less than it forwards
	unclear = " ?" // loss, and nobody can tell yet where
	fine    = "  "
)

// hopSign says what the loss at a hop means.
func (m *model) hopSign(h *traceflow.HopStats, l traceflow.HopLoss) piece {
	switch {
	case l == traceflow.LossPersists:
		return piece{lossy, m.styles.bad}
	case l == traceflow.LossLocal || h.Limited:
		return piece{limited, m.styles.warn}
	case l == traceflow.LossUnclear:
		return piece{unclear, m.styles.dim}
	}
	return piece{fine, m.styles.plain}
}

// pathSign says what is the matter with a path.
func (m *model) pathSign(i int) piece {
	p, losses := &m.shown.Paths[i], m.losses[i]
	switch m.shown.States[i] {
	case watch.Dead:
		return piece{dead, m.styles.bad}
	case watch.Left:
		return piece{strayed, m.styles.warn}
	case watch.Alive:
	}
	if len(losses) == 0 {
		return piece{fine, m.styles.plain}
	}
	end := len(losses) - 1
	switch {
	case p.Reached && losses[end] == traceflow.LossPersists:
		return piece{lossy, m.styles.bad}
	case p.Reached && losses[end] == traceflow.LossUnclear:
		return piece{unclear, m.styles.dim}
	case slices.Contains(losses, traceflow.LossLocal) || p.Hops[end].Limited:
		return piece{limited, m.styles.dim} // of no harm to the path
	}
	return piece{fine, m.styles.plain}
}

// lossText is a hop's loss in the style of its sign.
func (m *model) lossText(h *traceflow.HopStats, style lipgloss.Style) piece {
	text := ""
	switch {
	case h.Sent == 0:
	case h.Replies == 0 && !h.IsValid(): // who never answers loses nothing
		text, style = m.glyphs.unknown, m.styles.dim
	default:
		text = percent(h.Loss())
	}
	return piece{m.right(text, lossWidth), style}
}
