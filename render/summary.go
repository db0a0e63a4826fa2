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
// where they leave an AS by several ways and pass from one to another, what else the replies give away, and
// what it took.
func Summary(w io.Writer, t *traceflow.Trace) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, shape(t))
	if n := t.Config.Masked; n == 1 {
		fmt.Fprintln(b, "The first hop is hidden.")
	} else if n > 1 {
		fmt.Fprintf(b, "The first %d hops are hidden.\n", n)
	}
	if why := ending(t); why != "" {
		fmt.Fprintln(b, why)
	}
	for _, line := range statement(t) {
		fmt.Fprintln(b, line)
	}
	for _, c := range t.Changes {
		after := c.After.String()
		if c.After == c.Before {
			after = "the same by another link"
		}
		fmt.Fprintf(b, "The route changed meanwhile: flow %d at TTL %d went to %s, then to %s.\n", c.Flow, c.TTL, c.Before, after)
	}
	for _, line := range mtus(t) {
		fmt.Fprintln(b, line)
	}
	exits, told := exits(t)
	for _, line := range slices.Concat(exits, borders(t, told)) {
		fmt.Fprintln(b, line)
	}
	if err := Findings(b, t); err != nil {
		return err
	}
	fmt.Fprintf(b, "%s, %s, %s.\n", flowsOf(t), Count(t.Stats.Probes, "packet"), seconds(t.Ended.Sub(t.Started)))
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
	case strings.HasSuffix(noun, "s"):
		return fmt.Sprintf("%d %ses", n, noun)
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shape says how many paths, how long, how wide, and who balances how.
func shape(t *traceflow.Trace) string {
	g := &t.Graph
	text := Count(len(g.Paths), "path")
	if possible := allowed(g); possible > float64(len(g.Paths)) && !mixed(g) {
		text += fmt.Sprintf(" seen of %.0f that the links allow", possible)
	}
	lengths := make(map[int]bool)
	for _, p := range g.Paths {
		if p.Reached {
			lengths[p.Length] = true
		}
	}
	switch {
	case lastAnswered(t) == 0 && len(lengths) == 0 && t.Config.Masked > 0:
		return "Nothing answered beyond the hidden hops."
	case lastAnswered(t) == 0 && len(lengths) == 0:
		return "Nothing answered."
	case len(lengths) == 1 && lengths[1]:
		text += ", 1 hop long"
	case len(lengths) > 0:
		text += ", " + list(slices.Sorted(maps.Keys(lengths)), " or ") + " hops long"
	case len(g.Paths) == 1:
		text += ", which does not reach the destination"
	default:
		text += ", none of which reaches the destination"
	}
	widths := make(map[uint8]int)
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Address.IsValid() {
			widths[n.TTL]++
		}
	}
	for ttl, flows := range muteHops(t) {
		if flows > 0 {
			widths[uint8(ttl)]++
		}
	}
	widest := 0
	for _, n := range widths {
		widest = max(widest, n)
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
	return listed(parts, last)
}

// listed is "a, b or c", with what stands before the last.
func listed(parts []string, last string) string {
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

// mixed reports whether some flows were silent at a TTL where others were
// answered: then the links say nothing about how many ways there are.
func mixed(g *traceflow.Graph) bool {
	answers, silence := make(map[uint8]bool), make(map[uint8]bool)
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Address.IsValid() {
			answers[n.TTL] = true
		} else {
			silence[n.TTL] = true
		}
	}
	for ttl := range silence {
		if answers[ttl] {
			return true
		}
	}
	return false
}

func sum(of map[string]float64, keys []string) float64 {
	total := 0.0
	for _, k := range keys {
		total += of[k]
	}
	return total
}

// nothing is the share above which what was seen of a hop is not worth a word.
const nothing = 0.99

// statement says what may have been missed.
func statement(t *traceflow.Trace) []string {
	g := &t.Guarantee
	silent, skipped := gaps(t)
	asFarAs := ""
	if !t.Reached() {
		asFarAs = fmt.Sprintf(" up to TTL %d", lastAnswered(t))
	}
	var out []string
	if reached := 1 - g.Alpha; g.EqualShares && reached >= 0.5 {
		out = append(out, fmt.Sprintf("With %s confidence no link%s was missed, if the nodes of a TTL, and the links between two, carry equal shares.",
			percent(min(reached, g.Confidence)), asFarAs))
	}
	least, except := stated(t)
	switch sure := fmt.Sprintf("with %s confidence every link%s that carries at least %s of the flows was seen%s.",
		percent(g.Confidence), asFarAs, share(least), except+finest(g, least)); {
	case least > nothing:
		out = append(out, "Too little was answered to say what may have been missed.")
	case len(out) > 0:
		out = append(out, "If they do not: "+sure)
	case !g.EqualShares:
		out = append(out, "The shares are unequal; "+sure)
	default:
		out = append(out, strings.ToUpper(sure[:1])+sure[1:])
	}
	out = append(out, shortHops(t, least)...)
	for ttl, flows := range muteHops(t) {
		if flows > 0 {
			out = append(out, fmt.Sprintf("TTL %d: %s met no router that answers; how many stand there is not known.", ttl, Count(flows, "flow")))
		}
	}
	if len(silent) > 0 {
		out = append(out, "Nothing answers at TTL "+list(silent, " and ")+": nothing is said about links there.")
	}
	if len(skipped) > 0 {
		out = append(out, "Nothing was sent to TTL "+list(skipped, " and ")+": nothing is said about links there.")
	}
	return out
}

