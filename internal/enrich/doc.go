// SPDX-License-Identifier: BSD-3-Clause

// Package enrich says who and where the addresses of a trace are: after the
// fact, never in the probing path.
//
// A Store answers from data sets that lie in one folder: tables of prefixes,
// each compiled into a file that is searched where it lies (Table), and MMDB
// files as their vendors make them. Each form has a file that reads it.
package enrich
