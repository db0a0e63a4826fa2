// SPDX-License-Identifier: BSD-3-Clause

//go:build 386 || arm || mips || mipsle

package enrichtest

import (
	"errors"
	"fmt"
)

// MMDB cannot make MMDB files here: the package that writes them does not compile
// for 32 bits. The one that reads them does.
func MMDB(string, ...Network) ([]byte, error) {
	return nil, fmt.Errorf("write an MMDB file on 32 bits: %w", errors.ErrUnsupported)
}
