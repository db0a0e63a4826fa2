// SPDX-License-Identifier: BSD-3-Clause

package render

import "io"

// DifferenceHTML draws.
func DifferenceHTML(w io.Writer, d *Difference, _ Options) error { return nil }
