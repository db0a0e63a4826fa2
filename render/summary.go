// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"traceflow"
)

// Summary writes in a few lines how many paths there are, how sure that is,
// and what it took.
func Summary(w io.Writer, t *traceflow.Trace) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, shape(t))
	for _, line := range statement(t) {
		fmt.Fprintln(b, line)
	}
	for _, c := range t.Changes {
		fmt.Fprintf(b, "The route changed meanwhile: flow %d at TTL %d went to %s, then to %s.\n", c.Flow, c.TTL, c.Before, c.After)
	}
	fmt.Fprintf(b, "%s, %s, %s.\n", Count(len(t.Flows), "flow"), Count(t.Stats.Probes, "packet"), seconds(t.Ended.Sub(t.Started)))
	return b.Flush()
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// Count writes a number and a noun.
func Count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shape says how many paths, how long, how wide, and who balances how.
func shape(t *traceflow.Trace) string {
	g := &t.Graph
	text := Count(len(g.Paths), "path")
	if possible := allowed(g); possible > float64(len(g.Paths)) {
		text += fmt.Sprintf(" seen of %.0f that the links allow", possible)
	}
	lengths := make(map[int]bool)
	for _, p := range g.Paths {
		if p.Reached {
			lengths[p.Length] = true
		}
	}
	if len(lengths) > 0 {
		text += ", " + list(slices.Sorted(maps.Keys(lengths)), " or ") + " hops long"
	} else {
		text += ", none of which reaches the destination"
	}
	widths := make(map[uint8]int)
	widest := 0
	for i := range g.Nodes {
		n := &g.Nodes[i]
		widths[n.TTL]++
		widest = max(widest, widths[n.TTL])
	}
	if widest > 1 {
		var at []int
		for ttl, n := range widths {
			if n == widest {
				at = append(at, int(ttl))
			}
		}
		slices.Sort(at)
		text += fmt.Sprintf("; up to %d wide, at TTL %s", widest, list(at, " and "))
	}
	kinds := make(map[traceflow.Balancer]bool)
	for i := range g.Diamonds {
		if k := g.Diamonds[i].Balancer; k != traceflow.BalancerUnknown {
			kinds[k] = true
		}
	}
	if len(kinds) > 0 {
		var names []string
		for _, k := range slices.Sorted(maps.Keys(kinds)) {
			names = append(names, strings.ReplaceAll(string(k), "-", " "))
		}
		text += "; balanced " + strings.Join(names, " and ")
	}
	return text + "."
}

// list writes numbers with commas and a last word between.
func list(numbers []int, last string) string {
	var parts []string
	for _, n := range numbers {
		parts = append(parts, fmt.Sprint(n))
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + last + parts[n-1]
	}
	return strings.Join(parts, "")
}

// allowed counts the ways through the graph's links, from the first TTL on.
func allowed(g *traceflow.Graph) float64 {
	next := make(map[string][]string)
	for _, l := range g.Links {
		next[l.From] = append(next[l.From], l.To)
	}
	ways := make(map[string]float64)
	total := 0.0
	for i := range slices.Backward(g.Nodes) {
		n := &g.Nodes[i]
		ways[n.ID] = max(1, sum(ways, next[n.ID]))
		if n.TTL == g.Nodes[0].TTL {
			total += ways[n.ID]
		}
	}
	return math.Min(total, 1e15)
}

func sum(of map[string]float64, keys []string) float64 {
	total := 0.0
	for _, k := range keys {
		total += of[k]
	}
	return total
}

// statement says what may have been missed.
func statement(t *traceflow.Trace) []string {
	g := &t.Guarantee
	var out []string
	if reached := 1 - g.Alpha; g.EqualShares && reached >= 0.5 {
		out = append(out, fmt.Sprintf("With %s confidence no link was missed, if the links between two TTLs carry equal shares.",
			percent(min(reached, g.Confidence))))
	}
	switch sure := fmt.Sprintf("with %s confidence every link that carries at least %s of the flows was seen.",
		percent(g.Confidence), share(g.MinShare)); {
	case g.MinShare >= 1:
		out = append(out, "Too little was answered to say what may have been missed.")
	case len(out) > 0:
		out = append(out, "If they do not: "+sure)
	case !g.EqualShares:
		out = append(out, "The shares are unequal; "+sure)
	default:
		out = append(out, strings.ToUpper(sure[:1])+sure[1:])
	}
	out = append(out, shortHops(t)...)
	for ttl, flows := range muteHops(t) {
		if flows > 0 {
			out = append(out, fmt.Sprintf("TTL %d: %s met no router that answers; how many stand there is not known.", ttl, Count(flows, "flow")))
		}
	}
	if silent := silentHops(t); len(silent) > 0 {
		out = append(out, "Nothing answers at TTL "+list(silent, " and ")+": nothing is said about links there.")
	}
	return out
}

// shortHops says where fewer flows were answered than the confidence needs.
func shortHops(t *traceflow.Trace) []string {
	const (
		limit  = "a rate limit"
		budget = "the probe budget"
		few    = "too few answers"
	)
	at := make(map[string][]int)
	worst := make(map[string]float64)
	for _, h := range t.Guarantee.Short {
		why := few
		switch {
		case slices.Contains(t.Guarantee.RateLimited, h.TTL):
			why = limit
		case t.StopReason == traceflow.StopProbeBudget:
			why = budget
		}
		at[why] = append(at[why], int(h.TTL))
		worst[why] = max(worst[why], h.MinShare)
	}
	var out []string
	for _, why := range []string{limit, budget, few} {
		if len(at[why]) == 0 || t.Config.Paths > 0 {
			continue
		}
		out = append(out, fmt.Sprintf("TTL %s fell short because of %s: there only links with at least %s of the flows are sure.",
			list(at[why], " and "), why, share(worst[why])))
	}
	return out
}

// muteHops counts by TTL the flows that met a router that does not answer
// where others do.
func muteHops(t *traceflow.Trace) [256]int {
	var out [256]int
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		for j := range w.Hops {
			if w.Hops[j].Kind == traceflow.Mute {
				out[int(w.First)+j]++
			}
		}
	}
	return out
}

// silentHops are the TTLs before the last answer at which nothing answered.
func silentHops(t *traceflow.Trace) []int {
	answered := make(map[uint8]bool)
	last := uint8(0)
	for i := range t.Graph.Nodes {
		if n := &t.Graph.Nodes[i]; n.Address.IsValid() {
			answered[n.TTL] = true
			last = max(last, n.TTL)
		}
	}
	var out []int
	for ttl := max(1, t.Config.FirstTTL); ttl < last; ttl++ {
		if !answered[ttl] {
			out = append(out, int(ttl))
		}
	}
	return out
}

// percent writes a confidence with no more digits than it has, rounded down.
func percent(p float64) string {
	digits := 0
	if p > 0.99 {
		digits = 2
	}
	scale := math.Pow(10, float64(digits+2))
	text := fmt.Sprintf("%.*f", digits, math.Floor(p*scale+1e-9)/scale*100)
	if digits > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + " %"
}

// share writes a share in percent, rounded up.
func share(p float64) string {
	if p < 0.1 {
		return fmt.Sprintf("%.1f %%", math.Ceil(p*1000-1e-9)/10)
	}
	return fmt.Sprintf("%.0f %%", math.Ceil(p*100-1e-9))
}
