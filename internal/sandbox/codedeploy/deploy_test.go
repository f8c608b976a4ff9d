package codedeploy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

func TestAllAtOnce(t *testing.T) {
	in(t, func(r *rig) {
		before := r.service.Describe()
		if len(before.Deployments) != 0 || len(before.TaskSets) != 1 || *before.TaskSets[0].Status != "PRIMARY" {
			r.Fatalf("before: %d deployments, task sets %+v", len(before.Deployments), before.TaskSets)
		}
		id := r.deploy("2.0.0", "")
		if d := r.get(id); d.Status != types.DeploymentStatusCreated || d.Revision.AppSpecContent.Content != nil || d.Revision.AppSpecContent.Sha256 == nil {
			r.Errorf("at first %s, revision %+v", d.Status, d.Revision.AppSpecContent)
		}
		pass(10 * time.Second)
		if diff := cmp.Diff([]string{
			"BeforeInstall Succeeded", "Install InProgress", "AfterInstall Pending", "AllowTestTraffic Pending",
			"AfterAllowTestTraffic Pending", "BeforeAllowTraffic Pending", "AllowTraffic Pending", "AfterAllowTraffic Pending",
		}, r.events(id)); diff != "" {
			r.Errorf("events after ten seconds (-want +got):\n%s", diff)
		}
		sets := r.service.Describe().TaskSets
		if len(sets) != 2 || *sets[0].ExternalId != id || *sets[0].StartedBy != "CODE_DEPLOY" || *sets[0].Status != "ACTIVE" ||
			sets[0].StabilityStatus != ecstypes.StabilityStatusStabilizing || !strings.Contains(*sets[0].LoadBalancers[0].TargetGroupArn, "/webapp1-green/") {
			r.Errorf("task sets while it installs: %+v", sets)
		}
		r.until(id, func(d *types.DeploymentInfo) bool { return d.InstanceTerminationWaitTimeStarted })
		target := r.target(id)
		if target.Status != types.TargetStatusInProgress || len(target.TaskSetsInfo) != 2 {
			r.Fatalf("while it waits: %+v", target)
		}
		blue, green := target.TaskSetsInfo[0], target.TaskSetsInfo[1]
		if blue.TrafficWeight != 0 || blue.TaskSetLabel != types.TargetLabelBlue || *blue.TargetGroup.Name != "webapp1" ||
			green.TrafficWeight != 100 || green.RunningCount != 2 || *green.Status != "PRIMARY" {
			r.Errorf("blue %+v\ngreen %+v", blue, green)
		}
		if waited := r.until(id, func(d *types.DeploymentInfo) bool { return d.CompleteTime != nil }); waited < 5*time.Minute || waited > 6*time.Minute {
			r.Errorf("it kept the original for %v", waited)
		}
		r.end(id, types.DeploymentStatusSucceeded)
		r.checkServes(*sets[0].TaskDefinition, 100)
		if sets := r.service.Describe().TaskSets; len(sets) != 2 || *sets[1].Status != "DRAINING" || sets[1].Scale.Value != 0 {
			r.Errorf("the original should drain: %+v", sets)
		}
		r.service.Settle()
		group, err := r.GetDeploymentGroup(r.Context(), &codedeploy.GetDeploymentGroupInput{
			ApplicationName: aws.String("AppECS-cluster1-webapp1"), DeploymentGroupName: aws.String("DgpECS-cluster1-webapp1"),
		})
		if err != nil || *group.DeploymentGroupInfo.LastSuccessfulDeployment.DeploymentId != id {
			r.Errorf("the group does not know its last deployment: %v", err)
		}

		// And back into the first target group.
		again := r.deploy("3.0.0", "")
		r.end(again, types.DeploymentStatusSucceeded)
		r.checkServes(*r.service.Describe().TaskSets[0].TaskDefinition, 0)
		listed, err := r.ListDeployments(r.Context(), &codedeploy.ListDeploymentsInput{
			ApplicationName: aws.String("AppECS-cluster1-webapp1"), DeploymentGroupName: aws.String("DgpECS-cluster1-webapp1"),
			IncludeOnlyStatuses: []types.DeploymentStatus{types.DeploymentStatusSucceeded},
		})
		if err != nil || !slices.Equal(listed.Deployments, []string{again, id}) {
			r.Errorf("listed %v, %v", listed, err)
		}
	})
}

