//go:build e2e

package aws

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/e2e/terraform/tf"
)

// aCanary is the example's application that CodeDeploy deploys, after a person's
// approval.
type aCanary struct {
	account       *anAccount
	clone         *aClone
	cluster, name string
	pipeline      string
}

// canary is webapp1 of cluster2, once its first execution is through.
func (c *aClone) canary(t *testing.T) *aCanary {
	t.Helper()
	c.conducted(t)
	app := &aCanary{c.account, c, "cluster2", "webapp1", "deployment-" + c.branch + "-cluster2-webapp1"}
	app.approve(t)
	eventually(t, app.pipeline+" has run", func() (bool, error) {
		return c.account.executions(t, app.pipeline)[0].Status == types.PipelineExecutionStatusSucceeded, nil
	})
	return app
}

func (a *aCanary) id() string { return a.cluster + "/" + a.name }

// approve lets the newest execution go on, by slipway.
func (a *aCanary) approve(t *testing.T) {
	t.Helper()
	eventually(t, a.pipeline+" waits for a person", func() (bool, error) { return a.account.waitsForApproval(t, a.pipeline), nil })
	var approved slipway.Execution
	a.clone.ask(t, &approved, "approve", a.id(), "--reason", "for the test")
}

// deploys pushes an image with further files, and fails unless only the app's
// pipeline starts, CodeDeploy moves the service to the other target group with the
// image, slipway tells it, and Terraform would change nothing.
func (a *aCanary) deploys(t *testing.T, image string, files []aFile, roots ...*tf.Root) {
	t.Helper()
	before, serving := a.account.started(t), a.serving(t)
	commit := a.clone.push(t, "Deploy "+image, map[string]string{a.id(): image}, files...)
	eventually(t, a.pipeline+" starts", func() (bool, error) {
		return len(a.account.executions(t, a.pipeline)) > before[a.pipeline], nil
	})
	a.approve(t)
	a.account.delivers(t, before, commit, types.PipelineExecutionStatusSucceeded, a.pipeline)
	eventually(t, a.id()+" runs "+image+" alone", func() (bool, error) { return a.account.runs(t, a.cluster, a.name) == image, nil })
	if now := a.serving(t); now == serving {
		t.Errorf("the target group %s still serves", now)
	}
	a.told(t, commit, image)
	unchanged(t, "CodeDeploy deployed "+image, roots...)
}

// serving is the target group that the service's tasks are in, which must be the one
// that the load balancer sends all requests to.
func (a *aCanary) serving(t *testing.T) string {
	t.Helper()
	out, err := ecs.NewFromConfig(a.account.aws).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &a.cluster, Services: []string{a.name}})
	if err != nil {
		t.Fatal(err)
	}
	group := *out.Services[0].LoadBalancers[0].TargetGroupArn
	var balancers struct {
		LoadBalancers []struct{ LoadBalancerArn string }
	}
	a.elb(t, &balancers, "describe-load-balancers", "--names", "cluster1-alb")
	var listeners struct {
		Listeners []struct{ ListenerArn string }
	}
	a.elb(t, &listeners, "describe-listeners", "--load-balancer-arn", balancers.LoadBalancers[0].LoadBalancerArn)
	var rules struct {
		Rules []struct {
			Priority string
			Actions  []struct {
				TargetGroupArn string
				ForwardConfig  struct {
					TargetGroups []struct {
						TargetGroupArn string
						Weight         int
					}
				}
			}
		}
	}
	a.elb(t, &rules, "describe-rules", "--listener-arn", listeners.Listeners[0].ListenerArn)
	for _, rule := range rules.Rules {
		for _, action := range rule.Actions {
			if action.TargetGroupArn == group {
				return group
			}
			for _, to := range action.ForwardConfig.TargetGroups {
				if to.TargetGroupArn == group && to.Weight == 100 {
					return group
				}
			}
		}
	}
	t.Fatalf("no rule sends all requests to %s, where %s is: %+v", group, a.id(), rules)
	return ""
}

// elb asks the load balancers that moto has.
func (a *aCanary) elb(t *testing.T, answer any, args ...string) {
	t.Helper()
	out := a.account.run(t, t.TempDir(), "aws", append([]string{"--endpoint-url", a.account.moto, "--output", "json", "elbv2"}, args...)...)
	if err := json.Unmarshal([]byte(out), answer); err != nil {
		t.Fatal(err)
	}
}

// told fails unless slipway's history and status say that the commit was deployed.
func (a *aCanary) told(t *testing.T, commit, image string) {
	t.Helper()
	var history []slipway.HistoryEntry
	a.clone.ask(t, &history, "history", a.id(), "--limit", "1")
	if len(history) != 1 || history[0].ID != commit || history[0].Execution == nil || history[0].Execution.Outcome != slipway.OutcomeDeployed {
		t.Errorf("history of %s: %+v, want %s as deployed", a.id(), history, commit)
	}
	var apps []slipway.AppStatus
	a.clone.ask(t, &apps, "status", a.id())
	if len(apps) != 1 || apps[0].Running == nil || apps[0].Drift || apps[0].Problem != "" || len(apps[0].Running.Images) != 1 || apps[0].Running.Images[0].URI != image {
		t.Errorf("status of %s: %+v, want %s", a.id(), apps, image)
	}
}

// templates are the files that CodePipeline's own action wants beside revision.json,
// made of what runs as the module's README says, with another image.
func (a *aCanary) templates(t *testing.T, running, image string) []aFile {
	t.Helper()
	taskdef := a.account.run(t, t.TempDir(), "bash", "-c", `set -euo pipefail
		running=$(aws ecs describe-services --cluster cluster2 --services webapp1 --query 'services[0].taskDefinition' --output text)
		aws ecs describe-task-definition --task-definition "$running" --query taskDefinition --output json |
			jq 'del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)'`)
	if !strings.Contains(taskdef, running) {
		t.Fatalf("%s does not run %s:\n%s", a.id(), running, taskdef)
	}
	return []aFile{
		{a.id() + "/taskdef.json", []byte(strings.ReplaceAll(taskdef, running, image))},
		{a.id() + "/appspec.yaml", []byte(`version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: webapp1
          ContainerPort: 8080
`)},
	}
}
