// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v4"
)

// What is assumed where a plan does not say it.
const (
	DefaultRate   = 500 // packets a second
	DefaultPasses = 2
	// DefaultFlows is how many flows a target has at least where their number
	// follows from the width: of four next hops, 16 flows miss one once in a hundred
	// times. LeastFlows is how many there are if time is short: two next hops are
	// seen then, in 19 cases of 20.
	DefaultFlows = 16
	LeastFlows   = 6
	// Hops is how far a target is taken to be away before that is known: few paths
	// on the internet are longer.
	Hops = 16
	// routerShare is the part of the rate that one router may be made to answer, and
	// routerRate what it may be made to answer at least: every flow of every target
	// crosses the first ones.
	routerShare = 10
	routerRate  = 50
)

// RouterRate returns how many probes a second one router is made to answer, at a
// rate.
func RouterRate(rate float64) float64 { return max(routerRate, rate/routerShare) }

// Cost estimates how many packets a number of flows take, over all targets and
// passes, and how long that takes at a rate; hops is how far targets are away.
func Cost(flows, passes int, hops, rate float64) (packets int, takes time.Duration) {
	perPass := float64(flows) * hops
	seconds := max(perPass/rate, float64(flows)/RouterRate(rate)) * float64(passes)
	return int(math.Ceil(perPass * float64(passes))), time.Duration(seconds * float64(time.Second))
}

// EndsTake is how long one destination takes to answer so many packets in each pass.
func EndsTake(packets, passes int, rate float64) time.Duration {
	return time.Duration(float64(packets*passes) / RouterRate(rate) * float64(time.Second))
}

// Flows counts the flows of all targets; those that follow from a width are taken
// to be auto.
func (p *Plan) Flows(auto int) int {
	n := 0
	for i := range p.Targets {
		if f := p.Targets[i].Flows; f > 0 {
			n += f
		} else {
			n += auto
		}
	}
	return n
}

// ends counts the packets of a pass that go to destinations for their loss only, and
// those that one destination gets at most.
func (p *Plan) ends(auto int) (all, most int) {
	for i := range p.Targets {
		t := &p.Targets[i]
		flows := t.Flows
		if flows == 0 {
			flows = auto
		}
		all += flows * max(0, t.Ends-1)
		most = max(most, flows*t.Ends)
	}
	return all, most
}

// Affordable says why a budget is impossible, and what would fit; nil if it may do.
// Targets whose flows follow from a width can make do with few.
func (p *Plan) Affordable() error {
	rate, passes := p.Rate, p.Passes
	if rate == 0 {
		rate = DefaultRate
	}
	if passes == 0 {
		passes = DefaultPasses
	}
	if p.Budget == 0 {
		return nil
	}
	flows := p.Flows(LeastFlows)
	ends, slowest := p.ends(LeastFlows)
	hops := Hops + float64(ends)/float64(max(1, flows))
	packets, takes := Cost(flows, passes, hops, rate)
	takes = max(takes, EndsTake(slowest, passes, rate))
	if takes <= p.Budget {
		return nil
	}
	fits := float64(p.Budget) / float64(takes)
	message := fmt.Sprintf("a budget of %v is impossible: %d flows to %d targets in %d passes are about %d packets, which take %v at %v a second; a budget of %v would do",
		p.Budget, flows, len(p.Targets), passes, packets, takes.Round(time.Second/10), rate, ceilSeconds(takes))
	if atRate := math.Ceil(float64(packets) / p.Budget.Seconds()); atRate <= MaxRate {
		if _, takes := Cost(flows, passes, hops, atRate); max(takes, EndsTake(slowest, passes, atRate)) <= p.Budget {
			message += fmt.Sprintf(", or a rate of %.0f", atRate)
		}
	}
	if n := int(float64(flows) * fits); n >= len(p.Targets) {
		message += fmt.Sprintf(", or %d flows in all", n)
	}
	return fmt.Errorf("%s", message)
}

func (r *reader) affordable(p *Plan, n *yaml.Node) error {
	if err := p.Affordable(); err != nil {
		return r.wrong(n, "%s", err.Error())
	}
	return nil
}

func ceilSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