// shares are the percentages that green has, each with the whole minutes since
// the first.
func (r *rig) shares(id string) (shares []float64, minutes []int) {
	r.shifting(id)
	began := time.Now()
	for r.get(id).CompleteTime == nil {
		if now := r.service.Weights()["webapp1-green"]; len(shares) == 0 || now != shares[len(shares)-1] {
			shares, minutes = append(shares, now), append(minutes, int(time.Since(began).Round(time.Minute).Minutes()))
		}
		pass(look)
	}
	return shares, minutes
}

func TestTrafficShifts(t *testing.T) {
	for name, want := range map[string]struct {
		shares  []float64
		minutes []int
	}{
		"CodeDeployDefault.ECSLinear10PercentEvery1Minutes": {
			[]float64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		},
		"CodeDeployDefault.ECSLinear10PercentEvery3Minutes": {
			[]float64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, []int{0, 3, 6, 9, 12, 15, 18, 21, 24, 27},
		},
		"CodeDeployDefault.ECSCanary10Percent5Minutes":  {[]float64{10, 100}, []int{0, 5}},
		"CodeDeployDefault.ECSCanary10Percent15Minutes": {[]float64{10, 100}, []int{0, 15}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(r *rig) {
				shares, minutes := r.shares(r.deploy("2.0.0", ""))
				if !slices.Equal(shares, want.shares) || !slices.Equal(minutes, want.minutes) {
					r.Errorf("shares %v at minutes %v, want %v at %v", shares, minutes, want.shares, want.minutes)
				}
			}, config(name))
		})
	}
}

func TestNeverHealthyIsRolledBack(t *testing.T) {
	for _, image := range []string{"2.0.0-crash", "2.0.0-missing", "2.0.0-unhealthy"} {
		t.Run(image, func(t *testing.T) {
			in(t, func(r *rig) {
				id := r.deploy(image, "")
				d := r.end(id, types.DeploymentStatusFailed)
				if d.ErrorInformation.Code != types.ErrorCodeTimeout || !strings.Contains(*d.ErrorInformation.Message, "60 minutes") {
					r.Errorf("error %+v", d.ErrorInformation)
				}
				if took := d.CompleteTime.Sub(*d.StartTime); took < time.Hour || took > 61*time.Minute {
					r.Errorf("it took %v", took)
				}
				if events := r.events(id); events[1] != "Install Failed" || events[2] != "AfterInstall Skipped" {
					r.Errorf("events %v", events)
				}
				back := r.end(*d.RollbackInfo.RollbackDeploymentId, types.DeploymentStatusSucceeded)
				if back.Creator != types.DeploymentCreatorCodeDeployRollback || *back.RollbackInfo.RollbackTriggeringDeploymentId != id {
					r.Errorf("the rollback is by %s for %+v", back.Creator, back.RollbackInfo)
				}
				r.checkServes(r.service.TaskDefinition, 0)
				if s := r.service.Settle(); len(s.TaskSets) != 1 {
					r.Errorf("left: %+v", s.TaskSets)
				}
			})
		})
	}
}

func TestStop(t *testing.T) {
	linear := config("CodeDeployDefault.ECSLinear10PercentEvery1Minutes")
	stop := func(r *rig, rollBack bool) *types.DeploymentInfo {
		id := r.deploy("2.0.0", "")
		r.shifting(id)
		out, err := r.StopDeployment(r.Context(), &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: &rollBack})
		if err != nil || out.Status != types.StopStatusPending {
			r.Fatalf("%+v, %v", out, err)
		}
		d := r.end(id, types.DeploymentStatusStopped)
		if d.ErrorInformation.Code != types.ErrorCodeManualStop {
			r.Errorf("error %+v", d.ErrorInformation)
		}
		if events := r.events(id); events[6] != "AllowTraffic Failed" || events[7] != "AfterAllowTraffic Skipped" {
			r.Errorf("events %v", events)
		}
		_, err = r.StopDeployment(r.Context(), &codedeploy.StopDeploymentInput{DeploymentId: &id})
		checkCode(t, err, "DeploymentAlreadyCompletedException", "Deployment "+id+" is already in a final state: Stopped")
		return d
	}
	t.Run("with rollback", func(t *testing.T) {
		in(t, func(r *rig) {
			d := stop(r, true)
			r.end(*d.RollbackInfo.RollbackDeploymentId, types.DeploymentStatusSucceeded)
			r.checkServes(r.service.TaskDefinition, 0)
		}, linear)
	})
	t.Run("without", func(t *testing.T) {
		in(t, func(r *rig) {
			if d := stop(r, false); d.RollbackInfo != nil {
				r.Errorf("it was rolled back: %+v", d.RollbackInfo)
			}
			r.checkServes(r.service.TaskDefinition, 10)
			// The next deployment finds what this one left.
			r.end(r.deploy("3.0.0", ""), types.DeploymentStatusSucceeded)
			r.checkServes(*r.service.Describe().TaskSets[0].TaskDefinition, 100)
			if s := r.service.Settle(); len(s.TaskSets) != 1 {
				r.Errorf("left: %+v", s.TaskSets)
			}
		}, linear)
	})
	t.Run("after the shift", func(t *testing.T) {
		in(t, func(r *rig) {
			id := r.deploy("2.0.0", "")
			r.until(id, func(d *types.DeploymentInfo) bool { return d.InstanceTerminationWaitTimeStarted })
			if _, err := r.StopDeployment(r.Context(), &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)}); err != nil {
				r.Fatal(err)
			}
			d := r.end(id, types.DeploymentStatusStopped)
			r.end(*d.RollbackInfo.RollbackDeploymentId, types.DeploymentStatusSucceeded)
			r.checkServes(r.service.TaskDefinition, 0)
		})
	})
}

