// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"strconv"
	"strings"
)

// Interface is what a node's errors tell of the interface by which the packet
// came (RFC 5837, section 4). The zero value tells nothing.
type Interface struct {
	// Index, Name and MTU in bytes are left out where they are zero. The
	// node's address is told with any of them.
	Index uint32
	Name  string
	MTU   uint32
	// PerLink gives each link into the node an interface of its own: the links
	// in the order of the file have the index Index, Index+1 and so on, and
	// their number from 0 on is added to Name.
	PerLink bool
}

// Told reports whether errors tell of an interface at all.
func (i Interface) Told() bool { return i.Index != 0 || i.Name != "" || i.MTU != 0 }

// Of returns the interface of a node's link number k, counted from 0.
func (i Interface) Of(k int) Interface {
	if !i.PerLink {
		return i
	}
	if i.Index != 0 {
		i.Index += uint32(k)
	}
	if i.Name != "" {
		i.Name += strconv.Itoa(k)
	}
	return i
}

// The largest parts of an interface: the name's length byte and the number of
// a link fit into 64 bytes (RFC 5837, section 4.3).
const (
	maxInterfaceIndex = 1<<31 - 1 - MaxLinks
	maxInterfaceName  = 63 - len("65535")
)

// setInterface reads number/name/MTU, of which each may be empty.
func setInterface(n *Node, text string) error {
	perLink := n.Interface.PerLink
	n.Interface = Interface{PerLink: perLink}
	if text == "off" {
		return nil
	}
	parts := strings.Split(text, "/")
	if len(parts) > 3 {
		return fmt.Errorf("%q is no number/name/MTU", text)
	}
	parts = append(parts, "", "")
	for _, number := range []struct {
		text string
		high int
		set  *uint32
	}{{parts[0], maxInterfaceIndex, &n.Interface.Index}, {parts[2], maxLinkMTU, &n.Interface.MTU}} {
		if number.text == "" {
			continue
		}
		value, err := whole(number.text, 1, number.high)
		if err != nil {
			return err
		}
		*number.set = uint32(value)
	}
	if n.Interface.Name = parts[1]; len(n.Interface.Name) > maxInterfaceName {
		return fmt.Errorf("a name of %d bytes is longer than %d", len(n.Interface.Name), maxInterfaceName)
	}
	if !n.Interface.Told() {
		return fmt.Errorf("%q names no part of an interface", text)
	}
	return nil
}
