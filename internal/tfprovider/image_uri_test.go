package tfprovider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// call calls image_uri; container may be nil.
func (p *plugin) call(text string, container any) (string, *tfprotov6.FunctionError) {
	p.t.Helper()
	var arguments []*tfprotov6.DynamicValue
	for _, argument := range []any{text, container} {
		value, err := tfprotov6.NewDynamicValue(tftypes.String, tftypes.NewValue(tftypes.String, argument))
		if err != nil {
			p.t.Fatal(err)
		}
		arguments = append(arguments, &value)
	}
	resp, err := p.server.CallFunction(p.t.Context(), &tfprotov6.CallFunctionRequest{Name: "image_uri", Arguments: arguments})
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.Error != nil {
		return "", resp.Error
	}
	result, err := resp.Result.Unmarshal(tftypes.String)
	if err != nil {
		p.t.Fatal(err)
	}
	return flat("result", result)["result"], nil
}

func TestImageURI(t *testing.T) {
	t.Parallel()
	const (
		one = `[{"name": "web", "imageUri": "example.com/webapp1:1"}]`
		two = `[{"name": "web", "imageUri": "example.com/webapp1:1"}, {"name": "proxy", "imageUri": "example.com/proxy:2"}]`
	)
	for _, test := range []struct {
		name, text string
		container  any
		want       string // or
		argument   int64
		says       string
	}{
		{name: "the only one", text: one, want: "example.com/webapp1:1"},
		{name: "the only one by name", text: one, container: "web", want: "example.com/webapp1:1"},
		{name: "one of two", text: two, container: "proxy", want: "example.com/proxy:2"},
		{name: "which of two", text: two, argument: 1, says: "the revision names several containers: web, proxy\n\nhint: name one of them as container"},
		{name: "nobody", text: two, container: "app", argument: 1, says: `the revision names no container "app"; it names web, proxy`},
		{name: "no JSON", text: "[", argument: 0, says: "revision.json:1:2: is not JSON"},
		{name: "empty", text: "", argument: 0, says: "revision.json: is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, failed := newPlugin(t, nil).call(test.text, test.container)
			if got != test.want || (failed == nil) != (test.says == "") {
				t.Fatalf("got %q, %+v; want %q", got, failed, test.want)
			}
			if failed != nil && (!strings.Contains(failed.Text, test.says) || failed.FunctionArgument == nil || *failed.FunctionArgument != test.argument) {
				t.Errorf("argument %v: %s; want %d: %s", failed.FunctionArgument, failed.Text, test.argument, test.says)
			}
		})
	}
}
