// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"traceflow"
	"traceflow/discover"
	"traceflow/probe"
)

// traceOptions are the flags of a trace.
type traceOptions struct {
	probeOptions
	outputOptions
	annotateOptions
	liveOptions
	paths                              pathCount
	firstTTL, maxTTL, queries, retries int
	confidence                         float64
	guarantee, vary                    string
	maxProbes                          int
	timeLimit                          seconds
	given                              func(flag string) bool
	wait, timeout                      seconds
	rate                               int
	debug, quiet, helpAll              bool
	ipv4, ipv6                         bool
	source, iface                      string
	wire, sim                          string
	seed                               uint64
	rateSet, waitSet                   bool
}

const traceExamples = `  traceflow example.com                      every path, with 95 % confidence
  traceflow --tui example.com                live: loss and delay of every path
  traceflow -P 4 example.com                 four flows, whatever they show
  traceflow -6 -j example.com | jq .paths    over IPv6, as JSON
  traceflow --sim d                          a network in memory, no rights
  traceflow doctor                           what this machine lets it do`

func newTrace(env Env) *cobra.Command { return newTraceWith(new(traceOptions), env) }

// newTraceWith is the command whose flags set these options.
func newTraceWith(o *traceOptions, env Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace [flags] DEST...",
		Short: "Find the paths that packets take to a destination, flow by flow",
		Long: `traceflow finds the paths that packets take from this host to a destination. It
holds one flow's header fields constant over every TTL, changes only the source
port between flows, and follows as many flows as it takes to have seen every
link; how sure that is stands below the paths.`,
		Args:    cobra.ArbitraryArgs,
		Example: traceExamples,
		RunE: func(c *cobra.Command, args []string) error {
			if o.helpAll {
				_, err := fmt.Fprintf(env.Out, "%s\n\n%s", c.Long, traceUsage(c, true))
				return err
			}
			o.given = c.Flags().Changed
			o.rateSet, o.waitSet = c.Flags().Changed("rate"), c.Flags().Changed("wait")
			if err := o.validate(args); err != nil {
				return usage(err)
			}
			if o.format == viz {
				return o.runViz(c.Context(), env, args)
			}
			ctx, stop := env.interruptible(c.Context())
			defer stop()
			return runTrace(ctx, env, o, args)
		},
	}
	o.timeout = seconds(probe.DefaultTimeout)
	o.timeLimit = seconds(discover.DefaultTimeLimit)
	f := c.Flags()
	f.SortFlags = false
	f.VarP(&o.paths, "paths", "P", "`number` of flows; auto: all it takes")
	f.Float64Var(&o.confidence, "confidence", 0.95, "how sure to be: `level` 0.5 to 0.9999")
	f.StringVar(&o.guarantee, "guarantee", "pair", "be sure of each `unit`: pair or node")
	f.StringVar(&o.vary, "vary", "srcport", "`field` flows differ in: srcport, dstport, both,\nlabel (IPv6), dst (last byte)")
	f.IntVar(&o.maxProbes, "max-probes", discover.DefaultMaxProbes, "`count` of packets to send at most")
	f.Var(&o.timeLimit, "time-limit", "longest `time` to take, seconds")
	f.IntVarP(&o.firstTTL, "first-ttl", "f", 1, "lowest `TTL` to probe")
	f.IntVarP(&o.maxTTL, "ttl", "m", 64, "highest `TTL` to probe")
	o.probeOptions.addFlags(f)
	f.BoolVarP(&o.ipv4, "ipv4", "4", false, "use IPv4")
	f.BoolVarP(&o.ipv6, "ipv6", "6", false, "use IPv6")
	o.outputOptions.addFlags(f)
	o.annotateOptions.addFlags(c)
	o.liveOptions.addFlags(f)
	f.IntVarP(&o.queries, "queries", "q", 1, "`number` of probes for each hop, with -P N")
	f.IntVar(&o.retries, "retries", 2, "`times` to resend an unanswered probe")
	f.VarP(&o.timeout, "timeout", "w", "longest wait for a reply, `seconds`")
	f.IntVar(&o.rate, "rate", 500, "highest `pace`, packets/s; 0: no limit")
	f.VarP((*gap)(&o.wait), "wait", "z", "gap between two probes, `seconds` (ms above 10)")
	f.StringVarP(&o.source, "source", "s", "", "source `address`")
	f.StringVarP(&o.iface, "interface", "i", "", "`name` of the interface to send from")
	f.StringVar(&o.wire, "wire", "auto", "`way` to send: raw (needs CAP_NET_RAW), sockets,\nauto (raw if permitted)")
	f.StringVar(&o.sim, "sim", "", "trace a network in memory: a `file`, or one built in")
	f.Uint64Var(&o.seed, "seed", 0, "`number` that repeats random choices; 0: draw one")
	f.BoolVar(&o.debug, "debug", false, "log every packet to standard error")
	f.BoolVar(&o.quiet, "quiet", false, "only errors on standard error")
	f.BoolVar(&o.helpAll, "help-all", false, "print the help with every flag")
	return c
}

