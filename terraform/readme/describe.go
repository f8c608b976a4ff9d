package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-config-inspect/tfconfig"
)

// marker is the line below which everything is generated.
const marker = "<!-- Below is generated from the module: make generate. -->"

// Describe returns the generated part of the README of the module in dir, from
// the marker on. An input or output without a description is an error.
func Describe(dir string) (string, error) {
	module, diagnostics := tfconfig.LoadModule(dir)
	if diagnostics.HasErrors() {
		return "", fmt.Errorf("%s: %w", dir, diagnostics.Err())
	}
	var b strings.Builder
	fmt.Fprintln(&b, marker)
	fmt.Fprintf(&b, "\n## Requirements\n\n- Terraform %s\n", strings.Join(module.RequiredCore, ", "))
	for _, name := range slices.Sorted(maps.Keys(module.RequiredProviders)) {
		provider := module.RequiredProviders[name]
		fmt.Fprintf(&b, "- provider `%s` %s\n", provider.Source, strings.Join(provider.VersionConstraints, ", "))
	}
	if err := inputs(&b, module); err != nil {
		return "", err
	}
	if err := outputs(&b, module); err != nil {
		return "", err
	}
	makes(&b, module)
	return b.String(), nil
}

// inputs are in the order of the source, those that must be given first.
func inputs(b *strings.Builder, module *tfconfig.Module) error {
	if len(module.Variables) == 0 {
		return nil
	}
	fmt.Fprint(b, "\n## Inputs\n\n| name | | type | default |\n|---|---|---|---|\n")
	for _, variable := range slices.SortedFunc(maps.Values(module.Variables), func(x, y *tfconfig.Variable) int {
		if x.Required != y.Required {
			if x.Required {
				return -1
			}
			return 1
		}
		return before(x.Pos, y.Pos)
	}) {
		if variable.Description == "" {
			return fmt.Errorf("%s: variable %s has no description", module.Path, variable.Name)
		}
		value := "required"
		if !variable.Required {
			text, err := json.Marshal(variable.Default)
			if err != nil {
				return fmt.Errorf("%s: default of %s: %w", module.Path, variable.Name, err)
			}
			value = code(string(text))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(variable.Name), cell(variable.Description), code(oneLine(variable.Type)), value)
	}
	return nil
}

func outputs(b *strings.Builder, module *tfconfig.Module) error {
	if len(module.Outputs) == 0 {
		return nil
	}
	fmt.Fprint(b, "\n## Outputs\n\n| name | |\n|---|---|\n")
	for _, output := range slices.SortedFunc(maps.Values(module.Outputs), func(x, y *tfconfig.Output) int { return before(x.Pos, y.Pos) }) {
		if output.Description == "" {
			return fmt.Errorf("%s: output %s has no description", module.Path, output.Name)
		}
		fmt.Fprintf(b, "| %s | %s |\n", code(output.Name), cell(output.Description))
	}
	return nil
}

// makes lists what the module makes, itself and by other modules.
func makes(b *strings.Builder, module *tfconfig.Module) {
	fmt.Fprint(b, "\n## Makes\n\n")
	var lines []string
	for key := range module.ManagedResources {
		lines = append(lines, "- "+code(key)+"\n")
	}
	for _, call := range module.ModuleCalls {
		lines = append(lines, fmt.Sprintf("- what [%s](%s) makes\n", call.Source, call.Source))
	}
	if len(lines) == 0 {
		lines = append(lines, "Nothing: it only computes.\n")
	}
	slices.Sort(lines)
	fmt.Fprint(b, strings.Join(lines, ""))
}

func before(x, y tfconfig.SourcePos) int {
	if c := strings.Compare(x.Filename, y.Filename); c != 0 {
		return c
	}
	return x.Line - y.Line
}

var (
	space   = regexp.MustCompile(`\s+`)
	members = regexp.MustCompile(`([^{(\[,\s])\n\s*([^)}\]\s])`)
)

// oneLine writes a type of several lines, whose members are set apart by line
// ends, with commas.
func oneLine(text string) string {
	return space.ReplaceAllString(members.ReplaceAllString(text, "$1, $2"), " ")
}

func cell(text string) string {
	return strings.ReplaceAll(space.ReplaceAllString(text, " "), "|", `\|`)
}

func code(text string) string { return "`" + cell(text) + "`" }
