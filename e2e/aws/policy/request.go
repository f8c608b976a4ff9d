//go:build e2e

package policy

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// Account is where calls are made, and what has to be asked there.
type Account struct {
	Region, ID string
	// TaskRoles are the roles that the tasks of a task definition have, by its ARN or
	// family and revision.
	TaskRoles func(taskDefinition string) ([]string, error)
	// DeploymentGroup is a deployment of CodeDeploy's, as "application/group".
	DeploymentGroup func(deployment string) (string, error)
}

// Requests are what the caller of a call must be allowed. The error says that the
// call is not known here, or cannot be read.
func (a Account) Requests(call trail.Call) ([]Request, error) {
	requests, known := table[call.Service+":"+call.Operation]
	if !known {
		return nil, fmt.Errorf("%s:%s is not known here: add it to the table", call.Service, call.Operation)
	}
	c := asked{Account: a, action: call.Service + ":" + call.Operation}
	if err := json.Unmarshal(call.Request, &c.parameters); err != nil {
		return nil, fmt.Errorf("read the call of %s: %w", c.action, err)
	}
	found, err := requests(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.action, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s names nothing: %s", c.action, call.Request)
	}
	return found, nil
}

// asked is a call.
type asked struct {
	Account
	action     string
	parameters map[string]any
}

// text is a parameter, list one of several texts.
func (c asked) text(name string) string { text, _ := c.parameters[name].(string); return text }

