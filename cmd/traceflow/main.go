// SPDX-License-Identifier: BSD-3-Clause

// Command traceflow finds every path that packets take between this host and
// a destination, flow by flow.
package main

import (
	"context"
	"os"
	"os/signal"

	"traceflow/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), cli.Signals()...)
	// The first signal ends the measurement, the second the process.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, cli.System(), os.Args[1:]))
}
