package controlplane

import (
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The statuses of a task set: PRIMARY serves production traffic, ACTIVE does
// not, DRAINING stops.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
const (
	taskSetPrimary  = "PRIMARY"
	taskSetActive   = "ACTIVE"
	taskSetDraining = "DRAINING"
)

// taskSet is a share of a CODE_DEPLOY service: its own task definition, its own
// target group. Such a service has no deployments; CodeDeploy makes its task
// sets, and each keeps its own number of tasks.
type taskSet struct {
	types.TaskSet // counts and stability are filled in when they are described
	// Tasks is what the scheduler knows of it: a deployment of the same id that
	// no client sees.
	Tasks *deployment
}

// taskSet finds a task set by its id or ARN, or nil.
func (s *service) taskSet(idOrARN string) *taskSet {
	i := slices.IndexFunc(s.TaskSets, func(ts *taskSet) bool { return *ts.Id == idOrARN || *ts.TaskSetArn == idOrARN })
	if i < 0 {
		return nil
	}
	return s.TaskSets[i]
}

// primaryTaskSet is the one that serves production traffic; an ACTIVE service
// has it.
func (s *service) primaryTaskSet() *taskSet {
	return s.TaskSets[slices.IndexFunc(s.TaskSets, func(ts *taskSet) bool { return *ts.Status == taskSetPrimary })]
}

// addTaskSet adds a task set to the service and has its tasks started.
func (c *ControlPlane) addTaskSet(s *service, td *taskDefinition, in *ecs.CreateTaskSetInput) *taskSet {
	now := time.Now()
	id := "ecs-svc/" + randomDigits(19)
	launch := in.LaunchType
	if launch == "" && in.CapacityProviderStrategy == nil {
		launch = s.LaunchType
	}
	revision := &types.ServiceRevision{
		ServiceRevisionArn:       aws.String(c.arn("service-revision/" + s.Cluster + "/" + *s.ServiceName + "/" + randomDigits(19))),
		ServiceArn:               s.ServiceArn,
		ClusterArn:               s.ClusterArn,
		CreatedAt:                aws.Time(now),
		TaskDefinition:           aws.String(td.ARN),
		LaunchType:               launch,
		CapacityProviderStrategy: in.CapacityProviderStrategy,
		LoadBalancers:            in.LoadBalancers,
		ServiceRegistries:        in.ServiceRegistries,
		NetworkConfiguration:     in.NetworkConfiguration,
	}
	s.Revisions = append(s.Revisions, revision)
	scale := in.Scale
	if scale == nil {
		scale = &types.Scale{Unit: types.ScaleUnitPercent, Value: 100}
	}
	ts := &taskSet{
		TaskSet: types.TaskSet{
			Id:                       aws.String(id),
			TaskSetArn:               aws.String(c.arn("task-set/" + s.Cluster + "/" + *s.ServiceName + "/" + id)),
			ServiceArn:               s.ServiceArn,
			ClusterArn:               s.ClusterArn,
			ExternalId:               in.ExternalId,
			Status:                   aws.String(taskSetActive),
			TaskDefinition:           aws.String(td.ARN),
			CreatedAt:                aws.Time(now),
			UpdatedAt:                aws.Time(now),
			LaunchType:               launch,
			CapacityProviderStrategy: in.CapacityProviderStrategy,
			PlatformVersion:          aws.String(platformVersion),
			PlatformFamily:           aws.String(platformFamily),
			NetworkConfiguration:     in.NetworkConfiguration,
			LoadBalancers:            orEmpty(in.LoadBalancers),
			ServiceRegistries:        orEmpty(in.ServiceRegistries),
			Scale:                    scale,
			StabilityStatus:          types.StabilityStatusStabilizing,
			StabilityStatusAt:        aws.Time(now),
			Tags:                     orEmpty(in.Tags),
		},
		Tasks: &deployment{
			Deployment: types.Deployment{Id: aws.String(id), Status: aws.String(deploymentActive), TaskDefinition: aws.String(td.ARN)},
			Revision:   *revision.ServiceRevisionArn,
			Images:     map[string]string{},
		},
	}
	if in.ExternalId != nil {
		ts.StartedBy = aws.String(string(types.DeploymentControllerTypeCodeDeploy))
	}
	s.TaskSets = append(s.TaskSets, ts)
	s.Steady = false
	c.kick(s)
	return ts
}

// firstTaskSet is the task set that CreateService itself makes.
func (c *ControlPlane) firstTaskSet(s *service, td *taskDefinition) {
	c.makePrimary(s, c.addTaskSet(s, td, &ecs.CreateTaskSetInput{
		LaunchType: s.LaunchType, CapacityProviderStrategy: s.CapacityProviderStrategy, LoadBalancers: s.LoadBalancers,
		NetworkConfiguration: s.NetworkConfiguration, ServiceRegistries: s.ServiceRegistries,
	}))
}

// makePrimary has a task set be the one that serves; the service shows what it
// runs.
func (c *ControlPlane) makePrimary(s *service, primary *taskSet) {
	for _, ts := range s.TaskSets {
		if *ts.Status == taskSetPrimary {
			ts.become(taskSetActive)
		}
	}
	primary.become(taskSetPrimary)
	s.TaskDefinition, s.LoadBalancers = primary.TaskDefinition, primary.LoadBalancers
	s.NetworkConfiguration, s.ServiceRegistries = primary.NetworkConfiguration, primary.ServiceRegistries
	s.LaunchType, s.CapacityProviderStrategy = primary.LaunchType, primary.CapacityProviderStrategy
}

// become gives the task set its next status.
func (ts *taskSet) become(status string) {
	ts.Status, ts.UpdatedAt = aws.String(status), aws.Time(time.Now())
}

// drain has the task set's tasks stopped; then it goes.
func (c *ControlPlane) drain(s *service, ts *taskSet) {
	ts.Scale = &types.Scale{Unit: types.ScaleUnitPercent, Value: 0}
	ts.become(taskSetDraining)
	c.kick(s)
}

// desired is how many tasks the task set shall have: its share of the service's,
// rounded up.
func (ts *taskSet) desired(s *service) int {
	return int(math.Ceil(float64(s.DesiredCount) * ts.Scale.Value / 100))
}

// describeTaskSet is a task set with its counts.
func (c *ControlPlane) describeTaskSet(s *service, ts *taskSet, tasks []*task, withTags bool) types.TaskSet {
	d := ts.TaskSet
	d.ComputedDesiredCount = int32(ts.desired(s))
	for _, t := range tasks {
		if t.Deployment == *ts.Id {
			d.RunningCount += t.runs()
			d.PendingCount += t.pends()
		}
	}
	if !withTags {
		d.Tags = nil
	}
	return d
}

// describeTaskSets adds the task sets, newest first, to the description of a
// service that CodeDeploy deploys; there are none of another.
func (c *ControlPlane) describeTaskSets(s *service, d *types.Service, tasks []*task, withTags bool) {
	for _, ts := range slices.Backward(s.TaskSets) {
		described := c.describeTaskSet(s, ts, tasks, withTags)
		d.TaskSets = append(d.TaskSets, described)
		d.RunningCount += described.RunningCount
		d.PendingCount += described.PendingCount
	}
}
