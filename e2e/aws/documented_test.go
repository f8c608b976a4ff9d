//go:build e2e

package aws

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/e2e/aws/policy"
)

// person is the role that slipway is run with here. Terraform makes none: what it needs
// is what the documentation says.
const person = "arn:aws:iam::" + account + ":role/developer"

// documented are the policies of the documentation, for a person.
func documented(t *testing.T) map[string]policy.Document {
	t.Helper()
	policies := map[string]policy.Document{
		// In the text of controller.md, as what may be left away.
		"logs": {Statement: []policy.Statement{{Sid: "Explain", Effect: "Allow", Action: []string{"logs:GetLogEvents"}, Resource: []string{"*"}}}},
	}
	for _, name := range []string{"controller.md", "batch-apps.md"} {
		content, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(content), -1) {
			text := block[1]
			switch {
			case strings.HasPrefix(strings.TrimSpace(text), `{"Effect"`): // to be added to the statements above it
				text = `{"Statement": [` + text + `]}`
			case !strings.Contains(text, `"Statement"`):
				continue
			}
			document, err := policy.Parse([]byte(text))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			policies[name+" "+document.Statement[0].Action[0]] = document
		}
	}
	policies["codepipeline.md"] = policy.Document{Statement: []policy.Statement{{Effect: "Allow", Action: conducting(t), Resource: []string{"*"}}}}
	return policies
}

// conducting are the actions of CodePipeline that its documentation names in a
// paragraph: the first with its service, the others without.
func conducting(t *testing.T) (actions []string) {
	t.Helper()
	content, err := os.ReadFile("../../docs/codepipeline.md")
	if err != nil {
		t.Fatal(err)
	}
	_, paragraph, _ := strings.Cut(string(content), "\nPermissions:")
	paragraph, _, _ = strings.Cut(paragraph, "\n\n")
	for _, name := range regexp.MustCompile("`(?:codepipeline:)?([A-Z][A-Za-z]+)`").FindAllStringSubmatch(paragraph, -1) {
		actions = append(actions, "codepipeline:"+name[1])
	}
	if len(actions) < 5 {
		t.Fatalf("docs/codepipeline.md names too few permissions: %v", actions)
	}
	return actions
}

// TestDocumented: the policies of the documentation can be read, and are those that
// services, CodeDeploy, batch apps and CodePipeline need.
func TestDocumented(t *testing.T) {
	policies := documented(t)
	for _, action := range []string{"ecs:UpdateService", "codedeploy:CreateDeployment", "events:PutTargets", "codepipeline:StartPipelineExecution"} {
		if _, ok := granted(policies, policy.Request{Action: action, Resource: resources[action]}); !ok {
			text, _ := json.Marshal(policies) // texts always marshal
			t.Errorf("the documentation does not allow %s on %s: %s", action, resources[action], text)
		}
	}
}

// resources are some that the documentation's account has.
var resources = map[string]string{
	"ecs:UpdateService": "arn:aws:ecs:eu-west-1:" + account + ":service/cluster1/webapp1", "codedeploy:CreateDeployment": "*",
	"events:PutTargets": "arn:aws:events:eu-west-1:" + account + ":rule/batch", "codepipeline:StartPipelineExecution": "*",
}
