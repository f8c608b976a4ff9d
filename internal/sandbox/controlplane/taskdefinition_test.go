package controlplane_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// post sends a document as it is, as a client newer than our SDK would.
func post(t *testing.T, w *sandboxtest.World, operation, document string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://sandbox.example.com/", strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", controlplane.TargetPrefix+"."+operation)
	response, err := w.HTTPClient().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return response.StatusCode, answer
}

const newer = `{
	"family": "web", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
	"newerAtTaskLevel": {"deep": [1, 2.50, null, {"a": "<&>"}], "big": 12345678901234567890},
	"volumes": [{"name": "v", "newerVolume": {"kind": "x"}}],
	"containerDefinitions": [
		{"name": "web", "image": "registry.example.com/web:1", "essential": true, "cpu": null, "newerAtContainerLevel": true,
		 "portMappings": [{"containerPort": 8080, "newerPort": "p"}],
		 "linuxParameters": {"initProcessEnabled": true, "newerLinux": [true]}},
		{"name": "sidecar", "image": "registry.example.com/sidecar@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "essential": false}
	],
	"tags": [{"key": "team", "value": "shop"}]
}`

func TestRegisterIsLossless(t *testing.T) {
	w := sandboxtest.New(t)
	status, answer := post(t, w, "RegisterTaskDefinition", newer)
	same(t, "status", 200, status)
	same(t, "tags in the answer", any([]any{map[string]any{"key": "team", "value": "shop"}}), answer["tags"])

	_, answer = post(t, w, "DescribeTaskDefinition", `{"taskDefinition": "web", "include": ["TAGS"]}`)
	same(t, "tags", any([]any{map[string]any{"key": "team", "value": "shop"}}), answer["tags"])
	td := answer["taskDefinition"].(map[string]any)
	for _, member := range []string{"registeredAt", "requiresAttributes"} {
		if td[member] == nil {
			t.Errorf("no %s", member)
		}
		delete(td, member)
	}
	n := func(s string) json.Number { return json.Number(s) }
	empty := []any{}
	same(t, "task definition", map[string]any{
		"family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
		"requiresCompatibilities": []any{"FARGATE"}, "compatibilities": []any{"EC2", "FARGATE"},
		"taskDefinitionArn": "arn:aws:ecs:ca-central-1:111122223333:task-definition/web:1",
		"revision":          n("1"), "status": "ACTIVE", "registeredBy": "arn:aws:iam::111122223333:root",
		"placementConstraints": empty,
		"newerAtTaskLevel":     map[string]any{"deep": []any{n("1"), n("2.50"), nil, map[string]any{"a": "<&>"}}, "big": n("12345678901234567890")},
		"volumes":              []any{map[string]any{"name": "v", "newerVolume": map[string]any{"kind": "x"}}},
		"containerDefinitions": []any{
			map[string]any{
				"name": "web", "image": "registry.example.com/web:1", "essential": true, "newerAtContainerLevel": true, "cpu": n("0"),
				"portMappings":    []any{map[string]any{"containerPort": n("8080"), "hostPort": n("8080"), "protocol": "tcp", "newerPort": "p"}},
				"linuxParameters": map[string]any{"initProcessEnabled": true, "newerLinux": []any{true}},
				"environment":     empty, "mountPoints": empty, "volumesFrom": empty, "systemControls": empty,
			},
			map[string]any{
				"name": "sidecar", "image": "registry.example.com/sidecar@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
				"essential": false, "cpu": n("0"), "portMappings": empty,
				"environment": empty, "mountPoints": empty, "volumesFrom": empty, "systemControls": empty,
			},
		},
	}, td)

	// What was described, without what ECS added, registers again and is the same.
	for _, member := range []string{"taskDefinitionArn", "revision", "status", "compatibilities", "registeredBy"} {
		delete(td, member)
	}
	clone, err := json.Marshal(td)
	if err != nil {
		t.Fatal(err)
	}
	status, answer = post(t, w, "RegisterTaskDefinition", string(clone))
	same(t, "status of the clone", 200, status)
	again := answer["taskDefinition"].(map[string]any)
	same(t, "revision", any(n("2")), again["revision"])
	for member, want := range td {
		same(t, member+" of the clone", want, again[member])
	}
	if _, found := answer["tags"]; found {
		t.Error("the clone has tags that it was not given")
	}
	_, answer = post(t, w, "DescribeTaskDefinition", `{"taskDefinition": "web:1"}`)
	if _, found := answer["tags"]; found {
		t.Error("tags without being asked for")
	}
}

