package codedeploy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// rig is a service that CodeDeploy deploys, webapp1 of cluster1 with two tasks.
type rig struct {
	*testing.T
	*codedeploy.Client
	w         *sandboxtest.World
	service   *sandboxtest.Service
	functions functions
}

// functions are the account's, by name; none is added while a deployment runs.
type functions map[string]func(payload []byte) error

// Invoke implements codedeploy.Functions.
func (f functions) Invoke(_ context.Context, name string, payload []byte) ([]byte, error) {
	if f[name] == nil {
		return nil, errors.New("Function not found: " + name)
	}
	return nil, f[name](payload)
}

// in runs a test in a bubble.
func in(t *testing.T, test func(r *rig), changes ...func(*codedeploy.CreateDeploymentGroupInput)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		functions := functions{}
		w := sandboxtest.New(t, sandboxtest.Functions(functions))
		test(&rig{
			T: t, Client: w.CodeDeploy(), w: w, functions: functions,
			service: w.Service("cluster1", "webapp1", sandboxtest.DesiredCount(2), sandboxtest.ByCodeDeploy(changes...)),
		})
	})
}

func config(name string) func(*codedeploy.CreateDeploymentGroupInput) {
	return func(in *codedeploy.CreateDeploymentGroupInput) { in.DeploymentConfigName = aws.String(name) }
}

func pass(d time.Duration) { <-time.After(d) }

// register registers a task definition of the service with another image.
func (r *rig) register(image string) string {
	r.Helper()
	out, err := r.w.ECS().RegisterTaskDefinition(r.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("webapp1"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("webapp1"), Image: aws.String("registry.example.com/webapp1:" + image),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
		}},
	})
	if err != nil {
		r.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// create begins a deployment of an AppSpec.
func (r *rig) create(content string) (string, error) {
	out, err := r.CreateDeployment(r.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("AppECS-cluster1-webapp1"), DeploymentGroupName: aws.String("DgpECS-cluster1-webapp1"),
		Revision: &types.RevisionLocation{
			RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: aws.String(content)},
		},
	})
	if err != nil {
		return "", err
	}
	return *out.DeploymentId, nil
}

// deploy begins a deployment of an image; hooks is the AppSpec's, or empty.
func (r *rig) deploy(image, hooks string) string {
	r.Helper()
	id, err := r.create(appSpec(r.register(image), 8080, hooks))
	if err != nil {
		r.Fatal(err)
	}
	return id
}

func appSpec(taskDefinition string, port int, hooks string) string {
	if hooks != "" {
		hooks = `, "Hooks": ` + hooks
	}
	return fmt.Sprintf(`{"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {
		"TaskDefinition": %q, "LoadBalancerInfo": {"ContainerName": "webapp1", "ContainerPort": %d}}}}]%s}`, taskDefinition, port, hooks)
}

func (r *rig) get(id string) *types.DeploymentInfo {
	r.Helper()
	out, err := r.GetDeployment(r.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		r.Fatal(err)
	}
	return out.DeploymentInfo
}

func (r *rig) target(id string) *types.ECSTarget {
	r.Helper()
	ids, err := r.ListDeploymentTargets(r.Context(), &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id})
	if err != nil {
		r.Fatal(err)
	}
	out, err := r.BatchGetDeploymentTargets(r.Context(), &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &id, TargetIds: ids.TargetIds})
	if err != nil {
		r.Fatal(err)
	}
	return out.DeploymentTargets[0].EcsTarget
}

// events are a deployment's lifecycle events, in order, as "Install Succeeded".
func (r *rig) events(id string) []string {
	var all []string
	for _, e := range r.target(id).LifecycleEvents {
		all = append(all, *e.LifecycleEventName+" "+string(e.Status))
	}
	return all
}

// look is how often a test looks.
const look = 5 * time.Second

// until looks until the deployment is as wanted, and returns how
// long that took.
func (r *rig) until(id string, wanted func(*types.DeploymentInfo) bool) time.Duration {
	r.Helper()
	began := time.Now()
	for time.Since(began) < 3*time.Hour {
		if wanted(r.get(id)) {
			return time.Since(began)
		}
		pass(look)
	}
	r.Fatalf("after %v: %+v", time.Since(began), r.get(id))
	return 0
}

// end waits for a deployment's end.
func (r *rig) end(id string, status types.DeploymentStatus) *types.DeploymentInfo {
	r.Helper()
	r.until(id, func(d *types.DeploymentInfo) bool { return d.CompleteTime != nil })
	d := r.get(id)
	if d.Status != status {
		r.Fatalf("%s is %s: %+v", id, d.Status, d.ErrorInformation)
	}
	return d
}

// shifting waits until the replacement has a share of the traffic.
func (r *rig) shifting(id string) {
	r.Helper()
	r.until(id, func(*types.DeploymentInfo) bool { return r.service.Weights()["webapp1-green"] > 0 })
}

// checkServes compares what serves: the primary task set's image, and the share
// of the second target group.
func (r *rig) checkServes(taskDefinition string, green float64) {
	r.Helper()
	s := r.service.Describe()
	if *s.TaskDefinition != taskDefinition {
		r.Errorf("the service shows %s, want %s", *s.TaskDefinition, taskDefinition)
	}
	for _, ts := range s.TaskSets {
		if *ts.Status == "PRIMARY" && (*ts.TaskDefinition != taskDefinition || ts.RunningCount != 2) {
			r.Errorf("%s serves with %d tasks, want %s with 2", *ts.TaskDefinition, ts.RunningCount, taskDefinition)
		}
	}
	if got := r.service.Weights(); got["webapp1-green"] != green || got["webapp1"] != 100-green {
		r.Errorf("weights %v, want %v for webapp1-green", got, green)
	}
}

func checkCode(t *testing.T, err error, code, message string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code || api.ErrorMessage() != message {
		t.Errorf("got %v\nwant %s: %s", err, code, message)
	}
}