// validate refuses what cannot work before anything is opened or sent.
func (o *traceOptions) validate(args []string) error {
	if err := o.outputOptions.validate(o.given); err != nil {
		return err
	}
	if err := o.annotateOptions.validate(o.given, o.sim != ""); err != nil {
		return err
	}
	if err := checkRanges([]flagRange{
		{"first-ttl", o.firstTTL, 1, 255},
		{"ttl", o.maxTTL, 1, 255},
		{"srcport", o.sourcePort, 0, 65535},
		{"queries", o.queries, 1, 100},
		{"retries", o.retries, 0, 100},
		{"rate", o.rate, 0, 10_000_000},
	}); err != nil {
		return err
	}
	if err := o.probeOptions.validate(o.given, o.vary); err != nil {
		return err
	}
	if err := o.validateViz(args); err != nil {
		return err
	}
	if err := o.validateLive(args); err != nil {
		return err
	}
	if o.given("dstport") && (o.destinationPort < 1 || o.destinationPort > 65535) {
		return fmt.Errorf("--dstport %d is not between 1 and 65535", o.destinationPort)
	}
	switch {
	case o.sourcePort+int(o.paths) > 65535:
		return fmt.Errorf("--srcport %d and --paths %d need source ports up to %d, beyond 65535: lower one of them",
			o.sourcePort, int(o.paths), o.sourcePort+int(o.paths))
	case o.firstTTL > o.maxTTL:
		return fmt.Errorf("--first-ttl %d is above --ttl %d", o.firstTTL, o.maxTTL)
	case o.ipv4 && o.ipv6:
		return errors.New("--ipv4 and --ipv6 contradict each other")
	case o.waitSet && o.rateSet:
		return errors.New("--wait and --rate both set the pace: give one of them")
	case o.timeout <= 0:
		return errors.New("--timeout must be more than 0")
	case o.mask > 0 && o.debug:
		return errors.New("--debug logs every packet, and --mask hides some: give one of them")
	case slices.Contains(args, ""):
		return errors.New("the destination is empty")
	case o.sim == "" && len(args) == 0:
		return errors.New("no destination given")
	case o.sim != "" && len(args) > 1:
		return errors.New("--sim has one destination")
	case o.sim != "" && (o.source != "" || o.iface != ""):
		return errors.New("--source and --interface are of this host, which --sim does not use")
	}
	if err := o.validateSearch(); err != nil {
		return err
	}
	return checkWire(o.wire, o.source, o.sim)
}

// pps returns the pace in packets a second, 0 for no limit.
func (o *traceOptions) pps() float64 {
	switch {
	case o.waitSet && o.wait == 0:
		return 0
	case o.wait > 0:
		return float64(time.Second) / float64(time.Duration(o.wait))
	}
	return float64(o.rate)
}

// session is all that has to be there before the first packet.
type session struct {
	targets []target
	engines engines
	names   *annotator
}

// prepare finds the destinations, opens what is needed to probe them, and gives up
// the right to open more. observe, if it is not nil, is told of each packet's fate
// (probe.Config.Observe).
func prepare(ctx context.Context, env Env, o *traceOptions, args []string, observe func(traceflow.Exchange)) (*session, error) {
	targets, err := findTargets(ctx, o, args)
	if err != nil {
		return nil, err
	}
	if err := o.validateTargets(targets); err != nil {
		return nil, err
	}
	return openSession(env, o, targets, observe)
}

// openSession opens all sockets, and then gives up the right to.
func openSession(env Env, o *traceOptions, targets []target, observe func(traceflow.Exchange)) (*session, error) {
	engines, err := openEngines(env, o, targets, observe)
	if err != nil {
		return nil, err
	}
	if err := env.DropPrivileges(); err != nil {
		engines.close()
		return nil, err
	}
	names, err := o.newAnnotator(env, targets[0].simulated)
	if err != nil {
		engines.close()
		return nil, usagef("--sim %s: %w", o.sim, err)
	}
	return &session{targets, engines, names}, nil
}

func (s *session) close() {
	s.names.close()
	s.engines.close()
}

