package tfprovider

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestMain keeps the user's configuration out.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "slipway-home-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "cache"), "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
		"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
		repositoryVariable: "", codeCommitVariable: "", branchVariable: "", serverVariable: "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}

// values are a block's attributes; those that are not there are null.
type values map[string]any

// plugin is the provider as Terraform speaks to it.
type plugin struct {
	t      *testing.T
	server tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

// newPlugin returns a provider that was configured with a block.
func newPlugin(t *testing.T, block values) *plugin {
	t.Helper()
	p := &plugin{t: t}
	var err error
	if p.server, err = providerserver.NewProtocol6WithError(New(Options{Version: "test"}))(); err != nil {
		t.Fatal(err)
	}
	if p.schema, err = p.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil || len(p.schema.Diagnostics) > 0 {
		t.Fatalf("the schema: %v, %s", err, said(p.schema.Diagnostics))
	}
	configured, err := p.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: p.block(p.schema.Provider, block)})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatalf("configure: %v, %s", err, said(configured.Diagnostics))
	}
	return p
}

// block makes a whole block.
func (p *plugin) block(schema *tfprotov6.Schema, set values) *tfprotov6.DynamicValue {
	p.t.Helper()
	object, ok := schema.ValueType().(tftypes.Object)
	if !ok {
		p.t.Fatalf("the schema is a %s", schema.ValueType())
	}
	whole := make(map[string]tftypes.Value)
	for name, kind := range object.AttributeTypes {
		whole[name] = tftypes.NewValue(kind, set[name])
	}
	for name := range set {
		if _, known := whole[name]; !known {
			p.t.Fatalf("there is no attribute %s", name)
		}
	}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, whole))
	if err != nil {
		p.t.Fatal(err)
	}
	return &value
}

// read reads a data source, and returns its attributes as text or what went wrong.
func (p *plugin) read(source string, set values) (map[string]string, string) {
	p.t.Helper()
	schema := p.schema.DataSourceSchemas[source]
	config := p.block(schema, set)
	valid, err := p.server.ValidateDataResourceConfig(p.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: source, Config: config})
	if err != nil {
		p.t.Fatal(err)
	}
	if len(valid.Diagnostics) > 0 {
		return nil, said(valid.Diagnostics)
	}
	resp, err := p.server.ReadDataSource(p.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: source, Config: config})
	if err != nil {
		p.t.Fatal(err)
	}
	state, err := resp.State.Unmarshal(schema.ValueType())
	if err != nil {
		p.t.Fatal(err)
	}
	return flat("", state), said(resp.Diagnostics)
}

// flat is an object's attributes that are not null, "outer.inner" for those inside.
func flat(name string, value tftypes.Value) map[string]string {
	all := make(map[string]string)
	var inner map[string]tftypes.Value
	var text string
	var truth bool
	switch {
	case value.IsNull():
	case value.As(&inner) == nil:
		for key, value := range inner {
			maps.Copy(all, flat(strings.TrimPrefix(name+"."+key, "."), value))
		}
	case value.As(&text) == nil:
		all[name] = text
	case value.As(&truth) == nil:
		all[name] = fmt.Sprint(truth)
	default:
		all[name] = fmt.Sprint(value)
	}
	return all
}

// said are diagnostics as lines "severity, attribute: summary: detail".
func said(diags []*tfprotov6.Diagnostic) string {
	var text strings.Builder
	for _, d := range diags {
		at := "nothing"
		if d.Attribute != nil {
			at = strings.TrimSuffix(strings.TrimPrefix(d.Attribute.String(), `AttributeName("`), `")`)
		}
		fmt.Fprintf(&text, "%s at %s: %s: %s\n", d.Severity, at, d.Summary, d.Detail)
	}
	return text.String()
}

// git runs git in a folder.
func git(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "git", args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes an app's revision.json and returns the commit's id.
func commit(t *testing.T, folder, app, text string) string {
	t.Helper()
	file := filepath.Join(folder, app, "revision.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, folder, "add", ".")
	git(t, folder, "commit", "--quiet", "--message", "Deploy "+app, "--date", "2026-01-02T03:04:05+02:00")
	return git(t, folder, "rev-parse", "HEAD")
}

// newRepository is a repository with a commit for each of three apps.
func newRepository(t *testing.T) (folder string, first string) {
	t.Helper()
	folder = t.TempDir()
	git(t, folder, "init", "--quiet", "--initial-branch", "main")
	first = commit(t, folder, "cluster1/webapp1", `[{"name": "web", "imageUri": "example.com/webapp1:1"}]`)
	commit(t, folder, "cluster1/pair", `[{"name": "pair", "imageUri": "example.com/pair:1"}, {"name": "proxy", "imageUri": "example.com/proxy:2"}]`)
	commit(t, folder, "cluster1/two", `[{"name": "app", "imageUri": "example.com/app:1"}, {"name": "proxy", "imageUri": "example.com/proxy:2"}]`)
	return folder, first
}