func TestRegisterRefuses(t *testing.T) {
	w := sandboxtest.New(t)
	with := func(members string) string {
		return `{"family": "web", "containerDefinitions": [{"name": "web", "image": "i:1"}], ` + members + `}`
	}
	for name, c := range map[string]struct{ document, code, message string }{
		"empty tags":         {with(`"tags": []`), "ClientException", "Tags can not be empty."},
		"reserved tag":       {with(`"tags": [{"key": "aws:x"}]`), "InvalidParameterException", ""},
		"same tag twice":     {with(`"tags": [{"key": "x"}, {"key": "x"}]`), "InvalidParameterException", ""},
		"ARN":                {with(`"taskDefinitionArn": "arn"`), "ClientException", ""},
		"revision":           {with(`"revision": 1`), "ClientException", ""},
		"status":             {with(`"status": "ACTIVE"`), "ClientException", ""},
		"requiresAttributes": {with(`"requiresAttributes": []`), "ClientException", ""},
		"compatibilities":    {with(`"compatibilities": ["EC2"]`), "ClientException", ""},
		"registeredAt":       {with(`"registeredAt": 1`), "ClientException", ""},
		"registeredBy":       {with(`"registeredBy": "x"`), "ClientException", ""},
		"deregisteredAt":     {with(`"deregisteredAt": 1`), "ClientException", ""},
		"deleteRequestedAt":  {with(`"deleteRequestedAt": 1`), "ClientException", ""},
		"no family":          {`{"containerDefinitions": [{"name": "web", "image": "i:1"}]}`, "ClientException", ""},
		"no containers":      {`{"family": "web"}`, "ClientException", "Container list cannot be empty."},
		"no name":            {`{"family": "web", "containerDefinitions": [{"image": "i:1"}]}`, "ClientException", "Container.name should not be null or blank."},
		"no image":           {`{"family": "web", "containerDefinitions": [{"name": "web"}]}`, "ClientException", "Container.image should not be null or blank."},
		"long image":         {`{"family": "web", "containerDefinitions": [{"name": "web", "image": "` + strings.Repeat("i", 256) + `"}]}`, "ClientException", ""},
		"same name twice":    {`{"family": "web", "containerDefinitions": [{"name": "web", "image": "i:1"}, {"name": "web", "image": "i:1"}]}`, "ClientException", ""},
		"nothing essential":  {`{"family": "web", "containerDefinitions": [{"name": "web", "image": "i:1", "essential": false}]}`, "ClientException", ""},
		"Fargate, no memory": {with(`"requiresCompatibilities": ["FARGATE"]`), "ClientException", ""},
		"Fargate, bridge":    {with(`"requiresCompatibilities": ["FARGATE"], "networkMode": "bridge", "cpu": "256", "memory": "512"`), "ClientException", ""},
		"too large":          {with(`"x": "` + strings.Repeat("x", 64<<10) + `"`), "ClientException", ""},
		"wrong type":         {with(`"cpu": 256`), "SerializationException", ""},
	} {
		status, answer := post(t, w, "RegisterTaskDefinition", c.document)
		if status != 400 || answer["__type"] != c.code || answer["message"] == "" || c.message != "" && answer["message"] != c.message {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	_, answer := post(t, w, "ListTaskDefinitionFamilies", `{}`)
	same(t, "families", any([]any{}), answer["families"])
}

func TestTaskDefinitionRevisions(t *testing.T) {
	w := sandboxtest.New(t)
	client, ctx := w.ECS(), t.Context()
	register := func(family string) string {
		out, err := client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
			Family: &family, ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("c"), Image: aws.String("i:1")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.TaskDefinition.TaskDefinitionArn
	}
	arn := func(s string) string { return "arn:aws:ecs:ca-central-1:111122223333:task-definition/" + s }
	list := func(in ecs.ListTaskDefinitionsInput) (arns []string) {
		pages := ecs.NewListTaskDefinitionsPaginator(client, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page.TaskDefinitionArns {
				arns = append(arns, lastPart(a))
			}
		}
		return arns
	}
	for _, family := range []string{"b", "a", "b", "b", "bb"} {
		register(family)
	}
	same(t, "revisions count up", arn("a:2"), register("a"))
	same(t, "all, ascending", []string{"a:1", "a:2", "b:1", "b:2", "b:3", "bb:1"}, list(ecs.ListTaskDefinitionsInput{}))
	same(t, "in pages", []string{"a:1", "a:2", "b:1", "b:2", "b:3", "bb:1"}, list(ecs.ListTaskDefinitionsInput{MaxResults: aws.Int32(4)}))
	same(t, "one family, descending", []string{"b:3", "b:2", "b:1"}, list(ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("b"), Sort: types.SortOrderDesc}))

	for _, reference := range []string{"b:3", arn("b:1")} {
		out, err := client.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &reference})
		if err != nil {
			t.Fatal(err)
		}
		if out.TaskDefinition.Status != types.TaskDefinitionStatusInactive || out.TaskDefinition.DeregisteredAt == nil {
			t.Errorf("deregistered %s: %v", reference, out.TaskDefinition.Status)
		}
	}
	same(t, "active", []string{"b:2"}, list(ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("b")}))
	same(t, "inactive", []string{"b:1", "b:3"}, list(ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("b"), Status: types.TaskDefinitionStatusInactive}))
	for reference, want := range map[string]string{"b": "b:2", "b:3": "b:3", arn("b:1"): "b:1", arn("b"): "b:2"} {
		out, err := client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &reference})
		if err != nil {
			t.Fatal(err)
		}
		same(t, reference, arn(want), *out.TaskDefinition.TaskDefinitionArn)
	}
	same(t, "numbers are never used again", arn("b:4"), register("b"))

	deleted, err := client.DeleteTaskDefinitions(ctx, &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: []string{"b:1", "b:2", "c:1"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(deleted.TaskDefinitions) != 1 || deleted.TaskDefinitions[0].Status != types.TaskDefinitionStatusDeleteInProgress || len(deleted.Failures) != 2 {
		t.Errorf("deleted %d, failures %d", len(deleted.TaskDefinitions), len(deleted.Failures))
	}

	families, err := client.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{FamilyPrefix: aws.String("b")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "families", []string{"b", "bb"}, families.Families)
}
