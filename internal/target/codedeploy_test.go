package target

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cd "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const good, crash = "registry.example.com/webapp1:2.0.0", "registry.example.com/webapp1:2.0.0-crash"

// blueGreen runs a test in a bubble, with webapp1 deployed by CodeDeploy and a
// target that finds that out.
func blueGreen(t *testing.T, test func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service), changes ...func(*cd.CreateDeploymentGroupInput)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.DesiredCount(2), sandboxtest.ByCodeDeploy(changes...))
		w.ForgetCalls()
		test(t, w, New(Options{Config: func(context.Context, string) (aws.Config, error) { return w.Config(), nil }}), s)
	})
}

func linear(in *cd.CreateDeploymentGroupInput) {
	in.DeploymentConfigName = aws.String("CodeDeployDefault.ECSLinear10PercentEvery1Minutes")
}

func noRollback(in *cd.CreateDeploymentGroupInput) {
	in.AutoRollbackConfiguration = &cdtypes.AutoRollbackConfiguration{}
}

// observeTo observes until an observation is as wanted, and returns it.
func observeTo(t *testing.T, a *AWS, d slipway.Deployment, wanted func(slipway.Observation) bool) slipway.Observation {
	t.Helper()
	for range 1000 {
		o, err := a.Observe(t.Context(), persisted(t, d))
		if err != nil {
			t.Fatal(err)
		}
		if wanted(o) {
			return o
		}
		if o.Final() {
			t.Fatalf("ended before: %+v", o)
		}
		pass(time.Until(o.Next))
	}
	t.Fatal("never observed")
	return slipway.Observation{}
}

// shifted is when the new tasks have a part of the traffic.
func shifted(o slipway.Observation) bool { return o.Traffic != nil && *o.Traffic > 0 }

// rollBack rolls d back as the engine does, until the call succeeds.
func rollBack(t *testing.T, a *AWS, d slipway.Deployment, why string) slipway.Deployment {
	t.Helper()
	d.RollbackReason = why
	for range 5 {
		d.Attempt++
		next, err := a.Rollback(t.Context(), persisted(t, d))
		if err == nil {
			return persisted(t, next)
		}
		if slipway.NextOf(err) != slipway.NextRetry {
			t.Fatal(err)
		}
		pass(time.Minute)
	}
	t.Fatal("no rollback")
	return d
}

// stopDeployment is what a person does in CodeDeploy.
func stopDeployment(t *testing.T, w *sandboxtest.World, id string, rollback bool) {
	t.Helper()
	if _, err := w.CodeDeploy().StopDeployment(t.Context(), &cd.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: &rollback}); err != nil {
		t.Fatal(err)
	}
}

