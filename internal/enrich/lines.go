// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// maxLine is how long a line of a text table may be, in bytes.
const maxLine = 64 << 10

// eachLine calls row for every line that is neither empty nor a comment, and
// comment, unless that is nil, for those that begin with % or #.
func eachLine(r io.Reader, comment func(text string), row func(line int, text string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimRight(lines.Text(), "\r")
		switch {
		case strings.TrimSpace(text) == "":
		case text[0] == '%' || text[0] == '#':
			if comment != nil {
				comment(text)
			}
		default:
			if err := row(n, text); err != nil {
				return atLine(n, err)
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d: longer than %d bytes", n+1, maxLine)
	} else if err != nil {
		return fmt.Errorf("after line %d: %w", n, err)
	}
	return nil
}

func atLine(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

// parseASN reads an AS number; AS64500 is one, too.
func parseASN(s string) (uint32, error) {
	digits := s
	if len(s) > 2 && strings.EqualFold(s[:2], "AS") {
		digits = s[2:]
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s is no AS number", quote(s))
	}
	return uint32(n), nil
}

// parsePrefix reads a prefix of either family without bits beyond its length.
func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%s is no prefix", quote(s))
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits beyond its length: is it %s?", quote(s), p.Masked())
	}
	return p, nil
}

func parseAddress(s string) (netip.Addr, error) {
	address, err := netip.ParseAddr(s)
	if err != nil || address.Zone() != "" || address.Is4In6() {
		return netip.Addr{}, fmt.Errorf("%s is no address", quote(s))
	}
	return address, nil
}

// quote is text of a file in a message.
func quote(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strconv.Quote(s)
}
