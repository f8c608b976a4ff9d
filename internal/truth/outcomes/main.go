// Command outcomes writes the truth table to a file, for users to read; see
// `make generate`.
package main

import (
	"bytes"
	"log"
	"os"

	"github.com/slipway-cd/slipway/internal/truth"
)

func main() {
	var text bytes.Buffer
	if err := truth.WriteDocument(&text); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], text.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
