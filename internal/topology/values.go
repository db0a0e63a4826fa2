// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oneOf sets place to what the word stands for.
func oneOf[T any](place *T, word string, words map[string]T) error {
	value, ok := words[word]
	if !ok {
		return fmt.Errorf("%q is none of %s", word, listed(words))
	}
	*place = value
	return nil
}

// anyOf sets place to the union of what the words, separated by commas, stand
// for.
func anyOf[T Fields | Mangle](place *T, text string, words map[string]T) error {
	var all T
	for word := range strings.SplitSeq(text, ",") {
		value, ok := words[word]
		if !ok {
			return fmt.Errorf("%q is none of %s", word, listed(words))
		}
		all |= value
	}
	*place = all
	return nil
}

func listed[T any](words map[string]T) string {
	names := make([]string, 0, len(words))
	for name := range words {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// whole reads a whole number between low and high.
func whole(text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is no whole number from %d to %d", text, low, high)
	}
	return n, nil
}

// share reads "30%" or "0.3".
func share(place *float64, text string) error {
	number, percent := strings.CutSuffix(text, "%")
	value, err := strconv.ParseFloat(number, 64)
	if percent {
		value /= 100
	}
	if err != nil || !(value >= 0 && value <= 1) { // NaN fails too
		return fmt.Errorf("%q is no share from 0%% to 100%%", text)
	}
	*place = value
	return nil
}

// delay reads a duration such as "100us".
func delay(place *time.Duration, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxDelay {
		return fmt.Errorf("%q is no time from 0 to %v such as 1ms or 100us", text, maxDelay)
	}
	*place = d
	return nil
}

// setLimit reads burst/interval.
func setLimit(n *Node, text string) error {
	if text == "off" {
		n.Limit = RateLimit{}
		return nil
	}
	first, second, _ := strings.Cut(text, "/")
	burst, err := whole(first, 1, maxBurst)
	if err != nil {
		return err
	}
	var interval time.Duration
	if err := delay(&interval, second); err != nil {
		return err
	}
	if interval == 0 {
		return fmt.Errorf("an interval of 0 is no limit")
	}
	n.Limit = RateLimit{Burst: burst, Interval: interval}
	return nil
}

func setQuote(n *Node, text string) (err error) {
	if text == "all" {
		n.QuoteLength = 0
		return nil
	}
	n.QuoteLength, err = whole(text, 20, maxQuote)
	return err
}

// setLabels reads label/class/TTL, separated by commas, top first.
func setLabels(n *Node, text string) error {
	n.MPLS = nil
	if text == "off" {
		return nil
	}
	for entry := range strings.SplitSeq(text, ",") {
		parts := strings.Split(entry, "/")
		if len(parts) != 3 {
			return fmt.Errorf("%q is no label/class/TTL", entry)
		}
		label, err := whole(parts[0], 0, 1<<20-1)
		if err != nil {
			return err
		}
		class, err := whole(parts[1], 0, 7)
		if err != nil {
			return err
		}
		ttl, err := whole(parts[2], 0, 255)
		if err != nil {
			return err
		}
		n.MPLS = append(n.MPLS, Label{Label: uint32(label), TC: uint8(class), TTL: uint8(ttl)})
	}
	if len(n.MPLS) > maxLabels {
		return fmt.Errorf("%d labels are more than %d", len(n.MPLS), maxLabels)
	}
	return nil
}

func setAddress4(n *Node, text string) error    { return address4Of(&n.Address4, text) }
func setAddress6(n *Node, text string) error    { return address6Of(&n.Address6, text) }
func setNATAddress4(n *Node, text string) error { return address4Of(&n.NATAddress4, text) }
func setNATAddress6(n *Node, text string) error { return address6Of(&n.NATAddress6, text) }

func address4Of(place *netip.Addr, text string) error {
	addr, err := address(text)
	if err != nil {
		return err
	}
	if !addr.Is4() {
		return fmt.Errorf("%s is not IPv4", addr)
	}
	*place = addr
	return nil
}

func address6Of(place *netip.Addr, text string) error {
	addr, err := address(text)
	if err != nil {
		return err
	}
	if !addr.Is6() || addr.Is4In6() {
		return fmt.Errorf("%s is not IPv6", addr)
	}
	*place = addr
	return nil
}

// address reads an address that a host can have.
func address(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is no IP address", text)
	}
	if addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, fmt.Errorf("%s is no address of one host on a network", addr)
	}
	return addr, nil
}
