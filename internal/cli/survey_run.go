// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"traceflow"
	"traceflow/internal/enrich"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/internal/survey"
)

// expedition is everything open that measuring takes.
type expedition struct {
	*session
	options  *surveyOptions
	env      Env
	plan     *plan.Plan
	subjects []subject
	// hosts are asked for names when measuring is over: that takes as long as a name
	// server does. nil where nobody is asked.
	hosts *enrich.Names
}

// open opens all sockets, and then gives up the right to.
func (o *surveyOptions) open(env Env, p *plan.Plan, subjects []subject) (*expedition, error) {
	var targets []target
	options := o.traceOptions(&subjects[0].Target)
	for i := range subjects {
		targets = append(targets, subjects[i].target)
		options.dontFragment = options.dontFragment || subjects[i].MTU
	}
	options.rate = int(max(1, p.Rate))
	options.annotateOptions = annotateOptions{numeric: o.names.numeric || o.sim == "", data: o.names.data}
	s, err := openSession(env, options, targets, nil)
	if err != nil {
		return nil, err
	}
	x := &expedition{session: s, options: o, env: env, plan: p, subjects: subjects}
	if o.sim == "" && !o.names.numeric {
		x.hosts = enrich.NewNames(netip.AddrPort(o.names.resolver))
	}
	return x, nil
}

// measured is what an expedition brings home.
type measured struct {
	manifest snapshot.Manifest
	result   survey.Result
	// last are the last traces of the targets, passes how many of each were begun.
	last    []*traceflow.Trace
	unsent  error               // why the first packet that was not sent was not
	nodes   map[netip.Addr]bool // that answered in any pass
	passes  int
	reached int
	took    time.Duration
}

// run measures, and hands over each pass of a target as it is over. What comes back
// is valid with an error.
func (x *expedition) run(ctx context.Context, passes int, keep func(survey.Pass) error) (*measured, error) {
	m := &measured{manifest: x.manifest(passes), last: make([]*traceflow.Trace, len(x.subjects)), nodes: make(map[netip.Addr]bool)}
	var targets []survey.Target
	for i := range x.subjects {
		t, err := x.options.surveyed(&x.subjects[i], x.engines.of(&x.subjects[i].target), x.plan.Rate)
		if err != nil {
			return m, err
		}
		targets = append(targets, t)
	}
	s := survey.New(survey.Config{Passes: passes, Rate: x.plan.Rate, Budget: x.plan.Budget, Seed: m.manifest.Seed}, targets)
	stop := showProgress(x.env, !x.options.quiet, func(since time.Duration) string {
		p := s.Progress()
		return fmt.Sprintf("%d of %d passes of targets · sent %d · replies %d · %.0f s", p.Passes, p.Of, p.Stats.Probes, p.Stats.Replies, since.Seconds())
	})
	defer stop()
	var err error
	m.result, err = s.Run(ctx, func(p survey.Pass) error {
		x.names.annotate(ctx, x.env, p.Trace, true)
		m.add(&p)
		return keep(p)
	})
	m.finish()
	complain(x.env, m.result.Stats.SendErrors, m.unsent)
	return m, err
}

// add counts a pass.
func (m *measured) add(p *survey.Pass) {
	head := &m.manifest.Targets[p.Target]
	if before := m.last[p.Target]; before != nil {
		head.Noise = head.Noise.Add(snapshot.Between(before, p.Trace))
	}
	m.last[p.Target] = p.Trace
	m.unsent = cmp.Or(m.unsent, firstUnsent(p.Trace))
	for i := range p.Trace.Graph.Nodes {
		m.nodes[p.Trace.Graph.Nodes[i].Address] = true
	}
	m.passes = max(m.passes, p.Pass)
	for _, set := range p.Trace.DataSets {
		if !slices.Contains(m.manifest.DataSets, set) {
			m.manifest.DataSets = append(m.manifest.DataSets, set)
		}
	}
	head.Flows, head.Pinned = len(p.Trace.Flows), snapshot.Pin(p.Trace.Flows, p.Trace.Destination.Address)
}

// finish writes what is known at the end into the manifest.
func (m *measured) finish() {
	f := &m.manifest
	f.Ended = time.Now().UTC()
	m.took = f.Ended.Sub(f.Started)
	f.Passes, f.Complete, f.Notes = max(1, m.passes), m.result.Complete, m.result.Notes
	f.Noise = snapshot.Noise{}
	for i := range f.Targets {
		f.Targets[i].Width = cmp.Or(f.Targets[i].Width, m.result.Targets[i].Width)
		f.Noise = f.Noise.Add(f.Targets[i].Noise)
		if t := m.last[i]; t != nil && t.Reached() {
			m.reached++
		}
	}
}

// thin is how many targets have fewer than two passes.
func (m *measured) thin() int {
	n := 0
	for _, t := range m.result.Targets {
		if t.Passes < plan.MinPasses {
			n++
		}
	}
	return n
}

// manifest is what is known before the first packet.
func (x *expedition) manifest(passes int) snapshot.Manifest {
	m := snapshot.Manifest{
		Schema: snapshot.Schema, Name: x.plan.Name, Maintenance: x.options.stage, Version: Version, Started: time.Now().UTC(),
		Hostname: x.subjects[0].hostname, Seed: cmp.Or(x.options.seed, defaultSeed), Passes: passes,
		Rate: x.plan.Rate, Budget: x.plan.Budget.Seconds(), Wire: string(x.engines.of(&x.subjects[0].target).caps.Kind),
	}
	m.Ended = m.Started
	m.Plan, _ = json.Marshal(x.plan) // which has nothing that JSON cannot hold
	for i := range x.subjects {
		head := x.subjects[i].head
		if pinned := x.subjects[i].pinned; pinned != nil {
			head.Pinned, head.Flows = snapshot.Pin(pinned, x.subjects[i].address), len(pinned)
		} else {
			head.Pinned = []snapshot.Flow{}
		}
		m.Targets = append(m.Targets, head)
	}
	return m
}

// record measures into a file. If nothing at all was measured, or it cannot be
// written, what had the name stays.
func (x *expedition) record(ctx context.Context, path string, passes int) (*measured, error) {
	begun := x.manifest(passes)
	w, err := snapshot.Create(path, &begun)
	if err != nil {
		return nil, plain(err)
	}
	defer w.Abort()
	var failed error
	m, err := x.run(ctx, passes, func(p survey.Pass) error {
		failed = w.Add(p.Target, p.Pass, p.Trace)
		return failed
	})
	if failed != nil {
		return m, plain(failed)
	}
	if m.passes == 0 {
		return m, cmp.Or(err, errors.New("nothing was measured"))
	}
	m.manifest.Names = x.called(ctx, m.nodes)
	return m, errors.Join(plain(w.Commit(&m.manifest)), err)
}

// called asks what nodes are called, when all measuring is over: not at all when the
// context has ended.
func (x *expedition) called(ctx context.Context, nodes map[netip.Addr]bool) map[netip.Addr]string {
	delete(nodes, netip.Addr{}) // silent ones
	if x.hosts == nil || ctx.Err() != nil {
		return nil
	}
	return x.hosts.Of(ctx, slices.SortedFunc(maps.Keys(nodes), netip.Addr.Compare), time.Duration(x.options.names.dnsTimeout))
}

// plain is an error without what would make it one of rights to send: it is about a
// file.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}
