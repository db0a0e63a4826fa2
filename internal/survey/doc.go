// SPDX-License-Identifier: BSD-3-Clause

// Package survey measures many destinations in passes, so that two surveys of the
// same flows can be compared: pass 1 of all, then pass 2 of all, at one rate and
// within one budget of time.
//
// It reaches the network through a Prober, as package discover does whose
// algorithm it runs for each destination, and through nothing else: it resolves no
// name and writes no file. The gate stands between all of them and the Prober. It
// keeps the rate, and sees to it that no router has to answer more than its part:
// every flow of every target crosses the first ones.
package survey