func TestCodeDeployDeploys(t *testing.T) {
	blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
		d := advance(t, a, deployment(good), slipway.PhaseStarted)
		if d.Place.Kind != slipway.KindCodeDeploy || !strings.HasPrefix(d.ID, "d-") || d.Base != s.TaskDefinition {
			t.Errorf("started %+v", d)
		}
		all := observe(t, a, d)
		checkEnd(t, last(all), slipway.StateDeployed, "")
		checkWrites(t, w, "RegisterTaskDefinition", "CreateDeployment")
		var stages []string
		var traffic []float64
		for _, o := range all[:len(all)-1] {
			if len(stages) == 0 || o.Stage != stages[len(stages)-1] {
				stages = append(stages, o.Stage)
			}
			if o.Traffic != nil && (len(traffic) == 0 || *o.Traffic != traffic[len(traffic)-1]) {
				traffic = append(traffic, *o.Traffic)
			}
			if o.BakeMinutes != 9+5 {
				t.Fatalf("patience of %d minutes, want 9 for the shift and 5 for the original", o.BakeMinutes)
			}
		}
		if !slices.Equal(stages, []string{"", "Install", "AllowTraffic", "AfterAllowTraffic"}) {
			t.Errorf("stages %q", stages)
		}
		if !slices.Equal(traffic, []float64{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}) {
			t.Errorf("traffic %v", traffic)
		}
		if o := all[len(all)-2]; !strings.Contains(o.Waiting, "original task set to be terminated") || o.Tasks.Running != 2 || o.TaskDefinition != d.TaskDefinition {
			t.Errorf("before the end: %+v", o)
		}
		// What CodeDeploy was told is what the service was.
		after := s.Describe()
		serving := after.TaskSets[0]
		if vpc := serving.NetworkConfiguration.AwsvpcConfiguration; vpc.Subnets[0] != "subnet-0123456789abcdef0" || vpc.AssignPublicIp != types.AssignPublicIpDisabled ||
			*serving.TaskDefinition != d.TaskDefinition || *serving.LoadBalancers[0].ContainerPort != 8080 {
			t.Errorf("serving %+v", serving)
		}
		// And again: nothing to do.
		s.Settle()
		w.ForgetCalls()
		advance(t, a, deployment(good), slipway.PhaseUnchanged)
		checkWrites(t, w, []string{}...)
		running, err := a.Running(t.Context(), []slipway.Place{d.Place, {Cluster: "cluster1", Service: "webapp1"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range running {
			if r.Err != nil || !r.Steady || r.Images[0].URI != good || r.Since.Before(d.StartedAt) || time.Since(r.Since) < 10*time.Minute {
				t.Errorf("running %+v", r)
			}
		}
	}, linear)
}

func TestCodeDeployStoppedByAPerson(t *testing.T) {
	t.Run("without, so that it is put back", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			d := advance(t, a, deployment(good), slipway.PhaseStarted)
			observeTo(t, a, d, shifted)
			stopDeployment(t, w, d.ID, false)
			checkEnd(t, last(observe(t, a, d)), slipway.StateFailed, "", "somebody stopped it in CodeDeploy, without a rollback")
			w.ForgetCalls()
			d = rollBack(t, a, d, "it was stopped")
			if d.RollbackID == d.ID || !strings.HasPrefix(d.RollbackID, "d-") {
				t.Errorf("rolled back by %q", d.RollbackID)
			}
			checkEnd(t, last(observe(t, a, d)), slipway.StateRolledBack, slipway.BySlipway, "put webapp1:1 back")
			checkWrites(t, w, "CreateDeployment")
			if got := s.Settle(); *got.TaskDefinition != s.TaskDefinition || len(got.TaskSets) != 1 {
				t.Errorf("%s runs in %d task sets", *got.TaskDefinition, len(got.TaskSets))
			}
		}, linear)
	})
	t.Run("without, before any traffic", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			d := advance(t, a, deployment(good), slipway.PhaseStarted)
			pass(30 * time.Second)
			stopDeployment(t, w, d.ID, false)
			checkEnd(t, last(observe(t, a, d)), slipway.StateFailed, "", "somebody stopped it")
			w.ForgetCalls()
			d = rollBack(t, a, d, "it was stopped")
			checkEnd(t, last(observe(t, a, d)), slipway.StateRolledBack, slipway.BySlipway, "webapp1:1 has all the traffic")
			checkWrites(t, w, []string{}...)
		})
	})
	t.Run("and replaced", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			d := advance(t, a, deployment(good), slipway.PhaseStarted)
			observeTo(t, a, d, shifted)
			stopDeployment(t, w, d.ID, false)
			pass(10 * time.Second)
			s.Deploy("registry.example.com/webapp1:3.0.0")
			checkEnd(t, last(observe(t, a, d)), slipway.StateReplaced, "", "replaced by deployment d-", "of DgpECS-cluster1-webapp1")
			d = rollBack(t, a, d, "out of time")
			checkEnd(t, last(observe(t, a, d)), slipway.StateReplaced, "", "replaced by deployment d-")
		}, linear)
	})
}

