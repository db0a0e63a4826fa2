// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "lab: needs Linux; elsewhere use the simulated network")
	os.Exit(1)
}
