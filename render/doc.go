// SPDX-License-Identifier: BSD-3-Clause

// Package render writes a trace in one format to a writer: one file for each
// format. It measures nothing, looks nothing up and decides nothing about the
// network; what a trace means is in the root package.
//
// To add a format: a file with a function of the form of Vert, its line in the
// map in internal/cli, golden files, and what is harmless in it
// (TestHostileText there).
package render
