// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Console is a terminal that a live screen can be shown on.
type Console struct {
	In, Out *os.File
	// Width and Height are in cells, when the program began.
	Width, Height int
	// UTF8 says that it shows more than ASCII.
	UTF8 bool
}

// consoleOf returns nil if either is no terminal, or a dumb one.
func consoleOf(in, out *os.File, width, height int) *Console {
	if width == 0 || !term.IsTerminal(int(in.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &Console{in, out, width, height, isUTF8(runtime.GOOS, os.Getenv)}
}

// isUTF8 reports what the locale says (POSIX, section 8.2). Windows has none, and
// its terminals show UTF-8.
func isUTF8(system string, getenv func(string) string) bool {
	if system == "windows" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
