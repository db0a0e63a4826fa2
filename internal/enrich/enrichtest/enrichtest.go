// SPDX-License-Identifier: BSD-3-Clause

// Package enrichtest makes data sets for tests, none of them anybody's data.
package enrichtest

import "time"

// Built is when the files of MMDB say that they were made.
var Built = time.Date(2020, 3, 4, 5, 6, 7, 0, time.UTC)

// Network is what an MMDB file says of a prefix.
type Network struct {
	Prefix        string
	ASN           uint32
	ASName        string
	Country, City string
}
