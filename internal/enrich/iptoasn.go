// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"fmt"
	"io"
	"strings"
)

// readIPToASN reads the tables of IPtoASN: the first and the last address of a
// range, AS number, country, name of the AS. AS 0 is a range that nobody
// announces.
//
//	192.0.2.0	192.0.2.255	64500	DE	EXAMPLE-NET Example GmbH
//
// A range is no prefix that is announced: neighbours of one AS are one range.
func readIPToASN(r io.Reader) (parsed, error) {
	var out parsed
	out.builder = newBuilder()
	err := eachLine(r, nil, func(line int, text string) error {
		fields := strings.Split(text, "\t")
		if len(fields) != 5 {
			return fmt.Errorf("%d fields where first, last, AS, country and name belong", len(fields))
		}
		first, err := parseAddress(fields[0])
		if err != nil {
			return err
		}
		last, err := parseAddress(fields[1])
		if err != nil {
			return err
		}
		if first.BitLen() != last.BitLen() || last.Less(first) {
			return fmt.Errorf("%s to %s is no range", first, last)
		}
		asn, err := parseASN(fields[2])
		if err != nil {
			return err
		}
		out.family(first)
		out.rows++
		if asn == 0 {
			return nil
		}
		rec := record{asns: []uint32{asn}, asName: clean(fields[4]), originBits: unknownBits, country: country(fields[3])}
		out.builder.name(asn, rec.asName)
		return out.builder.add(first, last, rec, line)
	})
	return out, err
}
