// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
	"traceflow/render"
)

// traceBuiltin traces a built-in network in the time of a synctest bubble. Paths
// is the number of flows; 0 is as many as it takes.
func traceBuiltin(t *testing.T, name string, v6 bool, paths int) *traceflow.Trace {
	t.Helper()
	var out *traceflow.Trace
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Builtin(t, name)
		from, to := &network.Nodes[network.Source], &network.Nodes[network.Destination]
		flow := traceflow.Flow{
			ID: 1, Protocol: traceflow.ProtocolUDP, Source: from.Address4, Destination: to.Address4,
			SourcePort: 33453, DestinationPort: 33452,
		}
		if v6 {
			flow.Source, flow.Destination = from.Address6, to.Address6
		}
		config := probe.Config{Rate: 500, Timeout: time.Second}
		if paths > 0 {
			config.Retries = 2
		}
		e, err := probe.NewEngine(simnet.New(network).Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, config)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		out = &traceflow.Trace{
			Destination:  traceflow.Destination{Name: to.Name, Address: flow.Destination},
			VantagePoint: traceflow.VantagePoint{Hostname: from.Name, Address: flow.Source},
			Started:      time.Now(), Complete: true,
			Config: traceflow.Config{Protocol: flow.Protocol, Paths: paths, Confidence: 0.95, FirstTTL: 1, MaxTTL: 32, DestinationPort: flow.DestinationPort},
		}
		r, err := search(t.Context(), e, flow, paths)
		if err != nil {
			t.Fatal(err)
		}
		if discover.NeedsFinish(&r) {
			echo := flow
			echo.Protocol, echo.DestinationPort = traceflow.ProtocolICMP, 0
			if out.Finish, err = (discover.Finish{Flows: []traceflow.Flow{echo}, FirstTTL: 1, MaxTTL: 32}).Discover(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			out.Finish.End(r.Walks)
		}
		out.Exchanges, out.StopReason, out.Guarantee = r.Exchanges, r.StopReason, r.Guarantee
		out.Graph = traceflow.NewGraph(r.Walks, r.Exchanges)
		r.Classify(&out.Graph)
		for i := range r.Walks {
			out.Flows = append(out.Flows, r.Walks[i].Flow)
		}
		out.Stats, out.Ended = e.Stats(), time.Now()
	})
	return out
}

func search(ctx context.Context, e *probe.Engine, flow traceflow.Flow, paths int) (discover.Result, error) {
	if paths == 0 {
		return discover.Adaptive{
			Flows: discover.Vary(discover.VarySourcePort, flow, 1), FirstTTL: 1, MaxTTL: 32, Confidence: 0.95,
			Retries: 2, MaxProbes: discover.DefaultMaxProbes, TimeLimit: discover.DefaultTimeLimit,
		}.Discover(ctx, e)
	}
	var flows []traceflow.Flow
	for i := range paths {
		f := flow
		f.ID, f.SourcePort = i+1, flow.SourcePort+uint16(i)
		flows = append(flows, f)
	}
	r, err := discover.Fixed{Flows: flows, FirstTTL: 1, MaxTTL: 32}.Discover(ctx, e)
	r.Guarantee = discover.Guarantee(r.Walks, 0.95)
	return r, err
}

// TestTextTellsTheGraph reads nodes and links off the text for every built-in
// network and wants those of the graph, none more and none less.
func TestTextTellsTheGraph(t *testing.T) {
	for _, name := range topology.BuiltinNames() {
		network := topologytest.Builtin(t, name)
		for _, v6 := range []bool{false, true} {
			for _, paths := range []int{0, 1, 6} {
				if v6 && !network.IPv6 || !v6 && !network.IPv4 || v6 && network.IPv4 && (paths == 1 || strings.HasPrefix(name, "wide")) {
					continue
				}
				t.Run(fmt.Sprintf("%s/v6=%t/paths=%d", name, v6, paths), func(t *testing.T) {
					checkPicture(t, traceBuiltin(t, name, v6, paths))
				})
			}
		}
	}
}

// checkPicture reads the text of a trace in several widths.
func checkPicture(t *testing.T, trace *traceflow.Trace) {
	t.Helper()
	want := pictureOf(&trace.Graph)
	for _, o := range []render.Options{{}, {Width: 60}, {ASCII: true}} {
		var b strings.Builder
		if err := render.Text(&b, trace, o); err != nil {
			t.Fatal(err)
		}
		got := readText(t, b.String())
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(picture{})); diff != "" {
			t.Errorf("%+v: (-want +got)\n%s", o, diff)
		}
		if t.Failed() {
			t.Fatal(b.String())
		}
	}
}

// TestTextTellsAnyGraph does so for paths drawn by lot: meshed, of unequal
// lengths, silent here and there, refused, cut short.
func TestTextTellsAnyGraph(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		g := golden{name: fmt.Sprint(i), ends: ipv4, cancelled: i%7 == 0}
		length, width, silence := 2+random.IntN(6), 1+random.IntN(4), random.Float64()*0.3
		for range 1 + random.IntN(12) {
			g.flows = append(g.flows, randomFlow(random, length, width, silence))
		}
		t.Run(g.name, func(t *testing.T) { checkPicture(t, g.trace(t)) })
	}
}

func randomFlow(random *rand.Rand, length, width int, silence float64) string {
	length -= random.IntN(2)
	var cells []string
	for ttl := range length {
		n := random.IntN(width)
		if ttl%3 == 2 {
			n = 0 // where ways meet
		}
		cell := fmt.Sprintf("198.51.%d.%d", 100+ttl, 1+n)
		if random.Float64() < silence {
			cell = "*"
		}
		cells = append(cells, cell)
	}
	switch random.IntN(10) {
	case 0:
		cells[length-1] = fmt.Sprintf("198.51.100.%d!3/13", 1+random.IntN(3))
	case 1:
		cells = append(cells[:length-1], "*", "*", "*")
	case 2:
		cells = append(cells, cells[length-1]+"!3/1")
		if cells[length-1] == "*" {
			cells[length] = "*"
		}
	default:
		cells = append(cells, "203.0.113.9")
	}
	return strings.Join(cells, " ")
}
