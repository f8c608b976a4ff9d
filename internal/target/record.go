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
)

const (
	// recordPage is how many service deployments are looked through. API
	// reference, ListServiceDeployments, maxResults.
	recordPage = 100
	// revisionBatch is how many service revisions one call describes. API
	// reference, DescribeServiceRevisions, serviceRevisionArns.
	revisionBatch = 20
	// recordSlack is how far apart ECS's two accounts of the same deployment may
	// say that it was created, and our clock may be from AWS's.
	recordSlack = time.Minute
)

// record is a service deployment, ECS's lasting account of a deployment: it is
// kept for 90 days, while the entry in Service.Deployments leaves the list as soon
// as the deployment is over and another one is primary. The two share no id; they
// are matched by the task definition and the time.
type record struct {
	arn       string
	status    types.ServiceDeploymentStatus
	reason    string
	createdAt time.Time
}

// recordOf returns the oldest service deployment to a task definition that was
// created in a span of time, or nil. A zero before leaves the span open.
func (c *client) recordOf(ctx context.Context, place slipway.Place, taskDefinition string, after, before time.Time) (*record, error) {
	doing := fmt.Sprintf("cannot read the service deployments of service %s in cluster %s", place.Service, place.Cluster)
	span := &types.CreatedAt{After: aws.Time(after)}
	if !before.IsZero() {
		span.Before = aws.Time(before)
	}
	listed, err := c.api.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(place.Cluster), Service: aws.String(place.Service), CreatedAt: span, MaxResults: aws.Int32(recordPage),
	})
	if err != nil {
		return nil, c.explain(ctx, err, doing)
	}
	oldestFirst := listed.ServiceDeployments
	slices.SortStableFunc(oldestFirst, func(a, b types.ServiceDeploymentBrief) int {
		return aws.ToTime(a.CreatedAt).Compare(aws.ToTime(b.CreatedAt))
	})
	for batch := range slices.Chunk(oldestFirst, revisionBatch) {
		runs, err := c.taskDefinitionsOf(ctx, batch)
		if err != nil {
			return nil, c.explain(ctx, err, doing)
		}
		for _, brief := range batch {
			if runs[aws.ToString(brief.TargetServiceRevisionArn)] == taskDefinition {
				return &record{
					arn: aws.ToString(brief.ServiceDeploymentArn), status: brief.Status,
					reason: aws.ToString(brief.StatusReason), createdAt: aws.ToTime(brief.CreatedAt),
				}, nil
			}
		}
	}
	return nil, nil
}

// taskDefinitionsOf maps the target service revisions of at most twenty service
// deployments to their task definitions.
func (c *client) taskDefinitionsOf(ctx context.Context, batch []types.ServiceDeploymentBrief) (map[string]string, error) {
	var arns []string
	for _, brief := range batch {
		if arn := aws.ToString(brief.TargetServiceRevisionArn); arn != "" && !slices.Contains(arns, arn) {
			arns = append(arns, arn)
		}
	}
	runs := make(map[string]string, len(arns))
	if len(arns) == 0 {
		return runs, nil
	}
	out, err := c.api.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if err != nil {
		return nil, err
	}
	for _, revision := range out.ServiceRevisions {
		runs[aws.ToString(revision.ServiceRevisionArn)] = aws.ToString(revision.TaskDefinition)
	}
	return runs, nil
}

// trace is what an earlier attempt left: a deployment's id and when it was
// created. The id is empty where there is none.
type trace struct {
	id string
	at time.Time
}

// startedBefore looks for a deployment that an earlier attempt to start d made.
// Service.Deployments has it while it lasts. It may have failed and been rolled
// back since, and be gone from there; then ECS's lasting record still has it, and
// the record's ARN stands for the id that nobody can learn any more.
func (c *client) startedBefore(ctx context.Context, d slipway.Deployment, s *types.Service) (trace, error) {
	base := withID(s, d.BaseDeployment)
	for _, listed := range s.Deployments {
		at := aws.ToTime(listed.CreatedAt)
		if aws.ToString(listed.TaskDefinition) != d.TaskDefinition || aws.ToString(listed.Id) == d.BaseDeployment {
			continue
		}
		// A reused task definition may still drain from when it ran before.
		newer := base != nil && at.After(aws.ToTime(base.CreatedAt))
		if !d.Reused || newer || aws.ToString(listed.Status) == deploymentPrimary {
			return trace{aws.ToString(listed.Id), at}, nil
		}
	}
	if d.Attempt <= 1 {
		return trace{}, nil
	}
	after := d.PreparedAt
	if !d.Reused {
		// Nobody ran it before, so that clocks need not agree.
		after = after.Add(-recordSlack)
	}
	found, err := c.recordOf(ctx, d.Place, d.TaskDefinition, after, time.Time{})
	if found == nil || err != nil {
		return trace{}, c.optional(ctx, err)
	}
	return trace{found.arn, found.createdAt}, nil
}

// isRecord reports whether a Deployment's id is that of a record.
func isRecord(id string) bool { return strings.HasPrefix(id, "arn:") }

// optional drops the error of a call that we can do without, for example because
// its permission was not granted. What may pass by itself stays an error, so that
// nothing is concluded from an answer that is only late.
func (c *client) optional(ctx context.Context, err error) error {
	if err == nil || slipway.NextOf(err) == slipway.NextRetry || ctx.Err() != nil {
		return err
	}
	c.log.DebugContext(ctx, "going on without an answer", keyError, err)
	return nil
}
