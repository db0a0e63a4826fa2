// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"os"

	"golang.org/x/term"
)

// Console is a terminal that a live screen can be shown on.
type Console struct {
	In, Out *os.File
	// Width and Height are in cells, when the program began.
	Width, Height int
}

// consoleOf returns nil if either is no terminal, or a dumb one.
func consoleOf(in, out *os.File, width, height int) *Console {
	if width == 0 || !term.IsTerminal(int(in.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &Console{in, out, width, height}
}
