// SPDX-License-Identifier: BSD-3-Clause

package image

import "encoding/binary"

// CapabilityAttribute is the extended attribute that holds a file's
// capabilities.
const CapabilityAttribute = "security.capability"

// NetRaw is the attribute's value for cap_net_raw+p: struct vfs_cap_data of
// linux/capability.h, revision 2, little endian.
//
// The capability is permitted, not effective, for two reasons. The program
// raises it itself, while it opens its sockets. And a program whose
// capabilities are effective is not started at all (EPERM) where the container
// may not have them; this one is, and can say what is missing.
func NetRaw() string {
	const (
		revision2 = 0x02000000
		effective = 0x000001 // VFS_CAP_FLAGS_EFFECTIVE, not set
		netRaw    = 13       // CAP_NET_RAW
	)
	words := []uint32{
		revision2 &^ effective,
		1 << netRaw, 0, // permitted, inheritable: capabilities 0 to 31
		0, 0, // 32 to 63
	}
	var value []byte
	for _, word := range words {
		value = binary.LittleEndian.AppendUint32(value, word)
	}
	return string(value)
}
