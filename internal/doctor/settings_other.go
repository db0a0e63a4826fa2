// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

package doctor

// readSettings knows of none: the names and the meanings are Linux's.
func readSettings(containerRuntime) *settings { return &settings{} }
