package codedeploy

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// startTime is how long a deployment stays Created, as seen.
const startTime = 3 * time.Second

func (a api) CreateDeployment(_ context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	g, err := a.group(in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	spec, err := specOf(in.Revision)
	if err != nil {
		return nil, err
	}
	for _, other := range a.state.Deployments {
		if !other.over() && *other.Info.ApplicationName == *g.ApplicationName && *other.Info.DeploymentGroupName == *g.DeploymentGroupName {
			return nil, errCoded("DeploymentLimitExceededException", "The Deployment Group '%s' already has an active Deployment '%s'",
				*g.DeploymentGroupName, *other.Info.DeploymentId)
		}
	}
	config := *g.DeploymentConfigName
	if in.DeploymentConfigName != nil {
		config = *in.DeploymentConfigName
	}
	if routing(config) == nil {
		return nil, errNoConfig(config)
	}
	d := &deployment{
		Spec: spec, Service: g.EcsServices[0], Alarms: alarms(g.AlarmConfiguration, in.OverrideAlarmConfiguration),
		Events: lifecycle(types.LifecycleEventStatusPending),
		Info: types.DeploymentInfo{
			ApplicationName: g.ApplicationName, DeploymentGroupName: g.DeploymentGroupName, DeploymentConfigName: aws.String(config),
			DeploymentStyle: g.DeploymentStyle, LoadBalancerInfo: g.LoadBalancerInfo,
			BlueGreenDeploymentConfiguration: g.BlueGreenDeploymentConfiguration, AutoRollbackConfiguration: g.AutoRollbackConfiguration,
			OverrideAlarmConfiguration: in.OverrideAlarmConfiguration, Description: in.Description,
			Creator: types.DeploymentCreatorUser, Revision: located(in.Revision), PreviousRevision: g.TargetRevision,
			FileExistsBehavior: types.FileExistsBehaviorDisallow,
		},
	}
	replace(&d.Info.AutoRollbackConfiguration, in.AutoRollbackConfiguration)
	a.begin(d)
	return &codedeploy.CreateDeploymentOutput{DeploymentId: d.Info.DeploymentId}, nil
}

// begin gives a deployment its id and has it start.
func (c *Service) begin(d *deployment) {
	d.Info.DeploymentId = aws.String(newDeploymentID())
	d.Info.Status = types.DeploymentStatusCreated
	d.Info.ComputePlatform = types.ComputePlatformEcs
	d.Info.CreateTime = aws.Time(time.Now())
	d.UpdatedAt = time.Now()
	c.state.Deployments = append(c.state.Deployments, d)
	c.attempted(d)
	c.stepIn(d, startTime)
}

// attempted notes the deployment as its group's last, if there is the group.
func (c *Service) attempted(d *deployment) {
	g, err := c.group(d.Info.ApplicationName, d.Info.DeploymentGroupName)
	if err != nil {
		return
	}
	last := &types.LastDeploymentInfo{
		DeploymentId: d.Info.DeploymentId, Status: d.Info.Status, CreateTime: d.Info.CreateTime, EndTime: d.Info.CompleteTime,
	}
	g.LastAttemptedDeployment = last
	if d.Info.Status == types.DeploymentStatusSucceeded {
		g.LastSuccessfulDeployment = last
		if d.Info.Creator != types.DeploymentCreatorCodeDeployRollback {
			g.TargetRevision = d.Info.Revision
		}
	}
}

// specOf reads a deployment's revision.
func specOf(revision *types.RevisionLocation) (appSpec, error) {
	switch {
	case revision == nil:
		return appSpec{}, errCoded("RevisionRequiredException", "Revision is required")
	case revision.RevisionType != types.RevisionLocationTypeAppSpecContent || revision.AppSpecContent == nil || revision.AppSpecContent.Content == nil:
		return appSpec{}, errCoded("InvalidRevisionException", "The sandbox takes revisions of type AppSpecContent alone.")
	}
	content := *revision.AppSpecContent.Content
	if sum := revision.AppSpecContent.Sha256; sum != nil && *sum != hash(content) {
		return appSpec{}, errCoded("InvalidRevisionException", "The SHA256 hash does not match the content of the AppSpec file.")
	}
	spec, err := parseAppSpec(content)
	if err != nil {
		return appSpec{}, errCoded("InvalidRevisionException", "The AppSpec file is not valid: %s", err)
	}
	return spec, nil
}

// located is the revision as it is described: without its content, by its hash.
// API reference, GetDeployment.
func located(revision *types.RevisionLocation) *types.RevisionLocation {
	return &types.RevisionLocation{
		RevisionType:   revision.RevisionType,
		AppSpecContent: &types.AppSpecContent{Sha256: aws.String(hash(*revision.AppSpecContent.Content))},
	}
}

func hash(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// alarms are those that stop a deployment.
func alarms(group, override *types.AlarmConfiguration) []string {
	replace(&group, override)
	var names []string
	if group != nil && group.Enabled {
		for _, alarm := range group.Alarms {
			names = append(names, aws.ToString(alarm.Name))
		}
	}
	return names
}

func (a api) GetDeployment(_ context.Context, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	d, err := a.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentOutput{DeploymentInfo: &d.Info}, nil
}

// BatchGetDeployments leaves out those that are not there.
func (a api) BatchGetDeployments(_ context.Context, in *codedeploy.BatchGetDeploymentsInput) (*codedeploy.BatchGetDeploymentsOutput, error) {
	if len(in.DeploymentIds) > batchMost {
		return nil, errBatch(batchMost)
	}
	out := &codedeploy.BatchGetDeploymentsOutput{DeploymentsInfo: []types.DeploymentInfo{}}
	for _, id := range in.DeploymentIds {
		if d, err := a.deployment(&id); err == nil {
			out.DeploymentsInfo = append(out.DeploymentsInfo, d.Info)
		}
	}
	return out, nil
}

// ListDeployments lists the newest first.
func (a api) ListDeployments(_ context.Context, in *codedeploy.ListDeploymentsInput) (*codedeploy.ListDeploymentsOutput, error) {
	if in.DeploymentGroupName != nil {
		if _, err := a.group(in.ApplicationName, in.DeploymentGroupName); err != nil {
			return nil, err
		}
	} else if in.ApplicationName != nil {
		if _, err := a.application(in.ApplicationName); err != nil {
			return nil, err
		}
	}
	var ids []string
	for _, d := range slices.Backward(a.state.Deployments) {
		if listed(&d.Info, in) {
			ids = append(ids, *d.Info.DeploymentId)
		}
	}
	ids, next, err := page(ids, in.NextToken)
	return &codedeploy.ListDeploymentsOutput{Deployments: ids, NextToken: next}, err
}

// listed says whether a deployment passes the filters.
func listed(d *types.DeploymentInfo, in *codedeploy.ListDeploymentsInput) bool {
	if in.ApplicationName != nil && *in.ApplicationName != *d.ApplicationName ||
		in.DeploymentGroupName != nil && *in.DeploymentGroupName != *d.DeploymentGroupName {
		return false
	}
	if len(in.IncludeOnlyStatuses) > 0 && !slices.Contains(in.IncludeOnlyStatuses, d.Status) {
		return false
	}
	if r := in.CreateTimeRange; r != nil {
		return (r.Start == nil || !d.CreateTime.Before(*r.Start)) && (r.End == nil || d.CreateTime.Before(*r.End))
	}
	return true
}
