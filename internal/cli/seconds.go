// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// seconds is a flag of a length of time: a number of seconds, with or without
// a fraction, or a Go duration such as 250ms.
type seconds time.Duration

// String implements pflag.Value.
func (s *seconds) String() string {
	return strconv.FormatFloat(time.Duration(*s).Seconds(), 'g', -1, 64)
}

// Type implements pflag.Value.
func (s *seconds) Type() string { return "seconds" }

// Set implements pflag.Value.
func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt32 {
			return fmt.Errorf("%q is neither seconds nor a duration like 250ms", text)
		}
		d = time.Duration(f * float64(time.Second))
	}
	if d < 0 {
		return fmt.Errorf("%q is negative", text)
	}
	*s = seconds(d)
	return nil
}

// gap is the flag of the time between two probes. Linux traceroute takes a
// number above 10 for milliseconds, and so does this.
type gap seconds

// String implements pflag.Value.
func (g *gap) String() string { return (*seconds)(g).String() }

// Type implements pflag.Value.
func (g *gap) Type() string { return (*seconds)(g).Type() }

// Set implements pflag.Value.
func (g *gap) Set(text string) error {
	if err := (*seconds)(g).Set(text); err != nil {
		return err
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f > 10 {
		*g /= 1000
	}
	return nil
}
