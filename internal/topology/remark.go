// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"strconv"
)

// Remark is what a node does to the TOS byte, or the traffic class, of packets
// that it forwards: it clears some bits, then sets some. The zero value leaves
// the byte as it is.
type Remark struct{ Clear, Set uint8 }

// Apply returns what the node makes of a TOS byte.
func (r Remark) Apply(tos uint8) uint8 { return tos&^r.Clear | r.Set }

// The two parts of the byte (RFC 2474, section 3; RFC 3168, section 5).
const (
	ecnBits  = 0x03
	dscpBits = 0xfc
)

// setRemark reads a value for the whole byte, or what to clear of it.
func setRemark(n *Node, text string) error {
	switch text {
	case "keep":
		n.Remark = Remark{}
	case "bleach-ecn":
		n.Remark = Remark{Clear: ecnBits}
	case "bleach-dscp":
		n.Remark = Remark{Clear: dscpBits}
	default:
		value, err := strconv.ParseUint(text, 0, 8)
		if err != nil {
			return fmt.Errorf("%q is neither a byte such as 0x28 nor bleach-ecn, bleach-dscp or keep", text)
		}
		n.Remark = Remark{Clear: 0xff, Set: uint8(value)}
	}
	return nil
}
