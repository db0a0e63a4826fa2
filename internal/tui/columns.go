// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"slices"
	"strconv"
	"strings"

	"traceflow"
)

// column is a figure that paths and hops have alike, beside their loss.
type column struct {
	title string
	width int
	// rank says what is left out first where there is no room: the highest.
	rank int
	text func(h *traceflow.HopStats) string
}

// columnSets are what key c goes through.
var columnSets = [][]column{
	{
		rtt("LAST", 4, func(s *traceflow.RTTStats) string { return millis(s.Last) }),
		rtt("BEST", 5, func(s *traceflow.RTTStats) string { return millis(s.Best) }),
		rtt("MED", 1, func(s *traceflow.RTTStats) string { return millis(s.Median) }),
		rtt("P95", 2, func(s *traceflow.RTTStats) string { return millis(s.P95) }),
		rtt("JITT", 3, func(s *traceflow.RTTStats) string { return millis(s.Jitter) }),
	},
	{
		rtt("MED", 1, func(s *traceflow.RTTStats) string { return millis(s.Median) }),
	},
	{
		sent,
		rtt("BEST", 4, func(s *traceflow.RTTStats) string { return millis(s.Best) }),
		rtt("MEAN", 1, func(s *traceflow.RTTStats) string { return millis(s.Mean) }),
		rtt("WORST", 2, func(s *traceflow.RTTStats) string { return millis(s.Worst) }),
		rtt("DEV", 3, func(s *traceflow.RTTStats) string { return millis(s.Deviation) }),
	},
}

var sent = column{"SENT", 5, 5, func(h *traceflow.HopStats) string { return strconv.Itoa(h.Sent) }}

// lossWidth is that of the column that is in every set: the loss.
const lossWidth = 5

// rtt is a column of milliseconds, empty where nothing was answered.
func rtt(title string, rank int, text func(*traceflow.RTTStats) string) column {
	return column{title, 5, rank, func(h *traceflow.HopStats) string {
		if h.Replies == 0 {
			return ""
		}
		return text(&h.RTTStats)
	}}
}

// minHistory is the narrowest sparkline that is worth its room.
const minHistory = 8

// columnsFor returns the columns that have room beside the sparkline, and how
// many cells that has.
func (m *model) columnsFor(room int) ([]column, int) {
	chosen := slices.Clone(columnSets[m.columns])
	for {
		if left := room - columnsWidth(chosen) - 1; left >= minHistory || len(chosen) == 1 {
			return chosen, max(0, min(left, maxHistory))
		}
		worst := slices.MaxFunc(chosen, func(a, b column) int { return a.rank - b.rank })
		chosen = slices.DeleteFunc(chosen, func(c column) bool { return c.rank == worst.rank })
	}
}

// maxHistory is as many packets as snapshots remember.
const maxHistory = 120

// columnsWidth is that of columns, each with the blank before it.
func columnsWidth(columns []column) int {
	used := 0
	for _, c := range columns {
		used += 1 + c.width
	}
	return used
}

// figures lays columns out.
func (m *model) figures(h *traceflow.HopStats, columns []column) string {
	var line strings.Builder
	for _, c := range columns {
		line.WriteString(" " + m.right(c.text(h), c.width))
	}
	return line.String()
}

// figuresHead titles them, the loss before and the sparkline after them.
func (m *model) figuresHead(columns []column, history int) string {
	var line strings.Builder
	line.WriteString(m.right("LOSS", lossWidth))
	for _, c := range columns {
		line.WriteString(" " + m.right(c.title, c.width))
	}
	if history > 0 {
		line.WriteString(" " + m.fit("HISTORY", history))
	}
	return line.String()
}
