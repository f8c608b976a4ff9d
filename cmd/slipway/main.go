// Command slipway is continuous delivery for applications on AWS Fargate; see
// `slipway --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/slipway-cd/slipway/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second one ends the process at once
	os.Exit(cli.Main(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
