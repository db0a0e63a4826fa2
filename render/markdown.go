// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"traceflow"
)

// markdownPaths is how many paths Markdown lists one by one: a comment on GitHub
// has 65,536 characters.
const markdownPaths = 64

// Markdown writes what a ticket needs as evidence, for GitHub and GitLab (GFM):
// when and what was measured, the tree, what it says, and each path with a flow
// to follow it by. All that strangers wrote is in code or escaped.
func Markdown(w io.Writer, t *traceflow.Trace, o Options) error {
	o.Width, o.Color, o.ASCII = 0, false, false
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "### Paths to %s\n\n", codeHost(t.Destination.Name, t.Destination.Address))
	fmt.Fprintf(b, "- From: %s\n", codeHost(t.VantagePoint.Hostname, t.VantagePoint.Address))
	fmt.Fprintf(b, "- Measured: %s, for %s\n", t.Started.UTC().Format("2006-01-02 15:04:05 MST"), seconds(t.Ended.Sub(t.Started)))
	fmt.Fprintf(b, "- Sent: %s, %s, %s\n", probesOf(t), flowsOf(t), Count(t.Stats.Probes, "packet"))
	fmt.Fprintf(b, "- With: traceflow %s\n", escape(shorten(t.Version, mostCell)))
	d := newDrawing(t, o)
	if drawn := table(d.rows(), o); len(drawn) > 0 {
		if signs := d.legend(); len(signs) > 0 {
			drawn = append(append(drawn, ""), signs...)
		}
		text := strings.Join(drawn, "\n")
		fence := strings.Repeat("`", max(3, backticks(text)+1))
		fmt.Fprintf(b, "\n%stext\n%s\n%s\n", fence, text, fence)
	}
	lines, err := summaryLines(t)
	if err != nil {
		return err
	}
	fmt.Fprintln(b)
	if !t.Complete {
		fmt.Fprintf(b, "**%s**\n\n", cutShort)
	}
	for _, line := range lines[:len(lines)-1] { // the last repeats what was sent
		fmt.Fprintf(b, "- %s\n", escape(line))
	}
	markdownTable(b, t)
	return b.Flush()
}

// markdownTable lists the paths.
func markdownTable(b io.Writer, t *traceflow.Trace) {
	paths := t.Graph.Paths
	if len(paths) == 0 {
		return
	}
	links := findParallel(&t.Graph)
	nodes := make(map[string]*traceflow.Node, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		nodes[t.Graph.Nodes[i].ID] = &t.Graph.Nodes[i]
	}
	fmt.Fprint(b, "\n| Path | Flows | One of them | Length | Reached | Hops |\n| ---: | ---: | --- | ---: | --- | --- |\n")
	for i := range paths[:min(len(paths), markdownPaths)] {
		p := &paths[i]
		var hops []string
		for _, id := range p.Nodes {
			n := nodes[id]
			switch {
			case n.IsValid():
				hops = append(hops, code(strings.TrimSpace(n.Address.String()+" "+links.link(n.TTL, n.Responder))))
			case n.Sent > 0:
				hops = append(hops, code(silentCell))
			default:
				hops = append(hops, code(unprobedCell))
			}
		}
		reached := "no"
		if p.Reached {
			reached = "yes"
		}
		flows, one, _ := strings.Cut(note(t, p), ", ")
		fmt.Fprintf(b, "| %d | %s | %s | %d | %s | %s |\n", p.ID, flows, one, p.Length, reached, strings.Join(hops, " "))
	}
	if more := len(paths) - markdownPaths; more > 0 {
		fmt.Fprintf(b, "\nand %s that are not listed here.\n", Count(more, "path"))
	}
}

// codeHost writes a name and an address, or the address alone.
func codeHost(name string, address netip.Addr) string {
	switch {
	case address.IsUnspecified():
		return hiddenHost
	case name == "" || name == address.String():
		return code(address.String())
	}
	return code(shorten(name, mostCell)) + " (" + code(address.String()) + ")"
}

// code writes text as a code span (CommonMark, section 6.1), in which nothing
// means anything, and no name is a link or a mention. Within tables of GFM a "|"
// has to be escaped even there.
func code(s string) string {
	s = strings.ReplaceAll(Printable(s), "|", `\|`)
	fence := strings.Repeat("`", backticks(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

// backticks returns the length of the longest run of them.
func backticks(s string) int {
	longest, n := 0, 0
	for _, r := range s {
		if n++; r != '`' {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}

// escape makes text mean nothing but itself.
func escape(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "&", `\&`,
		"|", `\|`, "~", `\~`, "#", `\#`, "!", `\!`, "$", `\$`,
		"://", `:\//`, "www.", `www\.`, "WWW.", `WWW\.`, // GFM makes links of them
		"@", "`@`", // in text it mentions people whatever is in front
	).Replace(Printable(s))
}
