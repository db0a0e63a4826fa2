// SPDX-License-Identifier: BSD-3-Clause

// Package topologies carries the test networks that are built into the
// program. It reads nothing: package topology does. To add a network, add a
// file; its name is the file's without the ending.
package topologies

import "embed"

// Files are the networks, one .txtar file each.
//
//go:embed *.txtar
var Files embed.FS