func TestRestartInTheMiddle(t *testing.T) {
	in(t, func(r *rig) {
		id := r.deploy("2.0.0", "")
		r.shifting(id)
		pass(2 * time.Minute)
		before := r.service.Weights()
		r.w.Restart()
		if diff := cmp.Diff(before, r.service.Weights()); diff != "" {
			r.Errorf("weights after the restart (-before +after):\n%s", diff)
		}
		r.end(id, types.DeploymentStatusSucceeded)
		r.checkServes(*r.service.Describe().TaskSets[0].TaskDefinition, 100)
	}, config("CodeDeployDefault.ECSLinear10PercentEvery1Minutes"))
}

func TestRefusals(t *testing.T) {
	in(t, func(r *rig) {
		id := r.deploy("2.0.0", "")
		_, err := r.create(appSpec(r.service.TaskDefinition, 8080, ""))
		checkCode(t, err, "DeploymentLimitExceededException", "The Deployment Group 'DgpECS-cluster1-webapp1' already has an active Deployment '"+id+"'")
		r.end(id, types.DeploymentStatusSucceeded)

		_, err = r.w.ECS().UpdateService(r.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), TaskDefinition: aws.String(r.service.TaskDefinition),
		})
		checkCode(t, err, "InvalidParameterException", "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")
		_, err = r.w.ECS().UpdateService(r.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), ForceNewDeployment: true,
		})
		checkCode(t, err, "InvalidParameterException", "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")

		_, err = r.create(`{"version": 0.0, "Resources": []}`)
		checkCode(t, err, "InvalidRevisionException", "The AppSpec file is not valid: there must be one TargetService in Resources")

		id, err = r.create(appSpec(r.service.TaskDefinition, 443, ""))
		if err != nil {
			r.Fatal(err)
		}
		d := r.end(id, types.DeploymentStatusFailed)
		if text := *d.ErrorInformation.Message; d.ErrorInformation.Code != types.ErrorCodeEcsUpdateError ||
			!strings.Contains(text, "The ECS service cannot be updated due to an unexpected error: The container webapp1 did not have a container port 443 defined. (Service: AmazonECS; Status Code: 400; Error Code: InvalidParameterException;") ||
			!strings.HasSuffix(text, "Check your ECS service status.") {
			r.Errorf("error %s: %s", d.ErrorInformation.Code, text)
		}

		r.w.Service("cluster1", "rolling1", sandboxtest.LoadBalanced())
		_, err = r.CreateDeploymentGroup(r.Context(), &codedeploy.CreateDeploymentGroupInput{
			ApplicationName: aws.String("AppECS-cluster1-webapp1"), DeploymentGroupName: aws.String("rolling"),
			ServiceRoleArn: aws.String("arn:aws:iam::111122223333:role/ecsCodeDeployRole"), LoadBalancerInfo: d.LoadBalancerInfo,
			EcsServices: []types.ECSService{{ClusterName: aws.String("cluster1"), ServiceName: aws.String("rolling1")}},
		})
		checkCode(t, err, "InvalidECSServiceException", "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.")
	})
}
