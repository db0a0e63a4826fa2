// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// open opens the page in a browser, if there is one and it is wanted.
func (p *vizPage) open(address string) {
	if p.options.noBrowser || p.env.OpenBrowser == nil {
		return
	}
	wait, err := p.env.OpenBrowser(address)
	if err != nil {
		p.unopened(err)
		return
	}
	go func() { p.browser <- wait() }() // it may go on for longer than we do
}

// unopened says why no browser has been opened, if that is so.
func (p *vizPage) unopened(err error) {
	if err != nil {
		p.say("No browser opened: %s; open the address yourself", err)
	}
}

// openBrowser opens an address in the user's browser. wait returns how the command
// that does has ended.
func openBrowser(address string) (wait func() error, err error) {
	command, err := browserOf(runtime.GOOS, os.Getenv, os.Geteuid() == 0)
	if err != nil {
		return nil, err
	}
	c := exec.Command(command[0], withAddress(command[1:], address)...)
	apart(c)
	if err := c.Start(); err != nil {
		return nil, err
	}
	return func() error {
		if err := c.Wait(); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(command[0]), err)
		}
		return nil
	}, nil
}

// browserOf returns the command that opens an address on an operating system (Go's
// name for it), or why there is none.
func browserOf(system string, getenv func(string) string, root bool) ([]string, error) {
	if root && cmp.Or(getenv("SUDO_USER"), getenv("DOAS_USER"), getenv("PKEXEC_UID")) != "" {
		return nil, errors.New("this is root, whose browser is not yours")
	}
	for _, wanted := range filepath.SplitList(getenv("BROWSER")) {
		if command := strings.Fields(wanted); len(command) > 0 {
			return command, nil
		}
	}
	elsewhere := getenv("SSH_CONNECTION") != ""
	switch {
	case system == "windows" && !elsewhere:
		return []string{"rundll32", "url.dll,FileProtocolHandler"}, nil
	case system == "darwin" && !elsewhere:
		return []string{"open"}, nil
	case system == "windows" || system == "darwin":
		return nil, errors.New("the display of this machine is not where you are")
	case cmp.Or(getenv("DISPLAY"), getenv("WAYLAND_DISPLAY")) == "":
		return nil, errors.New("this machine has no display")
	}
	return []string{"xdg-open"}, nil
}

// withAddress puts an address where %s stands in the arguments of a command, and
// behind them where it does not.
func withAddress(arguments []string, address string) []string {
	var out []string
	for _, a := range arguments {
		out = append(out, strings.ReplaceAll(a, "%s", address))
	}
	if !strings.Contains(strings.Join(arguments, " "), "%s") {
		out = append(out, address)
	}
	return out
}
