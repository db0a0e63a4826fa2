// SPDX-License-Identifier: BSD-3-Clause

package picture

import "fmt"

// What a drawing may hold. With so much it takes Place about a second, and a
// browser some; and nobody sees anything in it.
const (
	MostStations = 4_000
	MostLinks    = 20_000
)

// tooLarge says why a drawing cannot be drawn; "" if it can.
func (d *Drawing) tooLarge() string {
	if len(d.Nodes) <= MostStations && len(d.Links) <= MostLinks {
		return ""
	}
	return fmt.Sprintf("too large to draw: %d stations, %d links", len(d.Nodes), len(d.Links))
}
