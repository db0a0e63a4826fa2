// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"cmp"
	"fmt"
	"slices"

	"traceflow"
	"traceflow/internal/topology"
)

// burst is how many packets travel at once; a packet socket's buffer holds
// twice as many by default.
const burst = 128

// lossRounds is how often Paths sends a flow that a node with ForwardLoss may
// drop.
const lossRounds = 40

// After so many milliseconds in which nothing arrived, what is missing is
// lost. Packets need microseconds; where loss is part of the network a wrong
// guess costs another round and nothing else.
const (
	quietTime      = 1000
	quietTimeLossy = 20
)

// Paths observes which way each flow goes. It sends one packet of each (a
// datagram, a SYN or an echo request, as its protocol says) with a full TTL, from a raw socket at the vantage point, and records at
// which nodes it arrives: indices into Topology.Nodes from the first router
// on. A path ends at the destination, or at the node that refuses to forward.
//
// Where packets get lost (ForwardLoss) flows are sent again until they arrive,
// or the longest way seen is returned. A node that limits its answers may
// spend one on the observation, but only if it is where the path ends.
func (l *Lab) Paths(flows []traceflow.Flow) ([][]int, error) {
	for _, f := range flows {
		if err := l.checkFlow(f); err != nil {
			return nil, err
		}
	}
	l.recorder.mu.Lock()
	defer l.recorder.mu.Unlock()
	if err := l.recorder.open(l.namespaces); err != nil {
		return nil, fmt.Errorf("observe: %w", err)
	}
	sender, err := l.openSender()
	if err != nil {
		return nil, fmt.Errorf("observe: %w", err)
	}
	defer sender.close()
	sinks := l.openSinks(flows)
	defer sinks.close()

	paths := make([][]int, len(flows))
	todo := make([]int, len(flows))
	for i := range todo {
		todo[i] = i
	}
	rounds := 1
	if l.lossy() {
		rounds = lossRounds
	}
	for ; rounds > 0 && len(todo) > 0; rounds-- {
		var missing []int
		for chunk := range slices.Chunk(todo, burst) {
			lost, err := l.observe(sender, flows, chunk, paths)
			if err != nil {
				return nil, fmt.Errorf("observe: %w", err)
			}
			missing = append(missing, lost...)
		}
		todo = missing
	}
	if len(todo) > 0 && !l.lossy() {
		return nil, fmt.Errorf("observe: %d flows did not arrive, the first of them %v:%d to %v:%d after %v",
			len(todo), flows[todo[0]].Source, flows[todo[0]].SourcePort,
			flows[todo[0]].Destination, flows[todo[0]].DestinationPort, paths[todo[0]])
	}
	return paths, l.verify(paths)
}

// observe sends the flows of one chunk and updates their paths. It returns
// those that did not arrive.
func (l *Lab) observe(sender sender, flows []traceflow.Flow, chunk []int, paths [][]int) ([]int, error) {
	l.recorder.run++
	run, waiting := l.recorder.run, len(chunk)
	nodes := make(map[int][]int, len(chunk))
	seen := func(node int, t token) {
		i := int(t.flow)
		if t.run != run || slices.Contains(nodes[i], node) {
			return
		}
		nodes[i] = append(nodes[i], node)
		if l.ends(node) {
			waiting--
		}
	}
	for _, i := range chunk {
		if err := sender.send(flows[i], token{run, uint32(i)}); err != nil {
			return nil, err
		}
	}
	quiet := quietTime
	if l.lossy() {
		quiet = quietTimeLossy
	}
	for waiting > 0 {
		more, err := l.recorder.wait(quiet)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if err := l.recorder.read(seen); err != nil {
			return nil, err
		}
	}
	// A node sees a packet before it forwards it, so all nodes have seen what
	// the last one has.
	if err := l.recorder.read(seen); err != nil {
		return nil, err
	}
	var missing []int
	for _, i := range chunk {
		path := nodes[i]
		slices.SortFunc(path, func(a, b int) int { return cmp.Compare(l.rank[a], l.rank[b]) })
		if len(path) > len(paths[i]) {
			paths[i] = path
		}
		if len(path) == 0 || !l.ends(path[len(path)-1]) {
			missing = append(missing, i)
		}
	}
	return missing, nil
}

// ends reports whether no packet goes further than the node.
func (l *Lab) ends(node int) bool {
	return node == l.t.Destination || l.t.Nodes[node].Unreachable != topology.UnreachableNone
}

// lossy reports whether a node may drop what it should forward.
func (l *Lab) lossy() bool {
	return slices.ContainsFunc(l.t.Nodes, func(n topology.Node) bool { return n.ForwardLoss > 0 })
}

// verify checks that paths follow edges.
func (l *Lab) verify(paths [][]int) error {
	known := make(map[[2]int]bool, len(l.t.Edges))
	for _, e := range l.t.Edges {
		known[[2]int{e.From, e.To}] = true
	}
	for i, path := range paths {
		from := l.t.Source
		for _, to := range path {
			if !known[[2]int{from, to}] {
				return fmt.Errorf("observe: flow %d was seen at %v, which is no path", i, path)
			}
			from = to
		}
	}
	return nil
}
