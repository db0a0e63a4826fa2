// SPDX-License-Identifier: BSD-3-Clause

package render

// Options are wishes of how a result is shown. A format knows those that mean
// something to it.
type Options struct {
	// Dedup shows each distinct path once, by its first flow, in the tables vert
	// and horiz. A trace that chose the number of its flows by itself is shown so
	// anyway.
	Dedup bool
	// Width is that of the terminal in columns; 0 is no limit, for a file or a
	// pipe. Formats for people shorten names to keep to it, never figures.
	Width int
	// Color is whether formats for people use colours (ECMA-48). They never say
	// anything by colour alone.
	Color bool
	// Continued is true for the second and further results on one stream, which
	// need no header of their own.
	Continued bool
	// ASCII is whether formats for people draw with ASCII only, for terminals that
	// do not show UTF-8.
	ASCII bool
}
