//go:build e2e

package policy

import (
	"fmt"
	"strings"
)

// cluster is the ARN of the call's cluster.
func (c asked) cluster() string {
	name := c.text("cluster")
	if name == "" {
		name = "default"
	}
	return c.arn("ecs", "cluster/", name)
}

// within is the action on resources of the call's cluster.
func (c asked) within(resources ...string) []Request {
	requests := c.on(resources...)
	for i := range requests {
		requests[i].Context = map[string]string{"ecs:cluster": c.cluster()}
	}
	return requests
}

// inside is a resource's ARN, by its kind and its name in the call's cluster.
func (c asked) inside(kind, name string) string {
	return c.arn("ecs", kind+strings.TrimPrefix(c.cluster(), c.arn("ecs", "cluster/", ""))+"/", name)
}

func clusters(c asked) ([]Request, error) {
	var arns []string
	for _, name := range c.list("clusters") {
		arns = append(arns, c.arn("ecs", "cluster/", name))
	}
	return c.on(arns...), nil
}

func services(c asked) ([]Request, error) {
	var arns []string
	for _, name := range c.list("services") {
		arns = append(arns, c.inside("service/", name))
	}
	return c.within(arns...), nil
}

func service(c asked) ([]Request, error) {
	return c.within(c.inside("service/", c.text("service"))), nil
}

// updateService passes the roles of the task definition.
func updateService(c asked) ([]Request, error) {
	requests, _ := service(c)
	definition := c.text("taskDefinition")
	if definition == "" {
		return requests, nil
	}
	roles, err := c.TaskRoles(definition)
	return append(requests, pass(tasksService, roles...)...), err
}

// tasksService is what the roles of tasks are passed to.
const tasksService = "ecs-tasks.amazonaws.com"

// ofService are calls about deployments or revisions of a service, which are about the
// service too: both are required. A parameter is an ARN, or a list of some.
func ofService(parameter string) func(asked) ([]Request, error) {
	return func(c asked) (requests []Request, err error) {
		arns := c.list(parameter)
		if arn := c.text(parameter); arn != "" {
			arns = append(arns, arn)
		}
		for _, arn := range arns {
			parts := strings.Split(arn, "/") // …:service-deployment, cluster, service, id
			if len(parts) != 4 {
				return nil, fmt.Errorf("%s is of no service", arn)
			}
			context := map[string]string{"ecs:cluster": c.arn("ecs", "cluster/", parts[1])}
			for _, resource := range []string{arn, c.arn("ecs", "service/", parts[1]+"/"+parts[2])} {
				requests = append(requests, Request{c.action, resource, context})
			}
		}
		return requests, nil
	}
}

// inCluster are calls about all of a kind in a cluster; of no kind, about no resource.
func inCluster(kind string) func(asked) ([]Request, error) {
	return func(c asked) ([]Request, error) {
		if kind == "" {
			return c.within("*"), nil
		}
		return c.within(c.inside(kind, "any")), nil
	}
}

func tasks(c asked) ([]Request, error) {
	var arns []string
	for _, name := range c.list("tasks") {
		arns = append(arns, c.inside("task/", name))
	}
	return c.within(arns...), nil
}

// registerTaskDefinition passes the roles, and tags if it has tags.
func registerTaskDefinition(c asked) ([]Request, error) {
	family := c.arn("ecs", "task-definition/", c.text("family")+":1")
	requests := append(c.on(family), pass(tasksService, c.text("taskRoleArn"), c.text("executionRoleArn"))...)
	if tags, _ := c.parameters["tags"].([]any); len(tags) > 0 {
		requests = append(requests, tag(family, "RegisterTaskDefinition"))
	}
	return requests, nil
}

// runTask passes the roles of the task definition, and tags the task if it has tags of
// its own or of somebody else's.
func runTask(c asked) ([]Request, error) {
	definition := c.text("taskDefinition")
	requests := c.within(c.arn("ecs", "task-definition/", definition))
	roles, err := c.TaskRoles(definition)
	if err != nil {
		return nil, err
	}
	requests = append(requests, pass(tasksService, roles...)...)
	if tags, _ := c.parameters["tags"].([]any); len(tags) > 0 || c.text("propagateTags") != "" {
		requests = append(requests, tag(c.inside("task/", "any"), "RunTask"))
	}
	return requests, nil
}

// tag is what is asked of a caller that tags what it makes.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
func tag(resource, by string) Request {
	return Request{"ecs:TagResource", resource, map[string]string{"ecs:CreateAction": by}}
}
