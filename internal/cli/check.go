// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"traceflow/internal/plan"
	"traceflow/probe"
)

// flagRange is what the value of a flag lies between.
type flagRange struct {
	flag            string
	value, from, to int
}

// checkRanges refuses the first value that does not.
func checkRanges(all []flagRange) error {
	for _, r := range all {
		if r.value < r.from || r.value > r.to {
			return fmt.Errorf("--%s %d is not between %d and %d", r.flag, r.value, r.from, r.to)
		}
	}
	return nil
}

// checkRate refuses a pace of a survey that plans refuse, too.
func checkRate(rate float64) error {
	if !(rate >= plan.MinRate && rate <= plan.MaxRate) {
		return fmt.Errorf("--rate %v is not between %d and %d", rate, plan.MinRate, plan.MaxRate)
	}
	return nil
}

// checkWire refuses values of --wire, --source and --sim that cannot be, alone or
// together.
func checkWire(wire, source, sim string) error {
	if source != "" {
		if _, err := netip.ParseAddr(source); err != nil {
			return fmt.Errorf("--source %q is no IP address", source)
		}
	}
	switch wires := here().wires; {
	case wire == string(probe.KindSim) && sim == "":
		return errors.New("--wire sim needs --sim FILE|NAME")
	case wire == string(probe.KindSim):
		return nil
	case !slices.Contains(wires, wire):
		return fmt.Errorf("--wire %q is none of %s", wire, strings.Join(wires, ", "))
	case sim != "" && wire != string(probe.KindAuto):
		return fmt.Errorf("--wire %s and --sim contradict each other", wire)
	}
	return nil
}
