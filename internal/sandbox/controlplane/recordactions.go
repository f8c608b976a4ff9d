package controlplane

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// listDeploymentsUsual is the page size of ListServiceDeployments when none is
// given.
const listDeploymentsUsual = 20

func (a api) ListServiceDeployments(_ context.Context, in *ecs.ListServiceDeploymentsInput) (*ecs.ListServiceDeploymentsOutput, error) {
	s, err := a.service(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	var found []types.ServiceDeploymentBrief
	for _, r := range a.showRecords(s) {
		if len(in.Status) > 0 && !slices.Contains(in.Status, r.Status) {
			continue
		}
		if w := in.CreatedAt; w != nil && (w.After != nil && !r.CreatedAt.After(*w.After) || w.Before != nil && !r.CreatedAt.Before(*w.Before)) {
			continue
		}
		found = append(found, types.ServiceDeploymentBrief{
			ServiceDeploymentArn: r.ServiceDeploymentArn, ServiceArn: r.ServiceArn, ClusterArn: r.ClusterArn,
			CreatedAt: r.CreatedAt, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
			Status: r.Status, StatusReason: r.StatusReason, TargetServiceRevisionArn: r.TargetServiceRevision.Arn,
		})
	}
	found, next, err := page(found, in.NextToken, in.MaxResults, listDeploymentsUsual)
	return &ecs.ListServiceDeploymentsOutput{ServiceDeployments: found, NextToken: next}, err
}

func (a api) DescribeServiceDeployments(_ context.Context, in *ecs.DescribeServiceDeploymentsInput) (*ecs.DescribeServiceDeploymentsOutput, error) {
	if n := len(in.ServiceDeploymentArns); n == 0 || n > describeDeploymentsMost {
		return nil, errParameter("serviceDeploymentArns must have 1 to %d elements.", describeDeploymentsMost)
	}
	out := &ecs.DescribeServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeployment{}, Failures: []types.Failure{}}
	for _, arn := range in.ServiceDeploymentArns {
		r := a.showRecord(arn)
		if r == nil {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String(reasonMissing)})
			continue
		}
		out.ServiceDeployments = append(out.ServiceDeployments, *r)
	}
	return out, nil
}

func (a api) DescribeServiceRevisions(_ context.Context, in *ecs.DescribeServiceRevisionsInput) (*ecs.DescribeServiceRevisionsOutput, error) {
	if n := len(in.ServiceRevisionArns); n == 0 || n > describeDeploymentsMost {
		return nil, errParameter("serviceRevisionArns must have 1 to %d elements.", describeDeploymentsMost)
	}
	out := &ecs.DescribeServiceRevisionsOutput{ServiceRevisions: []types.ServiceRevision{}, Failures: []types.Failure{}}
	for _, arn := range in.ServiceRevisionArns {
		var r *types.ServiceRevision
		if s := a.serviceByARN(arn); s != nil {
			r = s.revision(arn)
		}
		if r == nil {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String(reasonMissing)})
			continue
		}
		out.ServiceRevisions = append(out.ServiceRevisions, *r)
	}
	return out, nil
}

func (a api) StopServiceDeployment(_ context.Context, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	arn := aws.ToString(in.ServiceDeploymentArn)
	s, r := a.findRecord(arn)
	if r == nil {
		return nil, errCoded("ServiceDeploymentNotFoundException", "Service deployment not found.")
	}
	if in.StopType == types.StopServiceDeploymentStopTypeAbort {
		return nil, errParameter("stopType ABORT is not supported.")
	}
	if r.Status != types.ServiceDeploymentStatusInProgress && r.Status != types.ServiceDeploymentStatusPending {
		return nil, errCoded("ConflictException", "The service deployment cannot be stopped: its status is "+string(r.Status)+".")
	}
	r.Status = types.ServiceDeploymentStatusRollbackRequested
	a.after(schedulerPass, func() { a.stopDeployment(s, r) }) //nolint:contextcheck // what it begins outlives the request
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}

// stopDeployment does what StopServiceDeployment asked for, unless the service
// deployment was replaced in between.
func (c *ControlPlane) stopDeployment(s *service, r *record) {
	if r.Status != types.ServiceDeploymentStatusRollbackRequested {
		return
	}
	d := s.primary()
	if s.LastCompleted == nil {
		d.setRollout(types.DeploymentRolloutStateFailed, "ECS deployment "+*d.Id+" stopped.")
		r.finish(types.ServiceDeploymentStatusRollbackFailed, reasonNoCandidate)
		return
	}
	d.setRollout(types.DeploymentRolloutStateFailed, "ECS deployment "+*d.Id+" stopped: rolling back to deploymentId "+*s.LastCompleted.Id+".")
	c.rollBack(s, reasonStopRequest, "ECS deployment "+*s.LastCompleted.Id+" in progress.")
}

// serviceByARN finds the service that a service deployment's or revision's ARN
// names, or nil: both end in cluster/service/id.
func (c *ControlPlane) serviceByARN(arn string) *service {
	parts := strings.Split(arn, "/")
	if len(parts) != 4 || c.state.Clusters[parts[1]] == nil {
		return nil
	}
	return c.state.Clusters[parts[1]].Services[parts[2]]
}

// findRecord finds a service deployment by its ARN, or nil.
func (c *ControlPlane) findRecord(arn string) (*service, *record) {
	if s := c.serviceByARN(arn); s != nil {
		for _, r := range s.Records {
			if *r.ServiceDeploymentArn == arn {
				return s, (*record)(r)
			}
		}
	}
	return nil, nil
}

// showRecord is a service deployment for those who read it, or nil.
func (c *ControlPlane) showRecord(arn string) *types.ServiceDeployment {
	if s := c.serviceByARN(arn); s != nil {
		for _, r := range c.showRecords(s) {
			if *r.ServiceDeploymentArn == arn {
				return &r
			}
		}
	}
	return nil
}

// describeRecord is the service deployment with the counts of its revisions.
func (c *ControlPlane) describeRecord(s *service, r *record) types.ServiceDeployment {
	d := types.ServiceDeployment(*r)
	breaker, alarms := *r.DeploymentCircuitBreaker, *r.Alarms
	d.DeploymentCircuitBreaker, d.Alarms = &breaker, &alarms
	target := c.summary(s, *r.TargetServiceRevision.Arn)
	d.TargetServiceRevision = &target
	d.SourceServiceRevisions = []types.ServiceRevisionSummary{}
	for _, source := range r.SourceServiceRevisions {
		d.SourceServiceRevisions = append(d.SourceServiceRevisions, c.summary(s, *source.Arn))
	}
	return d
}

// summary counts the tasks of a service revision.
func (c *ControlPlane) summary(s *service, revision string) types.ServiceRevisionSummary {
	summary := types.ServiceRevisionSummary{Arn: aws.String(revision)}
	s.weigh(&summary)
	tasks := c.state.Clusters[s.Cluster].tasksOf(s)
	for _, d := range s.Rollouts {
		if d.Revision != revision {
			continue
		}
		summary.RequestedTaskCount += d.DesiredCount
		for _, t := range tasks {
			if t.Deployment == *d.Id {
				summary.RunningTaskCount += t.runs()
				summary.PendingTaskCount += t.pends()
			}
		}
	}
	return summary
}
