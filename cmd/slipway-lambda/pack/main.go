// Command pack puts a Lambda function's executable into a zip file as the runtime
// provided.al2023 wants it: a file named bootstrap. The same executable makes the same
// file, byte for byte, so that a build that changed nothing updates nothing.
//
//	go run ./cmd/slipway-lambda/pack EXECUTABLE ZIP
package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"time"
)

// most is how large an executable may be, in bytes: a cold start reads all of it.
const most = 15_000_000

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack EXECUTABLE ZIP")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(executable, archive string) error {
	content, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	if len(content) >= most {
		return fmt.Errorf("%s has %d bytes, and must have less than %d: find out what it links with go version -m", executable, len(content), most)
	}
	file, err := os.Create(archive)
	if err != nil {
		return err
	}
	if err := write(file, content); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func write(out io.Writer, bootstrap []byte) error {
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755) // Lambda refuses a bootstrap that it may not execute
	file, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := file.Write(bootstrap); err != nil {
		return err
	}
	return z.Close()
}