func TestCodeDeployRollsBackFailures(t *testing.T) {
	blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
		d := advance(t, a, deployment("registry.example.com/webapp1:2.0.0-unhealthy"), slipway.PhaseStarted)
		pass(70 * time.Minute) // nobody looked, and CodeDeploy gave up
		o := last(observe(t, a, d))
		checkEnd(t, o, slipway.StateRolledBack, slipway.ByCodeDeploy, "timed out while waiting for the replacement task set to become healthy", "(TIMEOUT)", "Health checks failed with these codes: [503]")
		if o.Cause != "" {
			t.Errorf("cause %q", o.Cause)
		}
		// A rollback that comes too late finds that it is done.
		w.ForgetCalls()
		d = rollBack(t, a, d, "failed")
		checkEnd(t, last(observe(t, a, d)), slipway.StateRolledBack, slipway.ByCodeDeploy)
		checkWrites(t, w, []string{}...)
	})
	t.Run("not", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			d := advance(t, a, deployment("registry.example.com/webapp1:2.0.0-missing"), slipway.PhaseStarted)
			pass(70 * time.Minute)
			checkEnd(t, last(observe(t, a, d)), slipway.StateFailed, "", "it failed, and CodeDeploy does not roll it back", "CannotPullContainerError")
		}, noRollback)
	})
}

func TestCodeDeployLostAnswers(t *testing.T) {
	for operation, writes := range map[string][]string{
		"RegisterTaskDefinition": {"RegisterTaskDefinition", "CreateDeployment", "StopDeployment"},
		"CreateDeployment":       {"RegisterTaskDefinition", "CreateDeployment", "StopDeployment"},
		"StopDeployment":         {"RegisterTaskDefinition", "CreateDeployment", "StopDeployment"},
	} {
		t.Run(operation, func(t *testing.T) {
			blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
				w.FaultOnce(operation, awsjson.Dropped(true))
				d := advance(t, a, deployment(good), slipway.PhaseStarted)
				observeTo(t, a, d, shifted)
				d = rollBack(t, a, d, "out of time")
				checkEnd(t, last(observe(t, a, d)), slipway.StateRolledBack, slipway.BySlipway, "put webapp1:1 back: out of time")
				checkWrites(t, w, writes...)
			}, linear)
		})
	}
}

func TestCodeDeploySomebodyElses(t *testing.T) {
	t.Run("is waited for", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			d := advance(t, a, deployment(good), slipway.PhaseRegistered)
			theirs := s.Deploy("registry.example.com/webapp1:3.0.0")
			_, err := attempt(t, a, d)
			if slipway.NextOf(err) != slipway.NextRetry || !strings.Contains(err.Error(), "already has an active Deployment 'd-") || slipway.HintOf(err) == "" {
				t.Errorf("got %v", err)
			}
			s.Settle()
			pass(20 * time.Minute)
			// Theirs is what runs now, so it begins anew.
			d = advance(t, a, d, slipway.PhaseStarted)
			if d.Base != theirs || d.Restarts != 1 {
				t.Errorf("base %s after %d restarts", d.Base, d.Restarts)
			}
			checkEnd(t, last(observe(t, a, d)), slipway.StateDeployed, "")
		})
	})
	t.Run("of the same image is followed", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			theirs := s.Deploy(good)
			pass(30 * time.Second)
			d := advance(t, a, deployment(good), slipway.PhaseStarted)
			if d.TaskDefinition != theirs || d.Base != s.TaskDefinition {
				t.Errorf("follows %+v", d)
			}
			observeTo(t, a, d, func(o slipway.Observation) bool { return strings.Contains(o.Waiting, "terminated") })
			again := advance(t, a, deployment(good), slipway.PhaseStarted)
			if again.ID != d.ID || again.Base != s.TaskDefinition {
				t.Errorf("follows %+v, late", again)
			}
			checkEnd(t, last(observe(t, a, d)), slipway.StateDeployed, "")
			checkWrites(t, w, []string{}...)
		})
	})
}

