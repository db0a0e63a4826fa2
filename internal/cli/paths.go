// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"strconv"
)

// pathCount is the value of --paths: a number of flows, or auto (0), as many
// as it takes.
type pathCount int

// String implements pflag.Value.
func (p *pathCount) String() string {
	if *p == 0 {
		return "auto"
	}
	return strconv.Itoa(int(*p))
}

// Type implements pflag.Value.
func (p *pathCount) Type() string { return "number" }

// Set implements pflag.Value.
func (p *pathCount) Set(text string) error {
	if text == "auto" {
		*p = 0
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%q is neither a number nor auto", text)
	}
	if n < 1 || n > 65535 {
		return fmt.Errorf("%d is not between 1 and 65535", n)
	}
	*p = pathCount(n)
	return nil
}
