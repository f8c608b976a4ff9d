package target

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	// recordSlack is how far apart ECS's two accounts of the same deployment may
	// say that it was created, and our clock may be from AWS's.
	recordSlack = time.Minute
)

// record is a service deployment, ECS's lasting account of a deployment: it is
// kept for 90 days, while the entry in Service.Deployments leaves the list as soon
// as the deployment is over and another one is primary. The two share no id; they
// are matched by the task definition and the time.
type record struct {
	arn        string
	status     types.ServiceDeploymentStatus
	reason     string
	createdAt  time.Time
	finishedAt time.Time // zero while it goes on
	// runs is the ARN of the task definition that it makes the service run.
	runs string
	// detail is the whole of it; nil where it was only listed.
	detail *types.ServiceDeployment
}

// span is a time in which a service deployment was created. A zero before leaves
// it open.
type span struct{ after, before time.Time }

// around is the span in which ECS may say that something was created at a time.
func around(t time.Time) span { return span{t.Add(-recordSlack), t.Add(recordSlack)} }

func (s span) includes(t time.Time) bool {
	return t.After(s.after) && (s.before.IsZero() || t.Before(s.before))
}

// from is how far a time is from the span's middle or, where it is open, from its
// beginning.
func (s span) from(t time.Time) time.Duration {
	if s.before.IsZero() {
		return t.Sub(s.after)
	}
	return t.Sub(s.after.Add(s.before.Sub(s.after) / 2)).Abs()
}

// recordOf returns the service deployment to a task definition that was created in
// a span of time: the one nearest to its middle or, where the span is open, the
// oldest; nil where there is none. An empty task definition takes any.
func (c *client) recordOf(ctx context.Context, place slipway.Place, taskDefinition string, in span) (*record, error) {
	return c.recordThat(ctx, place, in, func(runs string) (bool, error) { return taskDefinition == "" || runs == taskDefinition, nil })
}

// recordThat is client.recordOf with a question of its own about the task
// definition that a service deployment makes the service run.
func (c *client) recordThat(ctx context.Context, place slipway.Place, in span, fits func(runs string) (bool, error)) (*record, error) {
	doing := fmt.Sprintf("cannot read the service deployments of service %s in cluster %s", place.Service, place.Cluster)
	created := &types.CreatedAt{After: aws.Time(in.after)}
	if !in.before.IsZero() {
		created.Before = aws.Time(in.before)
	}
	listed, err := c.api.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(place.Cluster), Service: aws.String(place.Service), CreatedAt: created, MaxResults: aws.Int32(recordPage),
	})
	if err != nil {
		return nil, c.explain(ctx, err, doing)
	}
	nearestFirst := listed.ServiceDeployments
	slices.SortStableFunc(nearestFirst, func(a, b types.ServiceDeploymentBrief) int {
		return cmp.Compare(in.from(aws.ToTime(a.CreatedAt)), in.from(aws.ToTime(b.CreatedAt)))
	})
	for batch := range slices.Chunk(nearestFirst, recordBatch) {
		var arns []string
		for _, brief := range batch {
			arns = append(arns, aws.ToString(brief.TargetServiceRevisionArn))
		}
		runs, err := c.taskDefinitionsOf(ctx, arns)
		if err != nil {
			return nil, err
		}
		for i, brief := range batch {
			fit, err := fits(runs[i])
			if err != nil {
				return nil, err
			}
			if fit {
				return &record{
					arn: aws.ToString(brief.ServiceDeploymentArn), status: brief.Status, reason: aws.ToString(brief.StatusReason),
					createdAt: aws.ToTime(brief.CreatedAt), finishedAt: aws.ToTime(brief.FinishedAt), runs: runs[i],
				}, nil
			}
		}
	}
	return nil, nil
}

// carrier returns the service deployment that carries the watched deployment out,
// or nil while ECS has not recorded it. Until then the one before it is still the
// newest: it is never mistaken for ours, because it runs something else or is
// older.
func (c *client) carrier(ctx context.Context, d slipway.Deployment, w watched, s *types.Service) (*record, error) {
	arn, key := w.id, d.Execution+" "+w.id
	if !isRecord(arn) {
		arn, _ = c.carriers.get(key)
	}
	if arn != "" {
		return c.detailed(ctx, arn)
	}
	in := w.span(d)
	if current := aws.ToString(s.CurrentServiceDeployment); current != "" {
		candidate, err := c.detailed(ctx, current)
		if err != nil {
			return nil, err
		}
		if candidate != nil && candidate.runs == w.taskDefinition && in.includes(candidate.createdAt) {
			c.carriers.put(key, current)
			return candidate, nil
		}
	}
	listed, err := c.recordOf(ctx, d.Place, w.taskDefinition, in)
	if listed == nil || err != nil {
		return nil, err
	}
	c.carriers.put(key, listed.arn)
	return c.detailed(ctx, listed.arn)
}

// detailed is a service deployment in full, or nil where ECS has forgotten it.
func (c *client) detailed(ctx context.Context, arn string) (*record, error) {
	detail, err := c.records.get(ctx, "", arn)
	if err != nil || detail == nil {
		return nil, err
	}
	r := &record{
		arn: arn, status: detail.Status, reason: aws.ToString(detail.StatusReason),
		createdAt: aws.ToTime(detail.CreatedAt), finishedAt: aws.ToTime(detail.FinishedAt), detail: detail,
	}
	if detail.TargetServiceRevision != nil {
		runs, err := c.taskDefinitionsOf(ctx, []string{aws.ToString(detail.TargetServiceRevision.Arn)})
		if err != nil {
			return nil, err
		}
		r.runs = runs[0]
	}
	return r, nil
}

// taskDefinitionsOf returns the task definition of each service revision, which
// never changes; an empty one where ECS does not say.
func (c *client) taskDefinitionsOf(ctx context.Context, revisions []string) ([]string, error) {
	runs, failures := make([]string, len(revisions)), make([]error, len(revisions))
	var asked sync.WaitGroup
	for i, arn := range revisions {
		var known bool
		if runs[i], known = c.runs.get(arn); known || arn == "" {
			continue
		}
		asked.Go(func() {
			runs[i], failures[i] = c.revisions.get(ctx, "", arn)
			if runs[i] != "" {
				c.runs.put(arn, runs[i])
			}
		})
	}
	asked.Wait()
	return runs, cmp.Or(failures...)
}

// describeRecords describes up to twenty service deployments, by ARN.
func (c *client) describeRecords(ctx context.Context, _ string, arns []string) (map[string]*types.ServiceDeployment, error) {
	out, err := c.api.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		return nil, c.explain(ctx, err, "cannot read the service deployments")
	}
	answers := make(map[string]*types.ServiceDeployment, len(arns))
	for i := range out.ServiceDeployments {
		answers[aws.ToString(out.ServiceDeployments[i].ServiceDeploymentArn)] = &out.ServiceDeployments[i]
	}
	return answers, nil
}

// describeRevisions says what up to twenty service revisions run, by ARN.
func (c *client) describeRevisions(ctx context.Context, _ string, arns []string) (map[string]string, error) {
	out, err := c.api.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if err != nil {
		return nil, c.explain(ctx, err, "cannot read the service revisions")
	}
	answers := make(map[string]string, len(arns))
	for _, revision := range out.ServiceRevisions {
		answers[aws.ToString(revision.ServiceRevisionArn)] = aws.ToString(revision.TaskDefinition)
	}
	return answers, nil
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
	found, err := c.recordOf(ctx, d.Place, d.TaskDefinition, span{after: after})
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