// runTrace measures each destination in turn and writes its result as soon as
// it is there.
func runTrace(ctx context.Context, env Env, o *traceOptions, args []string) error {
	s, err := prepare(ctx, env, o, args, nil)
	if err != nil {
		return err
	}
	defer s.close()
	targets, engines, names := s.targets, s.engines, s.names
	onScreen := o.goLive(env)
	result := exitOK
	for i := range targets {
		var t *traceflow.Trace
		var stats []traceflow.PathStats // where the format is of more than the trace
		var err error
		if onScreen {
			t, stats, err = o.runLive(ctx, env, &targets[i], engines.of(&targets[i]), names)
		} else {
			t, err = measure(ctx, env, o, &targets[i], engines.of(&targets[i]))
			names.annotate(ctx, env, t, o.quiet || o.debug)
		}
		names.report(env)
		if o.mask > 0 {
			t = t.Mask(o.mask) // all that is said from here on
			stats = t.MaskStats(stats)
		}
		if werr := o.show(env, t, stats, len(targets) > 1); werr != nil {
			return werr
		}
		complain(env, t.Stats.SendErrors, firstUnsent(t))
		if !o.quiet {
			remark(env, t, o.holdsSummary())
		}
		if err != nil && !discover.IsCancelled(ctx, err) {
			return err
		}
		if ctx.Err() != nil {
			return codeError(exitInterrupted)
		}
		if code := verdict(t); result == exitOK {
			result = code
		}
	}
	if result != exitOK {
		return codeError(result)
	}
	return nil
}

// verdict returns the exit code of one finished trace.
func verdict(t *traceflow.Trace) int {
	switch {
	case t.Reached():
		return exitOK
	case t.Stats.Probes == 0 && t.Stats.SendErrors > 0:
		return exitInternal
	case t.Stats.Replies == 0:
		return exitNoReply
	}
	return exitNotReached
}

// measure follows the flows to one destination. The trace is valid with an
// error, too, and holds what was measured before it.
func measure(ctx context.Context, env Env, o *traceOptions, target *target, e *engine) (*traceflow.Trace, error) {
	t := o.newTrace(target, e)
	if !o.quiet {
		announce(env, t)
	}
	stop := showProgress(env, !o.quiet && !o.debug, func(since time.Duration) string {
		s := e.Stats()
		return fmt.Sprintf("sent %d · replies %d · %.1f s", s.Probes, s.Replies, since.Seconds())
	})
	defer stop()
	return t, o.find(ctx, t, target, e)
}

// newTrace is a trace before the first packet.
func (o *traceOptions) newTrace(target *target, e *engine) *traceflow.Trace {
	t := &traceflow.Trace{
		Version:      Version,
		Destination:  traceflow.Destination{Name: target.name, Address: target.address},
		VantagePoint: traceflow.VantagePoint{Hostname: target.hostname, Address: target.local.Address, Interface: target.local.Interface},
		Config: traceflow.Config{
			Protocol: o.protocol(), QUIC: o.quic, TOS: o.tos, Size: o.size, DontFragment: o.dontFragment, Paths: int(o.paths), Confidence: o.confidence,
			FirstTTL: uint8(o.firstTTL), MaxTTL: uint8(o.maxTTL),
			SourcePort: uint16(o.sourcePort), DestinationPort: uint16(o.destinationPort),
			Rate: o.pps(), Retries: o.retries, Repeats: o.queries,
			Timeout: time.Duration(o.timeout), Seed: o.seed, Wire: string(e.caps.Kind),
		},
	}
	if o.paths > 0 {
		t.Flows = target.flows(o)
	}
	return t
}

// find follows the flows of a new trace. The trace is valid with an error, too.
func (o *traceOptions) find(ctx context.Context, t *traceflow.Trace, target *target, e *engine) error {
	before := e.Stats()
	t.Started = time.Now()
	r, err := o.discover(ctx, t, target, e.finder())
	if err == nil {
		err = o.finish(ctx, t, target, e, &r)
	}
	if err != nil {
		r.Complete, r.StopReason = false, traceflow.StopCancelled
	}
	t.Exchanges, t.Complete, t.StopReason = r.Exchanges, r.Complete, r.StopReason
	t.Guarantee, t.Changes = r.Guarantee, r.Changes
	t.Graph = traceflow.NewGraph(r.Walks, r.Exchanges)
	r.Classify(&t.Graph)
	if err == nil {
		err = o.measureMTU(ctx, t, target, e)
		if err != nil {
			t.Complete, t.StopReason = false, traceflow.StopCancelled
		}
	}
	t.Ended = time.Now()
	t.Stats = e.Stats().Since(before)
	return err
}

// randomSeed is short enough to be typed again.
func randomSeed() uint64 { return uint64(rand.Uint32()) }

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
