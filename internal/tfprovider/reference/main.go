// Command reference writes the provider's pages out of its schema, with the
// examples beside them; see `make generate`.
//
//	reference DOCS EXAMPLES
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/slipway-cd/slipway/internal/tfprovider"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: reference DOCS EXAMPLES")
	}
	if err := write(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// write writes all pages.
func write(ctx context.Context, docs, examples string) error {
	made := tfprovider.New(tfprovider.Options{})
	var metadata provider.MetadataResponse
	made.Metadata(ctx, provider.MetadataRequest{}, &metadata)
	var block provider.SchemaResponse
	made.Schema(ctx, provider.SchemaRequest{}, &block)
	pages := map[string]page{"index.md": {
		title: metadata.TypeName + " provider", about: block.Schema.MarkdownDescription,
		example: "provider/provider.tf", body: attributes("", described(block.Schema.Attributes)) + further,
	}}
	for _, source := range made.DataSources(ctx) {
		name, p := sourcePage(ctx, metadata.TypeName, source())
		pages["data-sources/"+strings.TrimPrefix(name, metadata.TypeName+"_")+".md"] = p
	}
	if with, ok := made.(provider.ProviderWithFunctions); ok {
		for _, f := range with.Functions(ctx) {
			name, p := functionPage(ctx, f())
			pages["functions/"+name+".md"] = p
		}
	}
	for path, p := range pages {
		if err := p.write(filepath.Join(docs, path), examples); err != nil {
			return err
		}
	}
	return nil
}

// further leads on from the first page.
const further = "\n## Further\n\n[Install it](guides/install.md), also where there is no network.\n"

// page is one page.
type page struct {
	title, about string
	example      string // its file among the examples
	body         string // what follows the example
}

func (p page) write(path, examples string) error {
	example, err := os.ReadFile(filepath.Join(examples, p.example))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	first, _, _ := strings.Cut(p.about, ". ")
	text := fmt.Sprintf("---\npage_title: %q\ndescription: %q\n---\n\n# %s\n\n<!-- Made by `make generate` out of internal/tfprovider and terraform/provider-examples. -->\n\n%s\n\n## Example\n\n```terraform\n%s```\n%s",
		p.title, strings.TrimSuffix(first, "."), p.title, p.about, example, p.body)
	return os.WriteFile(path, []byte(text), 0o644)
}

func sourcePage(ctx context.Context, provider string, source datasource.DataSource) (name string, p page) {
	var metadata datasource.MetadataResponse
	source.Metadata(ctx, datasource.MetadataRequest{ProviderTypeName: provider}, &metadata)
	var block datasource.SchemaResponse
	source.Schema(ctx, datasource.SchemaRequest{}, &block)
	return metadata.TypeName, page{
		title: metadata.TypeName + " data source", about: block.Schema.MarkdownDescription,
		example: "data-sources/" + metadata.TypeName + "/data-source.tf",
		body:    attributes("", described(block.Schema.Attributes)),
	}
}

func functionPage(ctx context.Context, f function.Function) (name string, p page) {
	var metadata function.MetadataResponse
	f.Metadata(ctx, function.MetadataRequest{}, &metadata)
	var definition function.DefinitionResponse
	f.Definition(ctx, function.DefinitionRequest{}, &definition)
	d := definition.Definition
	var parameters []string
	var b strings.Builder
	for i, parameter := range d.Parameters {
		parameters = append(parameters, parameter.GetName()+" "+strings.ToLower(kind(parameter.GetType())))
		fmt.Fprintf(&b, "%d. `%s` (%s) %s\n", i+1, parameter.GetName(), kind(parameter.GetType()), parameter.GetMarkdownDescription())
	}
	signature := fmt.Sprintf("\n## Signature\n\n```text\n%s(%s) %s\n```\n\n## Arguments\n\n", metadata.Name, strings.Join(parameters, ", "), strings.ToLower(kind(d.Return.GetType())))
	return metadata.Name, page{
		title: metadata.Name + " function", about: d.MarkdownDescription,
		example: "functions/" + metadata.Name + "/function.tf", body: signature + b.String(),
	}
}

// attribute is what every block's attributes have.
type attribute interface {
	IsRequired() bool
	IsOptional() bool
	GetType() attr.Type
	GetMarkdownDescription() string
}

func described[A attribute](of map[string]A) map[string]attribute {
	all := make(map[string]attribute, len(of))
	for name, a := range of {
		all[name] = a
	}
	return all
}

// attributes lists a block's attributes, and behind them those inside of them.
func attributes(inside string, all map[string]attribute) string {
	var b, nested strings.Builder
	for _, group := range []struct {
		title string
		has   func(attribute) bool
	}{
		{"Required", attribute.IsRequired},
		{"Optional", attribute.IsOptional},
		{"Read-only", func(a attribute) bool { return !a.IsRequired() && !a.IsOptional() }},
	} {
		title := "\n## " + group.title + "\n\n"
		if inside != "" {
			title = "\n## Read-only in `" + inside + "`\n\n"
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			a := all[name]
			if !group.has(a) {
				continue
			}
			fmt.Fprintf(&b, "%s- `%s` (%s) %s\n", title, name, kind(a.GetType()), a.GetMarkdownDescription())
			title = ""
			if object, ok := a.(schema.SingleNestedAttribute); ok {
				nested.WriteString(attributes(name, described(object.Attributes)))
			}
		}
	}
	return b.String() + nested.String()
}

// kind is a type as Terraform's users know it.
func kind(of attr.Type) string {
	switch t := of.(type) {
	case basetypes.StringType:
		return "String"
	case basetypes.BoolType:
		return "Boolean"
	case basetypes.MapType:
		return "Map of " + kind(t.ElemType)
	case basetypes.ObjectType:
		return "Object"
	}
	return of.String()
}