// stated returns the share that links were seen with, and where that does not
// hold: the TTLs that fell short are left out unless all of them did.
func stated(t *traceflow.Trace) (least float64, except string) {
	g := &t.Guarantee
	var short []int
	for _, h := range g.Short {
		if !slices.Contains(short, int(h.TTL)) {
			short = append(short, int(h.TTL))
		}
	}
	for _, h := range g.Hops {
		if !slices.Contains(short, int(h.TTL)) {
			least = max(least, h.MinShare)
		}
	}
	if t.Config.Paths > 0 || least == 0 || least >= g.MinShare || len(short) == 0 {
		return g.MinShare, ""
	}
	return least, ", except at TTL " + list(short, " and ")
}

// finest says where much smaller shares than the stated one were seen.
func finest(g *traceflow.Guarantee, stated float64) string {
	best := stated
	for _, h := range g.Hops {
		best = min(best, h.MinShare)
	}
	if best > 0.8*stated {
		return ""
	}
	var at []int
	for _, h := range g.Hops {
		if h.MinShare < 1.05*best {
			at = append(at, int(h.TTL))
		}
	}
	return fmt.Sprintf(" (%s at TTL %s)", share(best), list(at, " and "))
}

// shortHops says where fewer flows were answered than the confidence needs,
// and what holds there if that is less than what is stated for all TTLs.
func shortHops(t *traceflow.Trace, stated float64) []string {
	const (
		limit  = "a rate limit"
		budget = "the probe budget"
		late   = "the time limit"
		cut    = "the interruption"
		few    = "too few answers"
	)
	because := map[traceflow.StopReason]string{
		traceflow.StopProbeBudget: budget, traceflow.StopTimeLimit: late, traceflow.StopCancelled: cut,
	}
	at := make(map[string][]int)
	worst := make(map[string]float64)
	for _, h := range t.Guarantee.Short {
		why, ok := because[t.StopReason]
		switch {
		case slices.Contains(t.Guarantee.RateLimited, h.TTL):
			why = limit
		case !ok:
			why = few
		}
		at[why] = append(at[why], int(h.TTL))
		worst[why] = max(worst[why], h.MinShare)
	}
	var out []string
	for _, why := range []string{limit, budget, late, cut, few} {
		if len(at[why]) == 0 || t.Config.Paths > 0 {
			continue
		}
		text := fmt.Sprintf("TTL %s fell short because of %s", list(at[why], " and "), why)
		switch {
		case worst[why] > nothing:
			text += ": nothing is sure there"
		case worst[why] > stated:
			text += fmt.Sprintf(": there only links with at least %s of the flows are sure", share(worst[why]))
		}
		out = append(out, text+".")
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

// gaps are the TTLs before the last answer at which nothing answered, and
// those of which nobody knows: no packet was sent, or none was waited for.
func gaps(t *traceflow.Trace) (silent, skipped []int) {
	var answered, asked [256]bool
	for i := range t.Graph.Nodes {
		if n := &t.Graph.Nodes[i]; n.Address.IsValid() {
			answered[n.TTL] = true
		}
	}
	for i := range t.Exchanges {
		if e := &t.Exchanges[i]; e.Err == nil && !e.Abandoned {
			asked[e.TTL] = true
		}
	}
	for ttl := int(max(1, t.Config.FirstTTL)); ttl < lastAnswered(t); ttl++ {
		switch {
		case answered[ttl]:
		case asked[ttl]:
			silent = append(silent, ttl)
		default:
			skipped = append(skipped, ttl)
		}
	}
	return silent, skipped
}

// lastAnswered returns the highest TTL that anything answered at, or 0.
func lastAnswered(t *traceflow.Trace) int {
	last := uint8(0)
	for i := range t.Graph.Nodes {
		if n := &t.Graph.Nodes[i]; n.Address.IsValid() {
			last = max(last, n.TTL)
		}
	}
	return int(last)
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
