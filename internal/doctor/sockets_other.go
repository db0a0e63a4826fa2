// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

package doctor

// getsLabels finds nothing wrong: whether a wire of this system hands MPLS
// labels over does not depend on its kernel.
func getsLabels(bool) error { return nil }

// tryPings tries none: only Linux asks for a group.
func tryPings() []pingTry { return nil }