func TestCodeDeployGroups(t *testing.T) {
	t.Run("of any name", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := sandboxtest.New(t)
			for _, name := range []string{"alpha1", "webapp1"} {
				w.Service("cluster1", name, sandboxtest.ByCodeDeploy(func(in *cd.CreateDeploymentGroupInput) {
					in.ApplicationName, in.DeploymentGroupName = aws.String("shop-"+name), aws.String("production")
				}))
			}
			w.ForgetCalls()
			a := New(Options{Config: func(context.Context, string) (aws.Config, error) { return w.Config(), nil }})
			d := advance(t, a, deployment(good), slipway.PhaseStarted)
			checkEnd(t, last(observe(t, a, d)), slipway.StateDeployed, "")
			if n := w.Calls().Count("ListApplications"); n != 1 {
				t.Errorf("looked through the applications %d times", n)
			}
			var sent cd.CreateDeploymentInput
			if err := json.Unmarshal(w.RawBodies("CreateDeployment")[0], &sent); err != nil || *sent.ApplicationName != "shop-webapp1" {
				t.Errorf("sent %+v, %v", sent, err)
			}
		})
	})
	for _, named := range []slipway.Place{{Application: "shop", DeploymentGroup: "production"}, {Application: "shop"}} {
		t.Run("named "+named.Application+"/"+named.DeploymentGroup, func(t *testing.T) {
			blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
				d := deployment(good)
				d.Place.Kind, d.Place.Application, d.Place.DeploymentGroup = slipway.KindCodeDeploy, named.Application, named.DeploymentGroup
				checkEnd(t, last(observe(t, a, advance(t, a, d, slipway.PhaseStarted))), slipway.StateDeployed, "")
				if n := w.Calls().Count("ListApplications"); n != 0 {
					t.Errorf("looked through the applications %d times", n)
				}
				// A wrong name is not followed, though the right one is known by now.
				for _, wrong := range []slipway.Place{{Application: "shop", DeploymentGroup: "staging"}, {Application: "till"}, {Application: "till", DeploymentGroup: "production"}} {
					d := deployment("registry.example.com/webapp1:3.0.0")
					d.Place.Kind, d.Place.Application, d.Place.DeploymentGroup = slipway.KindCodeDeploy, wrong.Application, wrong.DeploymentGroup
					_, err := attempt(t, a, advance(t, a, d, slipway.PhaseRegistered))
					if slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), wrong.Application) || !strings.Contains(slipway.HintOf(err), "pipeline.yaml") {
						t.Errorf("%+v: %v", wrong, err)
					}
				}
			}, func(in *cd.CreateDeploymentGroupInput) {
				in.ApplicationName, in.DeploymentGroupName = aws.String("shop"), aws.String("production")
			})
		})
	}
	t.Run("another service's", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, _ *sandboxtest.Service) {
			w.Service("cluster1", "other", sandboxtest.ByCodeDeploy())
			d := deployment(good)
			d.Place.Kind, d.Place.Application, d.Place.DeploymentGroup = slipway.KindCodeDeploy, "AppECS-cluster1-other", "DgpECS-cluster1-other"
			_, err := attempt(t, a, advance(t, a, d, slipway.PhaseRegistered))
			if slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), "does not deploy service webapp1 in cluster cluster1") {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("none", func(t *testing.T) {
		blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
			if _, err := w.CodeDeploy().DeleteApplication(t.Context(), &cd.DeleteApplicationInput{ApplicationName: aws.String("AppECS-cluster1-webapp1")}); err != nil {
				t.Fatal(err)
			}
			_, err := attempt(t, a, advance(t, a, deployment(good), slipway.PhaseRegistered))
			failed, ok := errors.AsType[*slipway.Error](err)
			if !ok || failed.Next != slipway.NextPerson || !strings.Contains(failed.Message, "no deployment group of CodeDeploy's deploys service webapp1 in cluster cluster1") || failed.Hint == "" {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestCodeDeployRefusals(t *testing.T) {
	blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, _ *sandboxtest.Service) {
		w.FaultOnce("CreateDeployment", &awsjson.Fault{Err: &awsjson.Error{
			Code: "AccessDeniedException", Message: "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: codedeploy:CreateDeployment on resource: arn:aws:codedeploy:x",
		}})
		_, err := attempt(t, a, advance(t, a, deployment(good), slipway.PhaseRegistered))
		if slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(slipway.HintOf(err), "allow codedeploy:CreateDeployment") {
			t.Errorf("got %v, hint %q", err, slipway.HintOf(err))
		}
		w.FaultOnce("CreateDeployment", awsjson.Unavailable())
		_, err = attempt(t, a, advance(t, a, deployment(good), slipway.PhaseRegistered))
		if slipway.NextOf(err) != slipway.NextRetry || !strings.Contains(err.Error(), "CodeDeploy has a failure of its own") {
			t.Errorf("got %v", err)
		}
	})
}
