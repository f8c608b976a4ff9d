//go:build e2e

package policy

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

var account = Account{
	Region: "eu-west-1", ID: "111122223333",
	TaskRoles: func(definition string) ([]string, error) {
		if !strings.HasSuffix(definition, "webapp1:7") {
			return nil, errors.New("no such task definition")
		}
		return []string{"", "arn:aws:iam::111122223333:role/execution"}, nil
	},
	DeploymentGroup: func(deployment string) (string, error) { return "cluster1-webapp1/webapp1", nil },
}

func TestRequests(t *testing.T) {
	const ecs, inCluster1 = "arn:aws:ecs:eu-west-1:111122223333:", " map[ecs:cluster:arn:aws:ecs:eu-west-1:111122223333:cluster/cluster1]"
	const toTasks = " map[iam:PassedToService:ecs-tasks.amazonaws.com]"
	for _, test := range []struct {
		service, operation, request string
		want                        []string
	}{
		{"codecommit", "GetFile", `{"repositoryName": "deployment"}`, []string{"codecommit:GetFile on arn:aws:codecommit:eu-west-1:111122223333:deployment map[]"}},
		{"codepipeline", "PutJobSuccessResult", `{"jobId": "1"}`, []string{"codepipeline:PutJobSuccessResult on * map[]"}},
		{"ecs", "DescribeServices", `{"cluster": "cluster1", "services": ["webapp1", "` + ecs + `service/cluster1/other"]}`, []string{
			"ecs:DescribeServices on " + ecs + "service/cluster1/webapp1" + inCluster1, "ecs:DescribeServices on " + ecs + "service/cluster1/other" + inCluster1,
		}},
		{"ecs", "DescribeServices", `{"services": ["webapp1"]}`, []string{
			"ecs:DescribeServices on " + ecs + "service/default/webapp1 map[ecs:cluster:" + ecs + "cluster/default]",
		}},
		{"ecs", "DescribeServiceRevisions", `{"serviceRevisionArns": ["` + ecs + `service-revision/cluster1/webapp1/9"]}`, []string{
			"ecs:DescribeServiceRevisions on " + ecs + "service-revision/cluster1/webapp1/9" + inCluster1,
			"ecs:DescribeServiceRevisions on " + ecs + "service/cluster1/webapp1" + inCluster1,
		}},
		{"ecs", "UpdateService", `{"cluster": "` + ecs + `cluster/cluster1", "service": "webapp1", "taskDefinition": "webapp1:7"}`, []string{
			"ecs:UpdateService on " + ecs + "service/cluster1/webapp1" + inCluster1, "iam:PassRole on arn:aws:iam::111122223333:role/execution" + toTasks,
		}},
		{"ecs", "ListTasks", `{"cluster": "cluster1"}`, []string{"ecs:ListTasks on " + ecs + "container-instance/cluster1/any" + inCluster1}},
		{"ecs", "RegisterTaskDefinition", `{"family": "webapp1", "taskRoleArn": "arn:task", "executionRoleArn": "arn:execution", "tags": [{"key": "a", "value": "b"}]}`, []string{
			"ecs:RegisterTaskDefinition on " + ecs + "task-definition/webapp1:1 map[]", "iam:PassRole on arn:task" + toTasks, "iam:PassRole on arn:execution" + toTasks,
			"ecs:TagResource on " + ecs + "task-definition/webapp1:1 map[ecs:CreateAction:RegisterTaskDefinition]",
		}},
		{"ecs", "RegisterTaskDefinition", `{"family": "webapp1", "tags": []}`, []string{"ecs:RegisterTaskDefinition on " + ecs + "task-definition/webapp1:1 map[]"}},
		{"ecs", "RunTask", `{"cluster": "cluster1", "taskDefinition": "webapp1:7", "propagateTags": "TASK_DEFINITION"}`, []string{
			"ecs:RunTask on " + ecs + "task-definition/webapp1:7" + inCluster1, "iam:PassRole on arn:aws:iam::111122223333:role/execution" + toTasks,
			"ecs:TagResource on " + ecs + "task/cluster1/any map[ecs:CreateAction:RunTask]",
		}},
		{"codedeploy", "GetDeployment", `{"deploymentId": "d-1"}`, []string{
			"codedeploy:GetDeployment on arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:cluster1-webapp1/webapp1 map[]",
		}},
		{"events", "PutTargets", `{"Rule": "batch", "Targets": [{"Id": "1", "RoleArn": "arn:events"}]}`, []string{
			"events:PutTargets on arn:aws:events:eu-west-1:111122223333:rule/batch map[]", "iam:PassRole on arn:events map[iam:PassedToService:events.amazonaws.com]",
		}},
		{"scheduler", "UpdateSchedule", `{"Name": "batch", "Target": {"RoleArn": "arn:scheduler"}}`, []string{
			"scheduler:UpdateSchedule on arn:aws:scheduler:eu-west-1:111122223333:schedule/default/batch map[]", "iam:PassRole on arn:scheduler map[iam:PassedToService:scheduler.amazonaws.com]",
		}},
		{"s3", "GetObject", `{"Bucket": "artifacts", "Key": "a/b"}`, []string{"s3:GetObject on arn:aws:s3:::artifacts/a/b map[]"}},
		{"logs", "PutLogEvents", `{"logGroupName": "/aws/lambda/x", "logStreamName": "s"}`, []string{
			"logs:PutLogEvents on arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/x:log-stream:s map[]",
		}},
	} {
		requests, err := account.Requests(trail.Call{Service: test.service, Operation: test.operation, Request: json.RawMessage(test.request)})
		var got []string
		for _, request := range requests {
			got = append(got, request.String())
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s:%s %s:\ngot  %q, %v\nwant %q", test.service, test.operation, test.request, got, err, test.want)
		}
	}
}

// TestRequestsUnknown: a call that cannot be judged is an error.
func TestRequestsUnknown(t *testing.T) {
	for _, call := range []trail.Call{
		{Service: "ecs", Operation: "DeleteCluster", Request: json.RawMessage(`{}`)},
		{Service: "ecs", Operation: "DescribeServices", Request: json.RawMessage(`{"cluster": "cluster1"}`)},
		{Service: "ecs", Operation: "UpdateService", Request: json.RawMessage(`{"service": "webapp1", "taskDefinition": "other:1"}`)},
		{Service: "ecs", Operation: "StopServiceDeployment", Request: json.RawMessage(`{"serviceDeploymentArn": "arn:x"}`)},
		{Service: "codecommit", Operation: "GetFile", Request: json.RawMessage(`{}`)},
		{Service: "ecs", Operation: "ListServices", Request: json.RawMessage(`[]`)},
	} {
		if got, err := account.Requests(call); err == nil {
			t.Errorf("%s:%s %s: %v, want an error", call.Service, call.Operation, call.Request, got)
		}
	}
}