func (c asked) list(name string) (texts []string) {
	values, _ := c.parameters[name].([]any)
	for _, value := range values {
		if text, ok := value.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// arn is one of the account and region, unless name is one already.
func (c asked) arn(service, prefix, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:" + service + ":" + c.Region + ":" + c.ID + ":" + prefix + name
}

// on is the action itself, on resources without a context.
func (c asked) on(resources ...string) (requests []Request) {
	for _, resource := range resources {
		requests = append(requests, Request{Action: c.action, Resource: resource})
	}
	return requests
}

// pass is what is asked of a caller that has a service use roles.
func pass(service string, roles ...string) (requests []Request) {
	for _, role := range roles {
		if role != "" {
			requests = append(requests, Request{"iam:PassRole", role, map[string]string{"iam:PassedToService": service}})
		}
	}
	return requests
}

// anywhere is a call whose action has no resource.
func anywhere(c asked) ([]Request, error) { return c.on("*"), nil }

// named is a call about what one parameter names.
func named(service, prefix, parameter string) func(asked) ([]Request, error) {
	return func(c asked) ([]Request, error) {
		name := c.text(parameter)
		if name == "" {
			return nil, fmt.Errorf("it has no %s: %v", parameter, c.parameters)
		}
		return c.on(c.arn(service, prefix, name)), nil
	}
}

// table is what the calls are about, by service and operation.
var table = map[string]func(asked) ([]Request, error){
	"codecommit:GetBranch":              named("codecommit", "", "repositoryName"),
	"codecommit:GetCommit":              named("codecommit", "", "repositoryName"),
	"codecommit:GetDifferences":         named("codecommit", "", "repositoryName"),
	"codecommit:GetFile":                named("codecommit", "", "repositoryName"),
	"codecommit:UploadArchive":          named("codecommit", "", "repositoryName"),
	"codecommit:GetUploadArchiveStatus": named("codecommit", "", "repositoryName"),

	"codepipeline:StartPipelineExecution": named("codepipeline", "", "name"),
	"codepipeline:GetPipelineExecution":   named("codepipeline", "", "pipelineName"),
	"codepipeline:GetPipeline":            named("codepipeline", "", "name"),
	"codepipeline:GetPipelineState":       named("codepipeline", "", "name"),
	"codepipeline:ListPipelineExecutions": named("codepipeline", "", "pipelineName"),
	"codepipeline:ListActionExecutions":   named("codepipeline", "", "pipelineName"),
	"codepipeline:PutApprovalResult":      approval,
	"codepipeline:GetJobDetails":          anywhere,
	"codepipeline:PutJobSuccessResult":    anywhere,
	"codepipeline:PutJobFailureResult":    anywhere,

	"ecs:DescribeClusters":           clusters,
	"ecs:DescribeServices":           services,
	"ecs:ListServiceDeployments":     service,
	"ecs:UpdateService":              updateService,
	"ecs:DescribeServiceDeployments": ofService("serviceDeploymentArns"),
	"ecs:DescribeServiceRevisions":   ofService("serviceRevisionArns"),
	"ecs:StopServiceDeployment":      ofService("serviceDeploymentArn"),
	"ecs:ListServices":               inCluster(""),
	"ecs:ListTasks":                  inCluster("container-instance/"),
	"ecs:DescribeTasks":              tasks,
	"ecs:DescribeTaskDefinition":     anywhere,
	"ecs:ListTaskDefinitions":        anywhere,
	"ecs:RegisterTaskDefinition":     registerTaskDefinition,
	"ecs:RunTask":                    runTask,

	"codedeploy:CreateDeployment":         createDeployment,
	"codedeploy:GetDeployment":            deployments,
	"codedeploy:GetDeploymentTarget":      deployments,
	"codedeploy:BatchGetDeployments":      deployments,
	"codedeploy:ListDeployments":          group,
	"codedeploy:GetDeploymentGroup":       group,
	"codedeploy:BatchGetDeploymentGroups": groups,
	"codedeploy:ListDeploymentGroups":     named("codedeploy", "application:", "applicationName"),
	"codedeploy:BatchGetApplications":     applications,
	"codedeploy:ListApplications":         anywhere,
	"codedeploy:GetDeploymentConfig":      named("codedeploy", "deploymentconfig:", "deploymentConfigName"),

	"events:ListRuleNamesByTarget": anywhere,
	"events:ListTargetsByRule":     named("events", "rule/", "Rule"),
	"events:PutTargets":            putTargets,
	"scheduler:ListSchedules":      anywhere,
	"scheduler:GetSchedule":        schedule,
	"scheduler:UpdateSchedule":     schedule,

	"lambda:InvokeFunction": named("lambda", "function:", "FunctionName"),
	"s3:GetObject":          object,
	"s3:PutObject":          object,
	"logs:CreateLogStream":  stream,
	"logs:PutLogEvents":     stream,
	"logs:GetLogEvents":     stream,
}

// approval is about an action of a stage of a pipeline.
func approval(c asked) ([]Request, error) {
	return c.on(c.arn("codepipeline", "", c.text("pipelineName")+"/"+c.text("stageName")+"/"+c.text("actionName"))), nil
}

func object(c asked) ([]Request, error) {
	return c.on("arn:aws:s3:::" + c.text("Bucket") + "/" + c.text("Key")), nil
}

func stream(c asked) ([]Request, error) {
	return c.on(c.arn("logs", "log-group:", c.text("logGroupName")+":log-stream:"+c.text("logStreamName"))), nil
}

// putTargets passes the roles of the targets to EventBridge.
func putTargets(c asked) ([]Request, error) {
	requests := c.on(c.arn("events", "rule/", c.text("Rule")))
	targets, _ := c.parameters["Targets"].([]any)
	for _, target := range targets {
		members, _ := target.(map[string]any)
		role, _ := members["RoleArn"].(string)
		requests = append(requests, pass("events.amazonaws.com", role)...)
	}
	return requests, nil
}

// schedule passes the role of the target, if there is one, to the Scheduler.
func schedule(c asked) ([]Request, error) {
	name := c.text("GroupName") + "/" + c.text("Name")
	if c.text("GroupName") == "" {
		name = "default" + name
	}
	target, _ := c.parameters["Target"].(map[string]any)
	role, _ := target["RoleArn"].(string)
	return append(c.on(c.arn("scheduler", "schedule/", name)), pass("scheduler.amazonaws.com", role)...), nil
}
