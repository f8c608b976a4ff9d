package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: readme FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

// run renews the README of each module below root.
func run(root string) error {
	modules, err := find(root)
	if err != nil {
		return err
	}
	if len(modules) == 0 {
		return fmt.Errorf("there is no module below %s", root)
	}
	var failed []error
	for _, dir := range modules {
		if err := renew(dir); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// find returns the folders below root that have a versions.tf: the modules.
func find(root string) (modules []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "versions.tf" {
			modules = append(modules, filepath.Dir(path))
		}
		return err
	})
	return modules, err
}

// renew writes what comes below the marker, and nothing where it stands already.
func renew(dir string) error {
	path := filepath.Join(dir, "README.md")
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write what the module is for, and below it %s: %w", marker, err)
	}
	head, _, found := bytes.Cut(before, []byte(marker))
	if !found {
		return fmt.Errorf("%s: there is no line %s, below which the inputs and outputs come", path, marker)
	}
	described, err := Describe(dir)
	if err != nil {
		return err
	}
	after := append(head, described...)
	if bytes.Equal(before, after) {
		return nil
	}
	return os.WriteFile(path, after, 0o644)
}
