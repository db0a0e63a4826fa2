// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"traceflow"
)

// DefaultTimeout is how long name servers are waited for in all. A resolver that
// has nothing in its cache takes a few hundred milliseconds for a name; what is
// not there after two seconds comes from servers that do not answer, and a
// resolver goes on asking those for five seconds and longer.
const DefaultTimeout = 2 * time.Second

// Lookup answers at once, from what lies on this machine.
type Lookup interface {
	// Annotate fills in what it knows of an address and out does not say yet.
	Annotate(a netip.Addr, out *traceflow.Annotation)
	// DataSets are those that have said something so far.
	DataSets() []traceflow.DataSet
}

// Annotator says who and where the addresses of traces are. It is asked when
// measuring is over: nothing in the probing path waits for it.
type Annotator struct {
	// Offline are asked first, in this order: the first that knows is believed.
	Offline []Lookup
	// Names and Cymru ask name servers for what is still not known; nil asks
	// nobody.
	Names *Names
	Cymru *Cymru
	// Timeout is how long name servers are waited for in all.
	Timeout time.Duration
}

// Annotate sets the annotations of a trace and the data sets that they are from.
// When the context ends it stops asking and takes what is there; what is on this
// machine always is.
func (n *Annotator) Annotate(ctx context.Context, t *traceflow.Trace) {
	all := make(traceflow.Annotations, 0, len(t.Graph.Nodes))
	for _, address := range Addresses(t) {
		a := traceflow.Annotation{Address: address}
		for _, l := range n.Offline {
			l.Annotate(address, &a)
		}
		all = append(all, a)
	}
	asked := n.ask(ctx, all)
	t.Annotations = slices.DeleteFunc(all, func(a traceflow.Annotation) bool { return a.IsZero() })
	t.DataSets = nil
	for _, l := range n.Offline {
		for _, s := range l.DataSets() {
			if !slices.ContainsFunc(t.DataSets, func(o traceflow.DataSet) bool { return o.Name == s.Name }) {
				t.DataSets = append(t.DataSets, s)
			}
		}
	}
	t.DataSets = append(t.DataSets, asked...)
}

// ask asks the name servers, all at once.
func (n *Annotator) ask(ctx context.Context, all traceflow.Annotations) []traceflow.DataSet {
	ctx, cancel := context.WithTimeout(ctx, n.Timeout)
	defer cancel()
	var wait sync.WaitGroup
	var names, origins []traceflow.DataSet
	if n.Names != nil {
		wait.Go(func() { names = n.Names.annotate(ctx, all) })
	}
	if n.Cymru != nil {
		wait.Go(func() { origins = n.Cymru.annotate(ctx, all) })
	}
	wait.Wait()
	return append(names, origins...)
}

// oldest sets the date of a data set that is asked piece by piece to that of its
// oldest piece.
func oldest(set *traceflow.DataSet, asked time.Time) {
	if set.Date.IsZero() || asked.Before(set.Date) {
		set.Date = asked.UTC().Round(0)
	}
}

// used leaves out a data set that nothing was got from.
func used(set traceflow.DataSet) []traceflow.DataSet {
	if set.Date.IsZero() {
		return nil
	}
	return []traceflow.DataSet{set}
}
