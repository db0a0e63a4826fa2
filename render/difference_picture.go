// SPDX-License-Identifier: BSD-3-Clause

package render

import "io"

// NoTargetError says that there is no target of that name in both snapshots.
type NoTargetError struct{ text string }

func (e *NoTargetError) Error() string { return e.text }

// DifferenceSVG draws.
func DifferenceSVG(w io.Writer, d *Difference, _ Options) error { return nil }

// DifferenceHTML draws.
func DifferenceHTML(w io.Writer, d *Difference, _ Options) error { return nil }
