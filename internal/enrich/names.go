// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"traceflow"
)

// Names finds the hostnames of addresses in reverse DNS (PTR records: RFC 1035,
// section 3.5, and RFC 3596, section 2.5). It may be used by several goroutines.
type Names struct {
	asker[netip.Addr, string]
}

// NewNames asks one server, or those of the system if that is not valid.
func NewNames(server netip.AddrPort) *Names { return namesOf(newResolver(server)) }

func namesOf(r *net.Resolver) *Names {
	return &Names{asker[netip.Addr, string]{ask: func(ctx context.Context, a netip.Addr) (string, bool, error) {
		names, err := r.LookupAddr(ctx, a.String())
		name := chooseName(names)
		if name != "" || notFound(err) {
			err = nil // of several records, some may be no names
		}
		return name, name != "", err
	}}}
}

// notFound reports whether an error says that there is no such record.
func notFound(err error) bool {
	problem, ok := errors.AsType[*net.DNSError](err)
	return ok && problem.IsNotFound
}

// longestName is that of a name in DNS, in the form that people read (RFC 1035,
// section 2.3.4).
const longestName = 253

// chooseName returns the first name in the order of the alphabet, so that it
// does not depend on the order of the records, and without the last dot.
func chooseName(names []string) string {
	for _, name := range slices.Sorted(slices.Values(names)) {
		if name = strings.TrimSuffix(name, "."); name != "" && len(name) <= longestName {
			return name
		}
	}
	return ""
}

// Of asks for the names of addresses, for so long at most, and returns those that
// there are.
func (n *Names) Of(ctx context.Context, addresses []netip.Addr, limit time.Duration) map[netip.Addr]string {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	all := make(traceflow.Annotations, len(addresses))
	for i, a := range addresses {
		all[i].Address = a
	}
	n.annotate(ctx, all)
	names := make(map[netip.Addr]string)
	for i := range all {
		if name := all[i].Hostname.Name; name != "" {
			names[all[i].Address] = name
		}
	}
	return names
}

// annotate fills in the names of what has none, and returns the data set that
// they are from, if there are any.
func (n *Names) annotate(ctx context.Context, all traceflow.Annotations) []traceflow.DataSet {
	var addresses []netip.Addr
	for i := range all {
		if a := all[i].Address; all[i].Hostname.Name == "" && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() {
			addresses = append(addresses, a)
		}
	}
	set := traceflow.DataSet{Name: "dns", Kind: "dns"}
	answers := n.all(ctx, addresses)
	for i := range all {
		if x, ok := answers[all[i].Address]; ok {
			all[i].Hostname = traceflow.Hostname{Name: x.value, Source: set.Name}
			oldest(&set, x.asked)
		}
	}
	return used(set)
}
