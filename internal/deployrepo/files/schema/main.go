// Command schema writes the JSON Schemas of slipway.yaml and pipeline.yaml,
// made of the Go types that read them, into the folder that it is given. It
// runs in its own folder, as go generate does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/invopop/jsonschema"

	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

//go:generate go run . ../../../../docs/schema

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("name the folder to write to")
	}
	schemas, err := generate()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	for name, text := range schemas {
		if err := os.WriteFile(filepath.Join(args[0], name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the schemas by file name.
func generate() (map[string][]byte, error) {
	reflector := &jsonschema.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true, // there are none: every key is optional
		Mapper:                     scalar,
	}
	// The package's own path is where ".." leads from here.
	if err := reflector.AddGoComments("github.com/slipway-cd/slipway/internal/deployrepo/files/schema", ".."); err != nil {
		return nil, err
	}
	schemas := map[string][]byte{}
	for name, value := range map[string]any{
		"slipway.schema.json":  files.Repository{},
		"pipeline.schema.json": files.Pipeline{},
	} {
		text, err := json.MarshalIndent(reflector.Reflect(value), "", "  ")
		if err != nil {
			return nil, err
		}
		schemas[name] = append(text, '\n')
	}
	return schemas, nil
}

// scalar is the schema of a type that is written as one word.
func scalar(t reflect.Type) *jsonschema.Schema {
	switch value := reflect.New(t).Interface().(type) {
	case interface{ Pattern() string }:
		return &jsonschema.Schema{Type: "string", Pattern: value.Pattern()}
	case interface{ Values() []string }:
		schema := &jsonschema.Schema{Type: "string"}
		for _, word := range value.Values() {
			schema.Enum = append(schema.Enum, word)
		}
		return schema
	case *files.Switch:
		return &jsonschema.Schema{Type: "boolean"}
	case *files.Count:
		return &jsonschema.Schema{Type: "integer", Minimum: "1", Maximum: json.Number(strconv.Itoa(files.MaxCount))}
	}
	return nil
}
