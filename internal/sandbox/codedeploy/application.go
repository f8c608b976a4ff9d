package codedeploy

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func (a api) CreateApplication(_ context.Context, in *codedeploy.CreateApplicationInput) (*codedeploy.CreateApplicationOutput, error) {
	name := aws.ToString(in.ApplicationName)
	switch {
	case name == "":
		return nil, errCoded("ApplicationNameRequiredException", "Application name is required.")
	case a.state.Applications[name] != nil:
		return nil, errCoded("ApplicationAlreadyExistsException", "Application already exists: %s", name)
	case in.ComputePlatform != types.ComputePlatformEcs:
		return nil, errCoded("InvalidComputePlatformException", "The sandbox deploys to the compute platform ECS alone.")
	}
	made := &application{
		ApplicationInfo: types.ApplicationInfo{
			ApplicationId: aws.String(newUUID()), ApplicationName: in.ApplicationName,
			ComputePlatform: in.ComputePlatform, CreateTime: aws.Time(time.Now()),
		},
		Groups: map[string]*types.DeploymentGroupInfo{},
	}
	if err := a.tag(a.applicationARN(name), in.Tags); err != nil {
		return nil, err
	}
	a.state.Applications[name] = made
	return &codedeploy.CreateApplicationOutput{ApplicationId: made.ApplicationId}, nil
}

func (a api) GetApplication(_ context.Context, in *codedeploy.GetApplicationInput) (*codedeploy.GetApplicationOutput, error) {
	found, err := a.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetApplicationOutput{Application: &found.ApplicationInfo}, nil
}

// batchMost is how many applications, deployment groups and deployments can be
// asked for at once; targetsMost how many targets of a deployment.
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeployments.html
const (
	batchMost   = 25
	groupsMost  = 100
	targetsMost = 25
)

func (a api) BatchGetApplications(_ context.Context, in *codedeploy.BatchGetApplicationsInput) (*codedeploy.BatchGetApplicationsOutput, error) {
	if len(in.ApplicationNames) > groupsMost {
		return nil, errBatch(groupsMost)
	}
	out := &codedeploy.BatchGetApplicationsOutput{ApplicationsInfo: []types.ApplicationInfo{}}
	for _, name := range in.ApplicationNames {
		found, err := a.application(&name)
		if err != nil {
			return nil, err
		}
		out.ApplicationsInfo = append(out.ApplicationsInfo, found.ApplicationInfo)
	}
	return out, nil
}

func errBatch(most int) error {
	return errCoded("BatchLimitExceededException", "The maximum number of names or IDs allowed for this request (%d) was exceeded.", most)
}

func (a api) ListApplications(_ context.Context, in *codedeploy.ListApplicationsInput) (*codedeploy.ListApplicationsOutput, error) {
	names, next, err := page(slices.Sorted(maps.Keys(a.state.Applications)), in.NextToken)
	return &codedeploy.ListApplicationsOutput{Applications: names, NextToken: next}, err
}

func (a api) DeleteApplication(_ context.Context, in *codedeploy.DeleteApplicationInput) (*codedeploy.DeleteApplicationOutput, error) {
	name := aws.ToString(in.ApplicationName)
	if app := a.state.Applications[name]; app != nil {
		for group := range app.Groups {
			delete(a.state.Tags, a.groupARN(name, group))
		}
	}
	delete(a.state.Tags, a.applicationARN(name))
	delete(a.state.Applications, name)
	return &codedeploy.DeleteApplicationOutput{}, nil
}
