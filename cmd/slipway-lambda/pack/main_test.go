package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPack(t *testing.T) {
	dir := t.TempDir()
	executable := filepath.Join(dir, "slipway-lambda")
	var made [2][]byte
	for i := range made {
		// Neither the file's time nor its mode counts.
		if err := os.WriteFile(executable, []byte("#!/bin/sh\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		archive := filepath.Join(dir, "lambda.zip")
		if err := pack(executable, archive); err != nil {
			t.Fatal(err)
		}
		var err error
		if made[i], err = os.ReadFile(archive); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the same executable made two different files")
	}
	z, err := zip.NewReader(bytes.NewReader(made[0]), int64(len(made[0])))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Errorf("%v: %+v", err, z.File)
	}
}

func TestPackRefusesWhatIsTooLarge(t *testing.T) {
	dir := t.TempDir()
	executable := filepath.Join(dir, "slipway-lambda")
	if err := os.WriteFile(executable, make([]byte, most), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pack(executable, filepath.Join(dir, "lambda.zip")); err == nil {
		t.Error("it was packed")
	}
}
