package controlplane_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// TestAWSCLI has the AWS CLI, unmodified, deploy a service over a socket.
func TestAWSCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil || testing.Short() {
		t.Skip("needs the AWS CLI, and a second for each of its calls")
	}
	const scale = 500
	runtime := controlplane.NewMemoryRuntime(controlplane.MemoryOptions{TimeScale: scale})
	defer runtime.Close()
	plane, err := controlplane.New(controlplane.Options{Runtime: runtime, TimeScale: scale})
	if err != nil {
		t.Fatal(err)
	}
	defer plane.Close()
	server := httptest.NewServer(awsjson.Mux{controlplane.TargetPrefix: plane.Handler()})
	defer server.Close()

	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"ecs", "--endpoint-url", server.URL, "--output", "json"}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
			"AWS_REGION=ca-central-1", "AWS_DEFAULT_REGION=ca-central-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_PAGER=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	aws := func(args ...string) (answer map[string]any) {
		t.Helper()
		out, err := run(args...)
		if err != nil {
			t.Fatalf("aws ecs %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		if out != "" {
			if err := json.Unmarshal([]byte(out), &answer); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		return answer
	}
	register := func(image string) string {
		t.Helper()
		td := aws("register-task-definition", "--family", "web", "--requires-compatibilities", "FARGATE", "--network-mode", "awsvpc",
			"--cpu", "256", "--memory", "512", "--container-definitions", `[{"name":"web","image":"`+image+`"}]`)["taskDefinition"]
		return td.(map[string]any)["taskDefinitionArn"].(string)
	}
	describe := func() map[string]any {
		return aws("describe-services", "--cluster", "cluster1", "--services", "web")["services"].([]any)[0].(map[string]any)
	}
	settle := func() map[string]any {
		t.Helper()
		for range 100 { // each call takes most of a second
			d := describe()
			all := d["deployments"].([]any)
			if all[0].(map[string]any)["rolloutState"] == "COMPLETED" && len(all) == 1 {
				return d
			}
		}
		t.Fatal("the service did not settle")
		return nil
	}

	aws("create-cluster", "--cluster-name", "cluster1")
	same(t, "clusters", any([]any{"arn:aws:ecs:ca-central-1:111122223333:cluster/cluster1"}), aws("list-clusters")["clusterArns"])
	first := register("registry.example.com/web:1")
	aws("create-service", "--cluster", "cluster1", "--service-name", "web", "--task-definition", "web", "--desired-count", "1", "--launch-type", "FARGATE",
		"--network-configuration", "awsvpcConfiguration={subnets=[subnet-1],securityGroups=[sg-1]}")
	same(t, "task definition", any(first), settle()["taskDefinition"])

	second := register("registry.example.com/web:2")
	updated := aws("update-service", "--cluster", "cluster1", "--service", "web", "--task-definition", second)["service"].(map[string]any)
	same(t, "task definition of the PRIMARY", any(second), updated["deployments"].([]any)[0].(map[string]any)["taskDefinition"])
	same(t, "task definition", any(second), settle()["taskDefinition"])
	began := time.Now()
	aws("wait", "services-stable", "--cluster", "cluster1", "--services", "web")
	if took := time.Since(began); took > 14*time.Second {
		t.Errorf("a stable service was waited for during %s", took)
	}

	deployments := aws("list-service-deployments", "--cluster", "cluster1", "--service", "web")["serviceDeployments"].([]any)
	same(t, "service deployments", 2, len(deployments))
	newest := deployments[0].(map[string]any)
	same(t, "status", any("SUCCESSFUL"), newest["status"])
	// Version 1 of the CLI prints the number as it came, version 2 a date.
	if at, ok := newest["finishedAt"].(float64); ok && time.Since(time.Unix(int64(at), 0)) > time.Hour {
		t.Errorf("finishedAt %v", at)
	}
	tasks := aws("list-tasks", "--cluster", "cluster1", "--service-name", "web")["taskArns"].([]any)
	same(t, "tasks", 1, len(tasks))
	task := aws("describe-tasks", "--cluster", "cluster1", "--tasks", tasks[0].(string))["tasks"].([]any)[0].(map[string]any)
	same(t, "task", any("RUNNING"), task["lastStatus"])

	out, err := run("update-service", "--cluster", "cluster1", "--service", "web", "--task-definition", "web:9")
	if err == nil || !strings.Contains(out, "(ClientException) when calling the UpdateService operation: TaskDefinition not found.") {
		t.Errorf("an unknown task definition: %v\n%s", err, out)
	}
}
