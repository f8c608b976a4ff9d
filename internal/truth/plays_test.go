package truth_test

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/truth"
)

// plays are what has to be done for each scenario, by its name.
var plays = map[string]play{
	"healthy":           {},
	"nothing to change": {tag: "1.0.0"},
	"slow but fine": {tag: "2.0.0-slow", service: []sandboxtest.ServiceOption{
		sandboxtest.Create(func(in *ecs.CreateServiceInput) { in.HealthCheckGracePeriodSeconds = aws.Int32(180) }),
	}},
	"desired count zero": {before: func(s *stage) {
		s.s.Update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(0) })
		s.s.Settle()
	}},
	"autoscaling meanwhile": {during: func(s *stage) {
		if s.pass(time.Minute) {
			s.s.Update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(4) })
		}
	}},

	"crash at start": {tag: "2.0.0-crash"},
	"crash after healthy": {during: func(s *stage) {
		after := 95 * time.Second
		if s.way == truth.Schedule {
			after = 5 * time.Second
		}
		s.exitAfter(after)
	}},
	"unhealthy":         {tag: "2.0.0-unhealthy"},
	"missing image":     {tag: "2.0.0-missing"},
	"missing secret":    {before: func(s *stage) { s.w.DeleteSecret(secret) }},
	"placement failure": {before: func(s *stage) { s.w.Capacity(false) }},
	"alarm": {alarm: true, during: func(s *stage) {
		if s.pass(3 * time.Minute) {
			s.ring(cwtypes.StateValueAlarm)
		}
	}},

	"stopped by a person": {during: func(s *stage) {
		switch {
		case s.way == truth.Schedule:
			if s.reached(s.started) && s.pass(20*time.Second) {
				s.must(ecs.NewFromConfig(s.others()).StopTask(s.t.Context(), &ecs.StopTaskInput{Cluster: aws.String(clusterName), Task: aws.String(s.execution.Deployment.TestTask)}))
			}
		case s.reached(s.started) && s.pass(3*time.Minute):
			s.stop(true)
		}
	}},
	"replaced": {during: func(s *stage) {
		if s.way == truth.Schedule {
			s.afterMove(func(other string) { s.move(other) })
			return
		}
		if s.reached(s.started) && s.pass(time.Minute) {
			s.replace("3.0.0")
		}
	}},
	"replaced, then what ran before": {during: func(s *stage) {
		if s.way == truth.Schedule {
			s.afterMove(func(other string) {
				s.move(other)
				s.pass(100 * time.Millisecond)
				s.move("arn:aws:ecs" + arnOf + "task-definition/batchapp1:1")
			})
			return
		}
		if !s.reached(s.started) {
			return
		}
		s.blind(20*time.Minute, func() {
			s.pass(time.Minute)
			s.replace("3.0.0")
			s.pass(time.Minute)
			if s.way == truth.CodeDeploy {
				s.stop(true)
				return
			}
			s.s.Update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String("webapp1:1") })
		})
	}},
	"replaced, then ours again": {during: func(s *stage) {
		if s.way == truth.Schedule {
			s.afterMove(func(other string) {
				s.move(other)
				s.pass(100 * time.Millisecond)
				s.move("arn:aws:ecs" + arnOf + "task-definition/batchapp1:2")
			})
			return
		}
		if !s.reached(s.started) {
			return
		}
		s.blind(25*time.Minute, func() {
			s.pass(time.Minute)
			s.replace("3.0.0")
			s.pass(time.Minute)
			if s.way == truth.CodeDeploy {
				s.stop(false)
				s.pass(10 * time.Second)
				s.s.DeployTaskDefinition(s.execution.Deployment.TaskDefinition)
				return
			}
			s.s.Update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String("webapp1:2") })
		})
	}},
	"service deleted meanwhile": {during: func(s *stage) {
		if !s.reached(s.started) {
			return
		}
		if s.way == truth.Schedule {
			s.pass(10 * time.Second)
			s.must(eventbridge.NewFromConfig(s.others()).RemoveTargets(s.t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("nightly"), Ids: []string{"1"}}))
			s.must(scheduler.NewFromConfig(s.others()).DeleteSchedule(s.t.Context(), &scheduler.DeleteScheduleInput{Name: aws.String("monthly")}))
			return
		}
		s.pass(time.Minute)
		s.must(ecs.NewFromConfig(s.others()).DeleteService(s.t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(clusterName), Service: aws.String(s.app.Name), Force: aws.Bool(true)}))
	}},
	"new task definition deregistered": {during: func(s *stage) {
		if s.reached(s.started) {
			s.pass(5 * time.Second)
			s.deregister(s.execution.Deployment.TaskDefinition)
		}
	}},
	"old task definition deregistered": {tag: "2.0.0-crash", during: func(s *stage) { s.deregister(s.app.Name + ":1") }},

	"throttled throughout": {world: []sandboxtest.Option{sandboxtest.Rates(throttle)}, slack: 4 * time.Minute},
	"answers lost": {tag: "2.0.0-crash", before: func(s *stage) {
		var mu sync.Mutex
		lost := map[string]bool{}
		s.w.Fault(func(operation string) *awsjson.Fault {
			mu.Lock()
			defer mu.Unlock()
			if awsjson.Reads(operation) || lost[operation] {
				return nil
			}
			lost[operation] = true
			return awsjson.Dropped(true)
		})
	}},
}

