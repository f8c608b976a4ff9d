package codedeploy_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// reports has a function report a status to CodeDeploy whenever it is called; an
// empty status is one that it never reports.
func (r *rig) reports(function string, status types.LifecycleEventStatus) {
	r.functions[function] = func(payload []byte) error {
		var event struct{ DeploymentId, LifecycleEventHookExecutionId string }
		if err := json.Unmarshal(payload, &event); err != nil || event.DeploymentId == "" {
			return errors.Join(err, errors.New("no event of CodeDeploy's"))
		}
		if status == "" {
			return nil
		}
		_, err := r.PutLifecycleEventHookExecutionStatus(r.Context(), &codedeploy.PutLifecycleEventHookExecutionStatusInput{
			DeploymentId: &event.DeploymentId, LifecycleEventHookExecutionId: &event.LifecycleEventHookExecutionId, Status: status,
		})
		return err
	}
}

// ring has an alarm go off.
func (r *rig) ring(name string) {
	r.Helper()
	client := r.w.CloudWatch()
	if _, err := client.PutMetricAlarm(r.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"),
		Statistic: cwtypes.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	}); err != nil {
		r.Fatal(err)
	}
	if _, err := client.SetAlarmState(r.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: &name, StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("tested"),
	}); err != nil {
		r.Fatal(err)
	}
}

func TestHooks(t *testing.T) {
	const hooks = `[{"BeforeAllowTraffic": "verify"}]`
	t.Run("succeeds", func(t *testing.T) {
		in(t, func(r *rig) {
			r.reports("verify", types.LifecycleEventStatusSucceeded)
			r.end(r.deploy("2.0.0", hooks), types.DeploymentStatusSucceeded)
		})
	})
	for name, test := range map[string]struct {
		status types.LifecycleEventStatus
		code   types.ErrorCode
		text   string
	}{
		"fails":         {types.LifecycleEventStatusFailed, types.ErrorCodeHookExecutionFailure, "one or more of the lifecycle event validation functions failed"},
		"never reports": {"", types.ErrorCodeTimeout, "within one hour after a deployment hook is invoked"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(r *rig) {
				r.reports("verify", test.status)
				id := r.deploy("2.0.0", hooks)
				d := r.end(id, types.DeploymentStatusFailed)
				if d.ErrorInformation.Code != test.code || !strings.Contains(*d.ErrorInformation.Message, test.text) {
					r.Errorf("error %s: %s", d.ErrorInformation.Code, *d.ErrorInformation.Message)
				}
				if events := r.events(id); !slices.Contains(events, "BeforeAllowTraffic Failed") || !slices.Contains(events, "AllowTraffic Skipped") {
					r.Errorf("events %v", events)
				}
				r.end(*d.RollbackInfo.RollbackDeploymentId, types.DeploymentStatusSucceeded)
				r.checkServes(r.service.TaskDefinition, 0)
			})
		})
	}
}

func TestAlarm(t *testing.T) {
	in(t, func(r *rig) {
		id := r.deploy("2.0.0", "")
		r.shifting(id)
		rang := time.Now()
		r.ring("webapp1-5xx")
		d := r.end(id, types.DeploymentStatusStopped)
		if took := d.CompleteTime.Sub(rang); took > time.Minute {
			r.Errorf("it took %v", took)
		}
		if d.ErrorInformation.Code != types.ErrorCodeAlarmActive || !strings.HasSuffix(*d.ErrorInformation.Message, "Activated alarms: <webapp1-5xx>") {
			r.Errorf("error %s: %s", d.ErrorInformation.Code, *d.ErrorInformation.Message)
		}
		r.end(*d.RollbackInfo.RollbackDeploymentId, types.DeploymentStatusSucceeded)
		r.checkServes(r.service.TaskDefinition, 0)
	}, config("CodeDeployDefault.ECSLinear10PercentEvery1Minutes"), func(in *codedeploy.CreateDeploymentGroupInput) {
		in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("webapp1-5xx")}}}
	})
}

func TestReadyWait(t *testing.T) {
	wait := func(in *codedeploy.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.DeploymentReadyOption = &types.DeploymentReadyOption{
			ActionOnTimeout: types.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: 30,
		}
	}
	ready := func(d *types.DeploymentInfo) bool { return d.Status == types.DeploymentStatusReady }
	t.Run("continued", func(t *testing.T) {
		in(t, func(r *rig) {
			id := r.deploy("2.0.0", "")
			_, err := r.ContinueDeployment(r.Context(), &codedeploy.ContinueDeploymentInput{DeploymentId: &id})
			checkCode(r.T, err, "DeploymentIsNotInReadyStateException", "The deployment does not have a status of Ready and can't continue yet.")
			_, err = r.ContinueDeployment(r.Context(), &codedeploy.ContinueDeploymentInput{DeploymentId: &id, DeploymentWaitType: "LUNCH"})
			checkCode(r.T, err, "InvalidDeploymentWaitTypeException", "The wait type is invalid.")
			r.until(id, ready)
			pass(10 * time.Minute)
			if _, err := r.ContinueDeployment(r.Context(), &codedeploy.ContinueDeploymentInput{DeploymentId: &id}); err != nil {
				r.Fatal(err)
			}
			r.until(id, func(d *types.DeploymentInfo) bool { return d.InstanceTerminationWaitTimeStarted })
			if _, err := r.ContinueDeployment(r.Context(), &codedeploy.ContinueDeploymentInput{
				DeploymentId: &id, DeploymentWaitType: types.DeploymentWaitTypeTerminationWait,
			}); err != nil {
				r.Fatal(err)
			}
			if took := r.until(id, func(d *types.DeploymentInfo) bool { return d.CompleteTime != nil }); took > time.Minute {
				r.Errorf("the termination still took %v", took)
			}
			r.end(id, types.DeploymentStatusSucceeded)
		}, wait)
	})
	t.Run("nobody continues", func(t *testing.T) {
		in(t, func(r *rig) {
			id := r.deploy("2.0.0", "")
			r.until(id, ready)
			d := r.end(id, types.DeploymentStatusStopped)
			if !strings.Contains(*d.ErrorInformation.Message, "This time out period is 30 minutes.") {
				r.Errorf("error %+v", d.ErrorInformation)
			}
			r.checkServes(r.service.TaskDefinition, 0)
		}, wait)
	})
}
