// Command reference writes the reference of the command line to a file; see
// `make generate`.
package main

import (
	"bytes"
	"log"
	"os"

	"github.com/slipway-cd/slipway/internal/cli"
)

func main() {
	var text bytes.Buffer
	if err := cli.WriteReference(&text); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], text.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
