// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"traceflow/discover"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/probe"
)

// surveyOptions are the flags of commands that measure many destinations: a
// snapshot, and what a maintenance begins with.
type surveyOptions struct {
	probeOptions
	names           annotateOptions
	plan, name      string
	paths           pathCount
	passes, ends    int
	budget, timeout seconds
	rate            float64
	retries         int
	vary            string
	ipv4, ipv6      bool
	source, iface   string
	wire, sim       string
	seed            uint64
	quiet           bool
	stage           snapshot.Stage // of a maintenance
	given           func(flag string) bool
}

// defaultSeed makes snapshots of one plan have the same flows, which is what they
// are compared by.
const defaultSeed = 1

func (o *surveyOptions) addFlags(c *cobra.Command) {
	o.timeout = seconds(probe.DefaultTimeout)
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.plan, "plan", "", "`file` that names targets and what to expect (YAML)")
	f.VarP(&o.paths, "paths", "P", "`number` of flows to each target; auto: as many as its width takes, 16 to 64")
	f.IntVar(&o.passes, "passes", plan.DefaultPasses, "`times` to measure each target")
	f.IntVar(&o.ends, "ends", 1, "`packets` of each flow to its destination, for its loss")
	f.Var(&o.budget, "budget", "longest `time` to take, seconds (default: no limit)")
	f.Float64Var(&o.rate, "rate", plan.DefaultRate, "highest `pace`, packets/s, of all targets together")
	f.BoolVarP(&o.udp, "udp", "U", false, "probe with UDP datagrams (the default)")
	f.BoolVarP(&o.tcp, "tcp", "T", false, "probe with TCP SYNs")
	f.BoolVarP(&o.icmp, "icmp", "I", false, "probe with ICMP echo requests")
	f.IntVar(&o.sourcePort, "srcport", 33452, "source `port` base: flows use ports above it")
	f.IntVarP(&o.destinationPort, "dstport", "p", 0, "destination `port` (UDP 33452, TCP 443)")
	f.StringVarP(&o.class, "tos", "t", "", "traffic `class`: a DSCP as ef, af41, cs1; or 0 to 255")
	f.StringVar(&o.vary, "vary", string(discover.VarySourcePort), "`field` flows differ in: srcport, dst (last byte)")
	f.BoolVar(&o.mtu, "mtu", false, "measure the MTU of every path, too")
	f.BoolVarP(&o.ipv4, "ipv4", "4", false, "use IPv4")
	f.BoolVarP(&o.ipv6, "ipv6", "6", false, "use IPv6")
	f.StringVarP(&o.source, "source", "s", "", "source `address`")
	f.StringVarP(&o.iface, "interface", "i", "", "`name` of the interface to send from")
	f.IntVar(&o.retries, "retries", 2, "`times` to resend an unanswered probe")
	f.VarP(&o.timeout, "timeout", "w", "longest wait for a reply, `seconds`")
	f.StringVar(&o.wire, "wire", "auto", "`way` to send: raw (needs CAP_NET_RAW), sockets,\nauto (raw if permitted)")
	f.StringVar(&o.sim, "sim", "", "measure a network in memory: a `file`, or one built in")
	f.Uint64Var(&o.seed, "seed", 0, "`number` that flows follow from (default 1)")
	o.names.addNameFlags(c)
	f.BoolVar(&o.quiet, "quiet", false, "only errors on standard error")
}

// validate refuses what cannot work before anything is opened or sent.
func (o *surveyOptions) validate(given func(string) bool, args []string) error {
	o.given = given
	if err := checkRanges([]flagRange{
		{"passes", o.passes, plan.MinPasses, plan.MaxPasses},
		{"ends", o.ends, 1, plan.MaxEnds},
		{"srcport", o.sourcePort, 0, 65535 - plan.MaxFlows},
		{"retries", o.retries, 0, 100},
		{"paths", int(o.paths), 0, plan.MaxFlows},
	}); err != nil {
		return err
	}
	if err := o.probeOptions.validate(given, o.vary); err != nil {
		return err
	}
	if given("dstport") && (o.destinationPort < 1 || o.destinationPort > 65535) {
		return fmt.Errorf("--dstport %d is not between 1 and 65535", o.destinationPort)
	}
	if err := checkRate(o.rate); err != nil {
		return err
	}
	switch {
	case o.vary != string(discover.VarySourcePort) && o.vary != string(discover.VaryDestination):
		return fmt.Errorf("--vary %q is neither srcport nor dst", o.vary)
	case given("budget") && o.budget == 0:
		return errors.New("--budget must be more than 0")
	case o.timeout <= 0:
		return errors.New("--timeout must be more than 0")
	case o.ipv4 && o.ipv6:
		return errors.New("--ipv4 and --ipv6 contradict each other")
	case slices.Contains(args, ""):
		return errors.New("the destination is empty")
	case o.plan != "" && len(args) > 0:
		return errors.New("--plan names the destinations: give it, or destinations")
	case o.sim != "" && (o.source != "" || o.iface != ""):
		return errors.New("--source and --interface are of this host, which --sim does not use")
	case o.plan == "" && len(args) == 0 && o.sim == "":
		return errors.New("no destination given: DEST..., or --plan FILE")
	}
	for _, flag := range []string{"udp", "tcp", "icmp", "dstport", "vary", "mtu", "ends", "ipv4", "ipv6", "paths"} {
		if o.plan != "" && given(flag) {
			return fmt.Errorf("--plan says how each target is probed, and --%s does: put it under defaults there", flag)
		}
	}
	if err := o.names.validate(given, o.sim != ""); err != nil {
		return err
	}
	return checkWire(o.wire, o.source, o.sim)
}

// readPlan returns the plan that the flags give, or make of destinations.
func (o *surveyOptions) readPlan(args []string) (*plan.Plan, error) {
	p := &plan.Plan{}
	if o.plan != "" {
		data, err := readBounded(o.plan, plan.LargestFile)
		if err != nil {
			return nil, err
		}
		if p, err = plan.Read(o.plan, data); err != nil {
			return nil, &planError{err}
		}
	} else {
		if len(args) == 0 {
			args = []string{""} // that of --sim
		}
		for _, name := range args {
			t := plan.Target{Destination: name, Flows: int(o.paths), Protocol: o.protocol().String(), Vary: o.vary, MTU: o.mtu}
			if o.ends > 1 {
				t.Ends = o.ends
			}
			if o.given("dstport") {
				t.Port = o.destinationPort
			}
			switch {
			case o.ipv4:
				t.Family = 4
			case o.ipv6:
				t.Family = 6
			}
			p.Targets = append(p.Targets, t)
		}
	}
	if o.given("rate") || p.Rate == 0 {
		p.Rate = o.rate
	}
	if o.given("passes") || p.Passes == 0 {
		p.Passes = o.passes
	}
	if o.given("budget") {
		p.Budget = time.Duration(o.budget)
	}
	if o.name != "" {
		p.Name = o.name
	}
	return p, usage(p.Affordable())
}

// planError is what is wrong in a plan; it says where.
type planError struct{ error }

func (e *planError) Unwrap() error { return e.error }
