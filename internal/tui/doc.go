// SPDX-License-Identifier: BSD-3-Clause

// Package tui is the live screen: the paths of a trace, the hops of the one
// that is picked, and the fork between them, with loss and delay for each path.
//
// It shows what it is sent: a Screen takes messages, and its model holds
// snapshots, which never change. It does not probe, and it writes nothing but
// the screen. What came from the network or from data files is made printable
// before it is laid out.
//
// Model (model.go), update (update.go) and view (view.go, and one file for each
// pane) are apart. To add a column: a row of a table in columns.go. To add a
// key: keys.go and its case in update.go.
package tui
