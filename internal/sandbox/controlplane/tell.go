package controlplane

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// Events takes events, as EventBridge does. Emit is called with the control plane's
// lock held: it does not wait for those who get an event, and does not call back.
type Events interface {
	Emit(source, detailType string, resources []string, detail any)
}

// eventSource is the source of ECS's events.
const eventSource = "aws.ecs"

// tell emits events of what has changed since it was called last: it compares, so
// that nothing which changes a task or a deployment needs to think of it. The
// caller holds the lock.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html
func (c *ControlPlane) tell() {
	if c.options.Events == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.state.Clusters)) {
		cl := c.state.Clusters[name]
		for _, t := range cl.Tasks {
			if t.told != t.Version {
				t.told = t.Version
				c.emit("ECS Task State Change", *t.TaskArn, taskDetail(t))
			}
		}
		for _, s := range cl.Services {
			c.tellService(s)
		}
	}
}

func (c *ControlPlane) tellService(s *service) {
	for _, d := range s.Rollouts {
		if now := d.toTell(); d.told != now {
			d.told = now
			c.emit("ECS Deployment State Change", *s.ServiceArn, deploymentDetail(d))
		}
	}
	if s.Steady && !s.toldSteady {
		c.tellAction(s, "INFO", "SERVICE_STEADY_STATE", "")
	}
	s.toldSteady = s.Steady
}

// know takes all that is there for told, after a restart.
func (c *ControlPlane) know() {
	for _, cl := range c.state.Clusters {
		for _, t := range cl.Tasks {
			t.told = t.Version
		}
		for _, s := range cl.Services {
			s.toldSteady = s.Steady
			for _, d := range s.Rollouts {
				d.told = d.toTell()
			}
		}
	}
}

// toTell is what an event about the deployment would say.
func (d *deployment) toTell() string {
	return string(d.RolloutState) + " " + aws.ToString(d.RolloutStateReason)
}

func (c *ControlPlane) emit(detailType, resource string, detail any) {
	if c.options.Events != nil {
		c.options.Events.Emit(eventSource, detailType, []string{resource}, detail)
	}
}

// deploymentChange is the detail of an event about a deployment.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
type deploymentChange struct {
	EventType    string `json:"eventType"`
	EventName    string `json:"eventName"`
	DeploymentID string `json:"deploymentId"`
	UpdatedAt    string `json:"updatedAt"`
	Reason       string `json:"reason"`
}

func deploymentDetail(d *deployment) deploymentChange {
	kind := "INFO"
	if d.RolloutState == types.DeploymentRolloutStateFailed {
		kind = "ERROR"
	}
	return deploymentChange{
		EventType: kind, EventName: "SERVICE_DEPLOYMENT_" + string(d.RolloutState), DeploymentID: *d.Id,
		UpdatedAt: isoTime(*d.UpdatedAt), Reason: aws.ToString(d.RolloutStateReason),
	}
}

// serviceAction is the detail of an event about a service.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
type serviceAction struct {
	EventType  string `json:"eventType"`
	EventName  string `json:"eventName"`
	ClusterARN string `json:"clusterArn"`
	CreatedAt  string `json:"createdAt"`
	Reason     string `json:"reason,omitempty"`
}

// tellAction emits an event about a service.
func (c *ControlPlane) tellAction(s *service, kind, name, reason string) {
	c.emit("ECS Service Action", *s.ServiceArn, serviceAction{EventType: kind, EventName: name, ClusterARN: *s.ClusterArn, CreatedAt: isoTime(time.Now()), Reason: reason})
}

// taskDetail is the detail of an event about a task: the task as it is described,
// with times as text, and without its health.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
func taskDetail(t *task) map[string]any {
	described := t.Task
	described.HealthStatus, described.Tags = "", nil
	described.Containers = slices.Clone(t.Containers)
	for i := range described.Containers {
		described.Containers[i].HealthStatus = ""
	}
	detail := map[string]any{}
	document, err := awsjson.Marshal(&described)
	if err == nil {
		err = json.Unmarshal(document, &detail)
	}
	if err != nil { // a task can be described
		return map[string]any{"taskArn": *t.TaskArn}
	}
	for name, at := range map[string]*time.Time{
		"connectivityAt": t.ConnectivityAt, "createdAt": t.CreatedAt, "executionStoppedAt": t.ExecutionStoppedAt, "pullStartedAt": t.PullStartedAt,
		"pullStoppedAt": t.PullStoppedAt, "startedAt": t.StartedAt, "stoppedAt": t.StoppedAt, "stoppingAt": t.StoppingAt,
	} {
		if at != nil {
			detail[name] = isoTime(*at)
		}
	}
	detail["updatedAt"] = isoTime(time.Now())
	return detail
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
