// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

// Lab needs Linux: the test networks are made of its namespaces.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "lab: needs Linux; elsewhere use the simulated network")
	os.Exit(1)
}
