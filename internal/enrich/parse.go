// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"net/netip"
	"time"
)

// parsed is a text table that was read.
type parsed struct {
	builder *builder
	// rows are those of the file, among them those that say nothing.
	rows int
	// date is when the data were made, as far as the file tells.
	date time.Time
	// The families of its rows.
	v4, v6 bool
}

// family notes that a row is of the family of an address.
func (p *parsed) family(address netip.Addr) {
	if address.Is4() {
		p.v4 = true
	} else {
		p.v6 = true
	}
}

// announced makes p that of a BGP table.
func (p *parsed) announced(all announcements) (parsed, error) {
	p.rows = len(all)
	var err error
	p.builder, err = all.builder()
	return *p, err
}
