//go:build e2e

package clients

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestAWSCLI asks every service of the seeded world, and moves its schedules.
func TestAWSCLI(t *testing.T) {
	c := newCLI(t)
	aws, same := c.ask, c.same

	// The rule: its target is put back whole, with another revision.
	rules := aws("events", "list-rule-names-by-target", "--target-arn", "arn:aws:ecs:eu-west-1:111122223333:cluster/cluster1")
	same("rules", "cluster1-batchapp1", at(rules, "RuleNames", 0))
	same("expression", "rate(5 minutes)", at(aws("events", "describe-rule", "--name", "cluster1-batchapp1"), "ScheduleExpression"))
	targets := aws("events", "list-targets-by-rule", "--rule", "cluster1-batchapp1")["Targets"].([]any)
	same("subnet", "subnet-0a1b2c3d4e5f60001", at(targets, 0, "EcsParameters", "NetworkConfiguration", "awsvpcConfiguration", "Subnets", 0))
	registered := aws("ecs", "register-task-definition", "--family", "cluster1-batchapp1", "--network-mode", "awsvpc", "--requires-compatibilities", "FARGATE",
		"--cpu", "256", "--memory", "512", "--container-definitions", `[{"name":"batchapp1","image":"batchapp1:2.0.0-crash","logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/ecs/b","awslogs-region":"eu-west-1","awslogs-stream-prefix":"b"}}}]`)
	at(targets, 0, "EcsParameters").(map[string]any)["TaskDefinitionArn"] = at(registered, "taskDefinition", "taskDefinitionArn")
	document, err := json.Marshal(targets)
	if err != nil {
		t.Fatal(err)
	}
	same("failed entries", 0.0, aws("events", "put-targets", "--rule", "cluster1-batchapp1", "--targets", string(document))["FailedEntryCount"])

	// It runs the new revision, whose log tells how it ended.
	client, definition := ecs.NewFromConfig(config(c.w)), at(registered, "taskDefinition", "taskDefinitionArn").(string)
	var arn string
	c.until("a task of the new revision", func(ctx context.Context) (bool, error) {
		listed, err := client.ListTasks(ctx, &ecs.ListTasksInput{Cluster: new("cluster1"), Family: new("cluster1-batchapp1"), DesiredStatus: types.DesiredStatusStopped})
		if err != nil || len(listed.TaskArns) == 0 {
			return false, err
		}
		tasks, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: new("cluster1"), Tasks: listed.TaskArns})
		if err != nil {
			return false, err
		}
		for _, task := range tasks.Tasks {
			if *task.TaskDefinitionArn == definition {
				arn = *task.TaskArn
			}
		}
		return arn != "", nil
	})
	stopped, _ := aws("ecs", "list-tasks", "--cluster", "cluster1", "--family", "cluster1-batchapp1", "--desired-status", "STOPPED")["taskArns"].([]any)
	if !slices.Contains(stopped, any(arn)) {
		t.Errorf("the stopped tasks are %v, without %s", stopped, arn)
	}
	task := at(aws("ecs", "describe-tasks", "--cluster", "cluster1", "--tasks", arn), "tasks", 0)
	same("exit code", 1.0, at(task, "containers", 0, "exitCode"))
	same("stop code", "EssentialContainerExited", at(task, "stopCode"))
	same("started by", "events-rule/cluster1-batchapp1", at(task, "startedBy"))
	events := aws("logs", "filter-log-events", "--log-group-name", "/ecs/b", "--filter-pattern", "error")
	if line, _ := at(events, "events", 0, "message").(string); !strings.HasPrefix(line, "error: ") {
		t.Errorf("the log says %v", events)
	}
	streams := aws("logs", "describe-log-streams", "--log-group-name", "/ecs/b", "--order-by", "LastEventTime", "--descending")
	lines := aws("logs", "get-log-events", "--log-group-name", "/ecs/b", "--log-stream-name", at(streams, "logStreams", 0, "logStreamName").(string))
	same("first line", "batchapp1:2.0.0-crash started", at(lines, "events", 0, "message"))

	// The schedule.
	schedule := aws("scheduler", "get-schedule", "--name", "cluster2-batchapp1")
	same("state", "ENABLED", at(schedule, "State"))
	target := at(schedule, "Target").(map[string]any)
	target["Input"] = `{"containerOverrides":[]}`
	if document, err = json.Marshal(target); err != nil {
		t.Fatal(err)
	}
	aws("scheduler", "update-schedule", "--name", "cluster2-batchapp1", "--schedule-expression", "rate(1 hour)", "--flexible-time-window", "Mode=OFF", "--target", string(document))
	schedule = aws("scheduler", "get-schedule", "--name", "cluster2-batchapp1")
	same("expression", "rate(1 hour)", at(schedule, "ScheduleExpression"))
	same("description, left out", nil, at(schedule, "Description"))
	same("input", `{"containerOverrides":[]}`, at(schedule, "Target", "Input"))
	same("schedules", "cluster2-batchapp1", at(aws("scheduler", "list-schedules", "--group-name", "default"), "Schedules", 0, "Name"))

	// An alarm.
	aws("cloudwatch", "put-metric-alarm", "--alarm-name", "errors", "--namespace", "N", "--metric-name", "M", "--statistic", "Sum", "--period", "60",
		"--evaluation-periods", "1", "--threshold", "2.5", "--comparison-operator", "GreaterThanThreshold")
	aws("cloudwatch", "set-alarm-state", "--alarm-name", "errors", "--state-value", "ALARM", "--state-reason", "too many")
	alarm := at(aws("cloudwatch", "describe-alarms", "--alarm-names", "errors"), "MetricAlarms", 0)
	same("alarm", "ALARM", at(alarm, "StateValue"))
	same("threshold", 2.5, at(alarm, "Threshold"))
	c.refused("(ResourceNotFound)", "cloudwatch", "set-alarm-state", "--alarm-name", "x", "--state-value", "OK", "--state-reason", "r")

	// A task, waited for.
	ran := aws("ecs", "run-task", "--cluster", "cluster2", "--task-definition", "cluster2-batchapp1", "--launch-type", "FARGATE",
		"--network-configuration", "awsvpcConfiguration={subnets=[subnet-1]}")
	arn = at(ran, "tasks", 0, "taskArn").(string)
	aws("ecs", "wait", "tasks-stopped", "--cluster", "cluster2", "--tasks", arn)
	same("exit code", 0.0, at(aws("ecs", "describe-tasks", "--cluster", "cluster2", "--tasks", arn), "tasks", 0, "containers", 0, "exitCode"))
}

