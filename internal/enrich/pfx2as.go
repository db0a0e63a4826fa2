// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"fmt"
	"io"
	"strings"
)

// readPfx2as reads CAIDA's prefix-to-AS mapping: prefix, length, origins. Several
// origins are parted by _, the members of an AS set by commas.
//
//	192.0.2.0	24	64500
//	198.51.100.0	24	64501_64502,64503
func readPfx2as(r io.Reader) (parsed, error) {
	var all announcements
	var out parsed
	err := eachLine(r, nil, func(_ int, text string) error {
		fields := strings.Fields(text)
		if len(fields) != 3 {
			return fmt.Errorf("%d fields where prefix, length and origin belong", len(fields))
		}
		prefix, err := parsePrefix(fields[0] + "/" + fields[1])
		if err != nil {
			return err
		}
		asns, err := parseASSet(strings.ReplaceAll(fields[2], "_", ","))
		if err != nil {
			return err
		}
		out.family(prefix.Addr())
		return all.add(prefix, 0, asns...)
	})
	if err != nil {
		return parsed{}, err
	}
	return out.announced(all)
}
