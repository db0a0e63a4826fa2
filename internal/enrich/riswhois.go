// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// readRISWhois reads a dump of RIPE's RISwhois: origin, prefix, and by how many
// peers of the route collectors it is seen.
//
//	64500	192.0.2.0/24	351
//	{64501,64502}	198.51.100.0/24	2
//
// Its comments tell when it was made.
func readRISWhois(r io.Reader) (parsed, error) {
	var all announcements
	var out parsed
	err := eachLine(r, func(text string) {
		if out.date.IsZero() {
			out.date = dateIn(text)
		}
	}, func(_ int, text string) error {
		fields := strings.Split(text, "\t")
		if len(fields) != 3 {
			return fmt.Errorf("%d fields where origin, prefix and peers belong", len(fields))
		}
		asns, err := parseASSet(fields[0])
		if err != nil {
			return err
		}
		prefix, err := parsePrefix(fields[1])
		if err != nil {
			return err
		}
		peers, err := strconv.ParseUint(fields[2], 10, 32)
		if err != nil {
			return fmt.Errorf("%s is no number of peers", quote(fields[2]))
		}
		out.family(prefix.Addr())
		return all.add(prefix, uint32(peers), asns...)
	})
	if err != nil {
		return parsed{}, err
	}
	return out.announced(all)
}

// parseASSet reads 64500 and {64501,64502}.
func parseASSet(s string) ([]uint32, error) {
	inner, braced := strings.CutPrefix(s, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if braced != closed {
		return nil, fmt.Errorf("%s is no AS number", quote(s))
	}
	var asns []uint32
	for field := range strings.SplitSeq(inner, ",") {
		asn, err := parseASN(field)
		if err != nil {
			return nil, err
		}
		if asns = append(asns, asn); len(asns) > maxSet {
			return nil, errors.New("more origins than there can be")
		}
	}
	return asns, nil
}

// maxSet bounds an AS set.
const maxSet = 1000

var (
	isoDate = regexp.MustCompile(`\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?`)
	// As date(1) writes it, with or without a zone.
	unixDate = regexp.MustCompile(`\b([A-Z][a-z]{2}) ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?: [A-Z]{3,4})? (20\d\d)\b`)
)

// dateIn returns the first date in a line of text, in UTC; zero if there is none.
func dateIn(text string) time.Time {
	if s := isoDate.FindString(text); s != "" {
		s = strings.Replace(s, " ", "T", 1)
		for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				return t
			}
		}
	}
	if m := unixDate.FindStringSubmatch(text); m != nil {
		if t, err := time.Parse("Jan 2 15:04:05 2006", strings.Join(m[2:], " ")); err == nil {
			return t
		}
	}
	return time.Time{}
}