// ring sets the alarm that watches the service's deployments.
func (s *stage) ring(state cwtypes.StateValue) {
	s.must(cloudwatch.NewFromConfig(s.others()).SetAlarmState(s.t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String(alarmName), StateValue: state, StateReason: aws.String("a test"),
	}))
}

const (
	alarmName = "web-5xx"
	// throttle is what others in the account leave of ECS's rates.
	throttle = 1. / 50
)

// putAlarm makes that alarm, which is quiet.
func (s *stage) putAlarm() {
	s.must(cloudwatch.NewFromConfig(s.others()).PutMetricAlarm(s.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(alarmName), MetricName: aws.String("HTTPCode_Target_5XX_Count"), Namespace: aws.String("AWS/ApplicationELB"),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, EvaluationPeriods: aws.Int32(1), Period: aws.Int32(60),
		Threshold: aws.Float64(1), Statistic: cwtypes.StatisticSum,
	}))
	s.ring(cwtypes.StateValueOk)
}

// stop stops the newest deployment in the console, with a rollback or, by
// CodeDeploy, without.
func (s *stage) stop(rollback bool) {
	if s.way == truth.CodeDeploy {
		client := codedeploy.NewFromConfig(s.others())
		listed, err := client.ListDeployments(s.t.Context(), &codedeploy.ListDeploymentsInput{
			ApplicationName: aws.String("AppECS-cluster1-webapp1"), DeploymentGroupName: aws.String("DgpECS-cluster1-webapp1"),
		})
		s.must(listed, err)
		s.must(client.StopDeployment(s.t.Context(), &codedeploy.StopDeploymentInput{DeploymentId: &listed.Deployments[0], AutoRollbackEnabled: &rollback}))
		return
	}
	client := ecs.NewFromConfig(s.others())
	listed, err := client.ListServiceDeployments(s.t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(clusterName), Service: aws.String(s.app.Name)})
	s.must(listed, err)
	s.must(client.StopServiceDeployment(s.t.Context(), &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: listed.ServiceDeployments[0].ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeRollback,
	}))
}

// replace deploys another image, as somebody else. CodeDeploy takes no second
// deployment while one goes on, so that ours is stopped first.
func (s *stage) replace(tag string) {
	if s.way == truth.CodeDeploy {
		s.stop(false)
		s.pass(10 * time.Second)
	}
	s.s.Deploy(image(s.app.Name, tag))
}

// blind has AWS out of order for Slipway so long, while act is done.
func (s *stage) blind(d time.Duration, act func()) {
	until := time.Now().Add(d)
	s.w.Fault(func(string) *awsjson.Fault { return awsjson.Unavailable() })
	act()
	s.pass(time.Until(until))
	s.w.Fault(nil)
}

// afterMove does something as soon as Slipway has moved the schedule, and before
// it looks at it again; other is another's task definition.
func (s *stage) afterMove(act func(other string)) {
	other := s.register("3.0.0")
	s.w.Fault(func(operation string) *awsjson.Fault {
		if operation == "GetSchedule" {
			return &awsjson.Fault{Delay: time.Second}
		}
		return nil
	})
	for s.pass(100 * time.Millisecond) {
		if short(*s.monthly().Target.EcsParameters.TaskDefinitionArn) == "batchapp1:2" {
			act(other)
			return
		}
	}
}
