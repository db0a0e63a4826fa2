// SPDX-License-Identifier: BSD-3-Clause

// Command traceflow finds every path that packets take between this host and
// a destination, flow by flow.
package main

import (
	"context"
	"os"

	"traceflow/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), cli.System(), os.Args[1:]))
}
