package controlplane

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// state is all that is kept. It is written and read as JSON; fields without
// capitals do not survive a restart.
type state struct {
	Clusters map[string]*cluster // by name
	Families map[string]*family  // by name
	Launched int64               // tasks so far
}

// cluster is an ECS cluster with what runs in it.
type cluster struct {
	types.Cluster
	Services map[string]*service // by name
	Tasks    map[string]*task    // by id
}

// family is all revisions of a task definition; revision n is at n-1.
type family struct {
	Revisions []*taskDefinition
}

// taskDefinition is one revision: the document that was registered, with ECS's
// defaults, and what ECS says about it.
type taskDefinition struct {
	ARN, Family       string
	Revision          int32
	Status            types.TaskDefinitionStatus
	Document          json.RawMessage
	Tags              []types.Tag
	RegisteredAt      time.Time
	DeregisteredAt    *time.Time
	DeleteRequestedAt *time.Time

	typed *types.TaskDefinition // Document, decoded when first needed
}

// service is an ECS service. Of the embedded members, those that change by
// themselves (deployments, counts) are filled in when it is described.
type service struct {
	types.Service
	Cluster  string        // name
	Rollouts []*deployment // what DescribeServices lists; the PRIMARY is first
	// TaskSets are what a service has in place of Rollouts that CodeDeploy
	// deploys, oldest first.
	TaskSets []*taskSet
	// LastCompleted is the deployment that a rollback returns to; nil if none.
	LastCompleted *deployment
	// Records are the service deployments, newest first; the newest may not
	// have been recorded yet.
	Records []*types.ServiceDeployment
	// Course is where the newest service deployment is on its way; nil unless it
	// has stages.
	Course *course
	// Production and Test are the shares of the traffic that service revisions
	// have, in percent by ARN; nil when ECS does not manage it.
	Production, Test map[string]float64
	// HookDetails are those of the deployment configuration's hooks, by index.
	HookDetails []json.RawMessage
	Revisions   []*types.ServiceRevision
	Steady      bool
	// Complaints are events that are not repeated while their cause lasts, and
	// when they were last written.
	Complaints map[string]time.Time

	wake       *time.Timer // the next scheduler pass
	wakeAt     time.Time
	toldSteady bool // see tell
}

// deployment is an entry of a service's deployments.
type deployment struct {
	types.Deployment
	Revision string // ARN of its service revision
	Record   string // ARN of its service deployment; empty until recorded
	// StartFailures are consecutive tasks that never ran, for the throttle.
	StartFailures int32
	RetryAt       time.Time
	// Source is the id of the deployment that served the traffic when this one
	// began; empty for a service's first.
	Source string
	Deaf   []string  // alarms that were in ALARM when it began
	Heard  time.Time // when the alarms were last looked at
	Baking time.Time // when the bake time of a rolling deployment began
	// Images are the digests that its first task resolved, by container.
	Images map[string]string

	told string // see tell
}

// task is a task of a service or of RunTask.
type task struct {
	types.Task
	ID         string
	Number     int64  // tasks are numbered as they are launched
	Cluster    string // name
	Service    string // name, empty for RunTask
	Deployment string // id, empty for RunTask
	RunToken   string // RunTask's client token
	Targets    []*target
	WasHealthy bool // has it ever counted as healthy
	Failing    bool // it fails a health check and is to be replaced
	Failed     bool // it was counted as failed

	started  bool  // the runtime knows it
	restored bool  // it ran before a restart
	told     int64 // its version then: see tell
}

// target is a task's registration in a target group.
type target struct {
	Target
	Health   TargetHealth
	Draining bool
}

// definition is the task definition with this ARN, which a service or task
// uses; it is never deleted while used.
func (s *state) definition(arn string) *taskDefinition {
	name, revision, _ := splitDefinition(arn)
	if f := s.Families[name]; f != nil && revision > 0 && int(revision) <= len(f.Revisions) {
		return f.Revisions[revision-1]
	}
	return nil
}

// primary is the service's newest deployment.
func (s *service) primary() *deployment {
	if s.byCodeDeploy() {
		return s.primaryTaskSet().Tasks
	}
	return s.Rollouts[0]
}

// deployment finds a deployment in the list, or a task set's, or nil.
func (s *service) deployment(id string) *deployment {
	if ts := s.taskSet(id); ts != nil {
		return ts.Tasks
	}
	for _, d := range s.Rollouts {
		if *d.Id == id {
			return d
		}
	}
	return nil
}

// tasksOf are a service's tasks that have not stopped, oldest first.
func (c *cluster) tasksOf(s *service) []*task {
	var tasks []*task
	for _, t := range c.Tasks {
		if t.Service == *s.ServiceName && *t.LastStatus != statusStopped {
			tasks = append(tasks, t)
		}
	}
	sortTasks(tasks)
	return tasks
}
