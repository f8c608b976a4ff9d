package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

const (
	// retirePages bounds how many pages of a family's ACTIVE task definitions are
	// looked through.
	retirePages = 10
	// retireLooks is how many of those are read, one call for each, to find the app's
	// own where nobody keeps books of them.
	retireLooks = 100
	// retireMost is how many task definitions are deregistered after one deployment:
	// ECS allows one in a second, and the next deployment goes on with the rest.
	retireMost = 20
)

// Retire deregisters task definitions that d's app does not need any more, and
// returns their ARNs. mine are those that the app's executions registered, nil where
// the caller keeps no books: then they are found by their tags. The newest keep of
// them stay. So does each that runs, that ran before d, that a rule
// or a schedule names, or that does not carry Slipway's tag. Where one of these
// cannot be found out, nothing is deregistered, and the error says why.
func (e *ECS) Retire(ctx context.Context, d slipway.Deployment, keep int, mine []string) ([]string, error) {
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return nil, err
	}
	if keep < 1 {
		return nil, nil
	}
	active, err := c.activeOf(ctx, schedule.Family(d.TaskDefinition))
	if err != nil || len(active) <= keep {
		return nil, err
	}
	old := slices.DeleteFunc(slices.Clone(active), func(arn string) bool { return !slices.Contains(mine, arn) })
	if mine == nil {
		if old, err = c.unbooked(ctx, d, active); err != nil {
			return nil, err
		}
	}
	if len(old) <= keep {
		return nil, nil
	}
	old = old[keep:]
	needed, err := c.inUse(ctx, d)
	if err != nil {
		return nil, err
	}
	needed = append(needed, d.TaskDefinition, d.Base)
	var retired []string
	for _, arn := range slices.Backward(old) {
		if len(retired) == retireMost {
			break
		}
		if slices.Contains(needed, arn) {
			continue
		}
		found, err := c.describe(ctx, arn)
		if err != nil {
			return retired, err
		}
		if !slices.ContainsFunc(found.tags, func(t tag) bool { return t.Key == tagExecution }) {
			continue
		}
		var sentAt time.Time
		_, err = c.api.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(arn)}, c.budget.once(&sentAt))
		if err != nil {
			return retired, c.explain(ctx, err, "cannot deregister the task definition "+lastPart(arn))
		}
		retired = append(retired, arn)
	}
	if len(retired) > 0 {
		c.log.InfoContext(ctx, "deregistered task definitions", keyApp, d.App.String(), keyExecution, d.Execution, keyTaskDefinition, retired)
	}
	return retired, nil
}

// unbooked are those of a family's newest ACTIVE task definitions that d's app
// registered, newest first, as their tags say. A person who edits one in the console
// copies its tags, so that whoever registered it must be who registered d's; where
// somebody else did that, there are none.
func (c *client) unbooked(ctx context.Context, d slipway.Deployment, active []string) ([]string, error) {
	own, err := c.describe(ctx, d.TaskDefinition)
	if err != nil || !own.taggedFor(d.Execution) {
		return nil, err
	}
	var mine []string
	for _, arn := range active[:min(len(active), retireLooks)] {
		found, err := c.describe(ctx, arn)
		if err != nil {
			return nil, err
		}
		if slices.Contains(found.tags, tag{tagApp, d.App.String()}) && principal(found.registeredBy) == principal(own.registeredBy) {
			mine = append(mine, arn)
		}
	}
	return mine, nil
}

// principal is who an ARN stands for. That of a role that was assumed ends in the name
// of the session, which may be another each time.
func principal(arn string) string {
	if strings.Contains(arn, ":assumed-role/") {
		return arn[:strings.LastIndex(arn, "/")]
	}
	return arn
}

// activeOf lists a family's ACTIVE task definitions, newest first.
func (c *client) activeOf(ctx context.Context, family string) ([]string, error) {
	var arns []string
	pages := ecs.NewListTaskDefinitionsPaginator(c.api, &ecs.ListTaskDefinitionsInput{
		FamilyPrefix: aws.String(family), Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc, MaxResults: aws.Int32(taskPage),
	})
	for range retirePages {
		if !pages.HasMorePages() {
			break
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.explain(ctx, err, "cannot list the task definitions of family "+family)
		}
		arns = append(arns, page.TaskDefinitionArns...)
	}
	return arns, nil
}

// inUse are the task definitions that run in d's cluster, or that a service, a rule
// or a schedule is about to run there.
func (c *client) inUse(ctx context.Context, d slipway.Deployment) ([]string, error) {
	answer, err := c.services.get(ctx, d.Place.Cluster, d.Place.Service)
	if err != nil {
		return nil, err
	}
	var arns []string
	if s := answer.service; s != nil {
		arns = append(arns, aws.ToString(s.TaskDefinition))
		for i := range s.Deployments {
			arns = append(arns, aws.ToString(s.Deployments[i].TaskDefinition))
		}
		for i := range s.TaskSets {
			arns = append(arns, aws.ToString(s.TaskSets[i].TaskDefinition))
		}
	}
	running, err := c.runningOf(ctx, d.Place.Cluster, schedule.Family(d.TaskDefinition))
	if err != nil {
		return nil, err
	}
	cluster, err := c.clusterARN(ctx, d.Place.Cluster)
	if err != nil {
		return nil, err
	}
	targets, err := c.timers.Find(ctx, cluster)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		arns = append(arns, t.TaskDefinition)
	}
	return append(arns, running...), nil
}

// runningOf are the task definitions of a family that tasks of a cluster run, or
// are about to, whatever started them.
func (c *client) runningOf(ctx context.Context, cluster, family string) ([]string, error) {
	doing := fmt.Sprintf("cannot read the tasks of family %s in cluster %s", family, cluster)
	var arns []string
	pages := ecs.NewListTasksPaginator(c.api, &ecs.ListTasksInput{
		Cluster: aws.String(cluster), Family: aws.String(family), DesiredStatus: types.DesiredStatusRunning, MaxResults: aws.Int32(taskPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.explain(ctx, err, doing)
		}
		if len(page.TaskArns) == 0 {
			continue
		}
		out, err := c.api.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: page.TaskArns})
		if err != nil {
			return nil, c.explain(ctx, err, doing)
		}
		for _, task := range out.Tasks {
			arns = append(arns, aws.ToString(task.TaskDefinitionArn))
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns), nil
}
