// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// resolverFacts are what became of the destination's name or, without one, which
// resolvers there are.
type resolverFacts struct {
	name      string
	literal   bool // the name is an address
	addresses []netip.Addr
	took      time.Duration
	err       error
	// servers are those of /etc/resolv.conf, read when no name was asked for.
	servers []string
	conf    error // why it cannot be read
}

func askResolver(ctx context.Context, name string) *resolverFacts {
	f := &resolverFacts{name: name}
	if name == "" {
		text, err := os.ReadFile("/etc/resolv.conf")
		f.servers, f.conf = nameservers(string(text)), err
		return f
	}
	if address, err := netip.ParseAddr(name); err == nil {
		f.literal, f.addresses = true, []netip.Addr{address.Unmap()}
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	start := time.Now()
	f.addresses, f.err = net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	f.took = time.Since(start)
	return f
}

// nameservers reads the servers out of a resolv.conf(5).
func nameservers(text string) []string {
	var servers []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "nameserver" {
			servers = append(servers, fields[1])
		}
	}
	return servers
}

// targets are the first addresses of each family, invalid where there is none.
// Without a destination there is none of either.
func (f *resolverFacts) targets() [2]netip.Addr {
	var first [2]netip.Addr
	for _, a := range f.addresses {
		i := 0
		if a = a.Unmap(); a.Is6() {
			i = 1
		}
		if !first[i].IsValid() {
			first[i] = a
		}
	}
	return first
}

func (f *resolverFacts) checks() []Check {
	c := Check{Subject: "resolver", Verdict: OK}
	var dns *net.DNSError
	switch {
	case f.literal:
		c.Finding = "not asked: an address needs none"
	case f.name == "" && f.conf != nil:
		c.Verdict = Unknown
		c.Finding = "not asked without DEST, and /etc/resolv.conf cannot be read: " + cause(f.conf)
		c.Mend = "traceflow doctor example.com"
	case f.name == "" && len(f.servers) == 0:
		c.Verdict = Limited
		c.Finding = "/etc/resolv.conf names no server: names are asked of this host itself"
		c.Mend = "cat /etc/resolv.conf"
	case f.name == "":
		c.Finding = "/etc/resolv.conf names " + strings.Join(f.servers, ", ") + "; not asked without DEST"
	case f.err == nil:
		c.Finding = fmt.Sprintf("%s is %s, after %v", f.name, listed(f.addresses), f.took.Round(time.Millisecond))
	case errors.As(f.err, &dns) && dns.IsNotFound:
		c.Verdict = Broken
		c.Finding = f.name + " has no address: check the spelling"
		c.Mend = "getent ahosts " + Word(f.name)
	case errors.Is(f.err, context.DeadlineExceeded) || errors.As(f.err, &dns) && dns.IsTimeout:
		c.Verdict = Broken
		c.Finding = fmt.Sprintf("no answer within %v: only addresses can be traced", askTimeout)
		c.Mend = "cat /etc/resolv.conf"
	case dns != nil:
		c.Verdict = Broken
		c.Finding = "cannot be asked: " + dns.Err
		c.Mend = "cat /etc/resolv.conf"
	default:
		c.Verdict = Broken
		c.Finding = "cannot be asked: " + cause(f.err)
		c.Mend = "cat /etc/resolv.conf"
	}
	return []Check{c}
}

func listed(addresses []netip.Addr) string {
	const most = 3
	var words []string
	for i, a := range addresses {
		if i == most {
			return strings.Join(words, ", ") + fmt.Sprintf(" and %d more", len(addresses)-most)
		}
		words = append(words, a.Unmap().String())
	}
	return strings.Join(words, ", ")
}
