// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"traceflow"
	"traceflow/internal/enrich"
	"traceflow/internal/topology"
)

// annotateOptions are the flags that say where names, ASes and places come from.
type annotateOptions struct {
	numeric, cymru bool
	data           dataFolder
	resolver       nameServer
	dnsTimeout     seconds
}

func (o *annotateOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVarP(&o.cymru, "cymru", "A", false, "ask Team Cymru, by DNS, for unknown ASes")
	o.addNameFlags(c)
}

// addNameFlags adds those of commands that ask name servers for names only.
func (o *annotateOptions) addNameFlags(c *cobra.Command) {
	o.dnsTimeout = seconds(enrich.DefaultTimeout)
	f := c.Flags()
	f.BoolVarP(&o.numeric, "numeric", "n", false, "ask no name server what hosts are called")
	f.Var(&o.resolver, "resolver", "name `server` to ask: ADDR[:PORT] (the system's)")
	f.Var(&o.dnsTimeout, "dns-timeout", "longest `time` for all names, seconds")
	f.StringVar((*string)(&o.data), "data", "", "`folder` of the data sets; also TRACEFLOW_DATA")
}

// validate refuses what contradicts itself; sim is whether no real network is
// used.
func (o *annotateOptions) validate(given func(flag string) bool, sim bool) error {
	for _, flag := range []string{"cymru", "resolver", "dns-timeout", "data"} {
		if sim && given(flag) {
			return fmt.Errorf("--%s is for real networks, and --sim asks nobody: its file has the names", flag)
		}
	}
	for _, flag := range []string{"resolver", "dns-timeout"} {
		if o.numeric && !o.cymru && given(flag) {
			return fmt.Errorf("--numeric asks no name server, so --%s has no effect", flag)
		}
	}
	if o.dnsTimeout <= 0 {
		return errors.New("--dns-timeout must be more than 0; --numeric asks nobody")
	}
	return nil
}

// nameServer is the flag of a name server's address.
type nameServer netip.AddrPort

// String implements pflag.Value.
func (s *nameServer) String() string {
	if a := netip.AddrPort(*s); a.IsValid() {
		return a.String()
	}
	return ""
}

// Type implements pflag.Value.
func (s *nameServer) Type() string { return "server" }

// Set implements pflag.Value.
func (s *nameServer) Set(text string) error {
	const domain = 53
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		*s = nameServer(netip.AddrPortFrom(a, domain))
		return nil
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil || a.Port() == 0 {
		return fmt.Errorf("%q is no address of a name server: write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353", text)
	}
	*s = nameServer(a)
	return nil
}

// annotator says who and where the addresses of results are.
type annotator struct {
	enrich.Annotator
	store    *enrich.Store // nil under --sim
	reported int           // of its problems
}

// newAnnotator opens what there is on this machine. What cannot be opened is said
// and left out.
func (o *annotateOptions) newAnnotator(env Env, simulated *topology.Topology) (*annotator, error) {
	a := &annotator{Annotator: enrich.Annotator{Timeout: time.Duration(o.dnsTimeout)}}
	if simulated != nil {
		var err error
		a.Offline, err = simulatedLookups(simulated, !o.numeric)
		return a, err
	}
	server := netip.AddrPort(o.resolver)
	if !o.numeric {
		a.Names = enrich.NewNames(server)
	}
	if o.cymru {
		a.Cymru = enrich.NewCymru(server)
	}
	a.store = enrich.OpenStore(o.data.toRead())
	a.Offline = []enrich.Lookup{a.store}
	a.report(env)
	return a, nil
}

// simulatedLookups are what a network in memory says of itself: the names of its
// nodes, and its table of prefixes.
func simulatedLookups(network *topology.Topology, names bool) ([]enrich.Lookup, error) {
	set := traceflow.DataSet{Name: "sim", Kind: "sim"}
	var all []enrich.Lookup
	if names {
		hosts := make(map[netip.Addr]string)
		for i := range network.Nodes {
			n := &network.Nodes[i]
			hosts[n.Address4], hosts[n.Address6] = n.Name, n.Name
		}
		delete(hosts, netip.Addr{}) // of a family that the network has not
		all = append(all, enrich.NewHosts(set, hosts))
	}
	if network.Prefixes != nil {
		table, err := enrich.ParsePrefixes(bytes.NewReader(network.Prefixes), "section prefixes")
		if err != nil {
			return nil, err
		}
		store := &enrich.Store{}
		store.AddTable(set, table)
		all = append(all, store)
	}
	return all, nil
}

// annotate says in a result who and where its addresses are. Measuring is over
// by then; when the context ends, so does asking.
func (a *annotator) annotate(ctx context.Context, env Env, t *traceflow.Trace, quiet bool) {
	if (a.Names != nil || a.Cymru != nil) && env.Terminal && !quiet {
		fmt.Fprint(env.Err, "looking up names")
		defer fmt.Fprint(env.Err, "\r\x1b[K")
	}
	a.Annotate(ctx, t)
}

// report says which data sets are left out, each once.
func (a *annotator) report(env Env) {
	if a.store == nil {
		return
	}
	problems := a.store.Problems()
	for _, err := range problems[a.reported:] {
		fmt.Fprintf(env.Err, "traceflow: %s\n", printable(err.Error()))
	}
	a.reported = len(problems)
}

func (a *annotator) close() {
	if a.store != nil {
		_ = a.store.Close() // it was only read
	}
}
