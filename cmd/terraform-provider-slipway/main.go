// Command terraform-provider-slipway is the Terraform provider; Terraform starts
// it. See docs/terraform-provider.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/slipway-cd/slipway/internal/tfprovider"
)

func main() {
	debugged := flag.Bool("debug", false, "be started by a person, and print how Terraform finds this process")
	flag.Parse()
	options := tfprovider.Options{
		Version: "unknown",
		// What is written here is in Terraform's log, at debug level.
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		options.Version = build.Main.Version
	}
	if err := tfprovider.Serve(context.Background(), options, *debugged); err != nil {
		log.Fatal(err)
	}
}