// TestAWSCLILambda has the sandbox run a real program.
func TestAWSCLILambda(t *testing.T) {
	c := newCLI(t)
	aws, dir := c.ask, c.dir
	created := aws("lambda", "create-function", "--function-name", "f", "--runtime", "provided.al2023", "--handler", "bootstrap", "--architectures", architecture(),
		"--role", "arn:aws:iam::111122223333:role/f", "--zip-file", "fileb://"+function(t, dir), "--environment", "Variables={VARIABLE=value}", "--timeout", "30", "--tags", "team=shop")
	if at(created, "State") != "Pending" {
		t.Errorf("created %v", created)
	}
	aws("lambda", "wait", "function-active-v2", "--function-name", "f")
	invoke := func(payload string, args ...string) (answered map[string]any, answer string) {
		t.Helper()
		out := filepath.Join(dir, "answer.json")
		// Version 1 of the CLI takes the payload as it is, version 2 as base64.
		input := filepath.Join(dir, "payload.json")
		if err := os.WriteFile(input, []byte(payload), 0o644); err != nil {
			t.Fatal(err)
		}
		answered = aws(append([]string{"lambda", "invoke", "--function-name", "f", "--payload", "fileb://" + input, out}, args...)...)
		content, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return answered, string(content)
	}
	answered, answer := invoke(`{"Do":"print"}`, "--log-type", "Tail")
	tail, _ := at(answered, "LogResult").(string)
	log, err := base64.StdEncoding.DecodeString(tail)
	if at(answered, "StatusCode") != 200.0 || at(answered, "ExecutedVersion") != "$LATEST" || !strings.Contains(answer, `"Variable":"value"`) || err != nil || !strings.Contains(string(log), "to stdout\n") {
		t.Errorf("%v %s %s", answered, answer, log)
	}
	if answered, answer = invoke(`{"Do":"fail"}`); at(answered, "FunctionError") != "Unhandled" || answer != `{"errorMessage":"no such pipeline","errorType":"errorString"}` {
		t.Errorf("%v %s", answered, answer)
	}
	if answered, _ = invoke(`{"Do":"print"}`, "--invocation-type", "Event"); at(answered, "StatusCode") != 202.0 {
		t.Errorf("%v", answered)
	}
	if printed := aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/f", "--filter-pattern", "stdout"); at(printed, "events", 0, "message") != "to stdout" {
		t.Errorf("the log has %v", printed)
	}
	if listed := aws("lambda", "list-functions"); at(listed, "Functions", 0, "FunctionName") != "f" {
		t.Errorf("there is %v", listed)
	}
	if got := aws("lambda", "get-function", "--function-name", "f"); at(got, "Tags", "team") != "shop" {
		t.Errorf("%v", got)
	}
	aws("lambda", "delete-function", "--function-name", "f")
	c.refused("(ResourceNotFoundException)", "lambda", "get-function", "--function-name", "f")
}

// function is the path of a zip file of a function for this machine.
func function(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "bootstrap")
	env := append(os.Environ(), "CGO_ENABLED=0")
	if _, errs, err := run(t, env, "", "go", "build", "-tags", "lambda.norpc", "-o", program, "../../internal/sandbox/lambda/internal/bootstrap"); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	archive := zip.NewWriter(&zipped)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err == nil {
		_, err = file.Write(content)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "function.zip")
	if err := os.WriteFile(path, zipped.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// architecture is this machine's, in Lambda's words.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// at follows names and indices into a JSON value; nil if there is nothing.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			members, _ := value.(map[string]any)
			value = members[step]
		case int:
			items, _ := value.([]any)
			if step >= len(items) {
				return nil
			}
			value = items[step]
		}
	}
	return value
}
