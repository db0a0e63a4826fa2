// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"math"
	"time"
)

// check refuses numbers that the schema rules out and that would be shown as if
// they had been measured: negative counts and times, shares beyond 1.
func (d *document) check() error {
	c, s, g := &d.Config, &d.Stats, &d.Guarantee
	for _, count := range []struct {
		key string
		n   int
	}{
		{"config.paths", int(c.Paths)},
		{"config.retries", c.Retries},
		{"config.repeats", c.Repeats},
		{"config.size_bytes", c.Size},
		{"config.masked_hops", c.Masked},
		{"stats.probes", s.Probes},
		{"stats.replies", s.Replies},
		{"stats.retries", s.Retries},
		{"stats.duplicates", s.Duplicates},
		{"stats.late", s.Late},
		{"stats.unmatched", s.Unmatched},
		{"stats.send_errors", s.SendErrors},
		{"stats.foreign", s.Foreign},
		{"stats.malformed", s.Malformed},
		{"stats.unattributed", s.Unattributed},
	} {
		if count.n < 0 {
			return fmt.Errorf("%s: %d is no count", count.key, count.n)
		}
	}
	if c.Masked > mostMasked {
		return fmt.Errorf("config.masked_hops: %d is more than %d", c.Masked, mostMasked)
	}
	for i := range d.MTUs {
		if n := d.MTUs[i].Bytes; n < 0 {
			return fmt.Errorf("path_mtus: %d is no size", n)
		}
	}
	shares := []struct {
		key   string
		share float64
	}{
		{"config.confidence", c.Confidence},
		{"guarantee.confidence", g.Confidence},
		{"guarantee.alpha", g.Alpha},
		{"guarantee.min_share", g.MinShare},
	}
	for _, h := range [][]docHopShare{g.Short, g.Hops} {
		for i := range h {
			shares = append(shares, struct {
				key   string
				share float64
			}{"guarantee: min_share of a hop", h[i].MinShare})
		}
	}
	for _, x := range shares {
		if x.share < 0 || x.share > 1 {
			return fmt.Errorf("%s: %v is not between 0 and 1", x.key, x.share)
		}
	}
	return nil
}

// duration reads microseconds that cannot be negative.
func duration(us int64) (time.Duration, error) {
	if us < 0 || us > math.MaxInt64/int64(time.Microsecond) {
		return 0, fmt.Errorf("%d µs is no time that anything takes", us)
	}
	return time.Duration(us) * time.Microsecond, nil
}

// known returns the balancer if it is one of those that there are: a newer
// version may know others.
func (b Balancer) known() Balancer {
	switch b {
	case BalancerPerFlow, BalancerPerPacket, BalancerPerDestination:
		return b
	case BalancerUnknown:
	}
	return BalancerUnknown
}
