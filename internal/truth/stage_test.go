package truth_test

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	scheduletypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/truth"
)

const (
	clusterName = "cluster1"
	arnOf       = ":" + sandboxtest.Region + ":" + sandboxtest.Account + ":"
	secret      = "arn:aws:secretsmanager" + arnOf + "secret:database-AbCdEf"
)

// seed makes the app, running revision 1.
func (s *stage) seed(p play) {
	name := "webapp1"
	options := []sandboxtest.ServiceOption{sandboxtest.DesiredCount(2), sandboxtest.Definition(dependent)}
	switch s.way {
	case truth.Rolling:
		options = append(options, sandboxtest.LoadBalanced(), sandboxtest.CircuitBreaker(true))
	case truth.Unguarded:
		options = append(options, sandboxtest.LoadBalanced())
	case truth.BlueGreen:
		options = append(options, sandboxtest.Managed(), sandboxtest.BlueGreen(5))
	case truth.Linear:
		options = append(options, sandboxtest.Managed(), sandboxtest.Linear(50, 2, 5))
	case truth.Canary:
		options = append(options, sandboxtest.Managed(), sandboxtest.Canary(10, 5, 5))
	case truth.CodeDeploy:
		options = append(options, sandboxtest.ByCodeDeploy(func(in *codedeploy.CreateDeploymentGroupInput) {
			in.DeploymentConfigName = aws.String("CodeDeployDefault.ECSCanary10Percent5Minutes")
			if p.alarm {
				in.AlarmConfiguration = &deploytypes.AlarmConfiguration{Enabled: true, Alarms: []deploytypes.Alarm{{Name: aws.String(alarmName)}}}
			}
		}))
	case truth.Schedule:
		name = "batchapp1"
	}
	s.app = slipway.App{Cluster: clusterName, Name: name}
	if s.way == truth.Schedule {
		s.seedSchedules()
		return
	}
	if p.alarm {
		s.putAlarm()
	}
	if p.alarm && s.way != truth.CodeDeploy {
		options = append(options, sandboxtest.DeploymentAlarms(true, alarmName))
	}
	s.s = s.w.Service(clusterName, name, append(options, p.service...)...)
}

// dependent has the app's container need a secret, and print to CloudWatch Logs.
func dependent(in *ecs.RegisterTaskDefinitionInput) {
	in.ContainerDefinitions[0].Secrets = []types.Secret{{Name: aws.String("DATABASE"), ValueFrom: aws.String(secret)}}
	in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
		"awslogs-group": "/ecs/" + *in.Family, "awslogs-region": sandboxtest.Region, "awslogs-stream-prefix": "app",
	}}
}

// seedSchedules makes a rule and a schedule that run the app.
func (s *stage) seedSchedules() {
	s.must(s.w.ECS().CreateCluster(s.t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(clusterName)}))
	arn := s.register("1.0.0")
	s.must(s.w.EventBridge().PutRule(s.t.Context(), &eventbridge.PutRuleInput{Name: aws.String("nightly"), ScheduleExpression: aws.String("cron(0 3 * * ? *)")}))
	s.must(s.w.EventBridge().PutTargets(s.t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("nightly"), Targets: []eventtypes.Target{{
		Id: aws.String("1"), Arn: aws.String("arn:aws:ecs" + arnOf + "cluster/" + clusterName), RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/events"),
		EcsParameters: &eventtypes.EcsParameters{
			TaskDefinitionArn: aws.String(arn), LaunchType: eventtypes.LaunchTypeFargate,
			NetworkConfiguration: &eventtypes.NetworkConfiguration{AwsvpcConfiguration: &eventtypes.AwsVpcConfiguration{Subnets: []string{"subnet-0123456789abcdef0"}}},
		},
	}}}))
	s.must(s.w.Scheduler().CreateSchedule(s.t.Context(), &scheduler.CreateScheduleInput{
		Name: aws.String("monthly"), ScheduleExpression: aws.String("cron(0 4 1 * ? *)"),
		FlexibleTimeWindow: &scheduletypes.FlexibleTimeWindow{Mode: scheduletypes.FlexibleTimeWindowModeOff},
		Target: &scheduletypes.Target{
			Arn: aws.String("arn:aws:ecs" + arnOf + "cluster/" + clusterName), RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/scheduler"),
			EcsParameters: &scheduletypes.EcsParameters{
				TaskDefinitionArn: aws.String(arn), LaunchType: scheduletypes.LaunchTypeFargate,
				NetworkConfiguration: &scheduletypes.NetworkConfiguration{AwsvpcConfiguration: &scheduletypes.AwsVpcConfiguration{Subnets: []string{"subnet-0123456789abcdef0"}}},
			},
		},
	}))
}

// must ends the test where AWS refused a call of the play's.
func (s *stage) must(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// others is AWS as somebody else reaches it: unrecorded, and without faults.
func (s *stage) others() aws.Config { return s.w.OthersConfig() }

// register registers a task definition of the batch app, as somebody else.
func (s *stage) register(tag string) string {
	in := &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(s.app.Name), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions:    []types.ContainerDefinition{{Name: aws.String(s.app.Name), Image: aws.String(image(s.app.Name, tag)), Essential: aws.Bool(true)}},
	}
	dependent(in)
	out, err := ecs.NewFromConfig(s.others()).RegisterTaskDefinition(s.t.Context(), in)
	s.must(out, err)
	return *out.TaskDefinition.TaskDefinitionArn
}

// deregister deregisters a task definition, as somebody else.
func (s *stage) deregister(arn string) {
	s.must(ecs.NewFromConfig(s.others()).DeregisterTaskDefinition(s.t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(arn)}))
}

// monthly is the schedule as it is now.
func (s *stage) monthly() *scheduler.GetScheduleOutput {
	out, err := scheduler.NewFromConfig(s.others()).GetSchedule(s.t.Context(), &scheduler.GetScheduleInput{Name: aws.String("monthly")})
	s.must(out, err)
	return out
}

// move moves the schedule to a task definition, as somebody else.
func (s *stage) move(arn string) {
	is := s.monthly()
	is.Target.EcsParameters.TaskDefinitionArn = aws.String(arn)
	s.must(scheduler.NewFromConfig(s.others()).UpdateSchedule(s.t.Context(), &scheduler.UpdateScheduleInput{
		Name: is.Name, ScheduleExpression: is.ScheduleExpression, FlexibleTimeWindow: is.FlexibleTimeWindow, Target: is.Target,
	}))
}

// runs is the task definition that the app runs in the end: with several, all.
func (s *stage) runs() string {
	var all []string
	if s.way == truth.Schedule {
		rule, err := eventbridge.NewFromConfig(s.others()).ListTargetsByRule(s.t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("nightly")})
		s.must(rule, err)
		for _, t := range rule.Targets {
			all = append(all, short(*t.EcsParameters.TaskDefinitionArn))
		}
		list, err := scheduler.NewFromConfig(s.others()).ListSchedules(s.t.Context(), &scheduler.ListSchedulesInput{})
		s.must(list, err)
		if len(list.Schedules) > 0 {
			all = append(all, short(*s.monthly().Target.EcsParameters.TaskDefinitionArn))
		}
	} else if is := s.s.Describe(); *is.Status == "ACTIVE" {
		all = append(all, short(*is.TaskDefinition))
	}
	return strings.Join(slices.Compact(all), " ")
}

// exitAfter has each new task of the deployment exit with 1 so long after it runs.
func (s *stage) exitAfter(d time.Duration) {
	struck := map[string]bool{}
	for s.pass(5 * time.Second) {
		for _, t := range s.tasks() {
			id := short(*t.TaskArn)
			if !struck[id] && t.StartedAt != nil && strings.HasSuffix(*t.TaskDefinitionArn, ":2") && time.Since(*t.StartedAt) >= d {
				struck[id] = true
				s.w.Exit(id, s.app.Name, 1)
			}
		}
	}
}

// tasks are the cluster's that run.
func (s *stage) tasks() []types.Task {
	client := ecs.NewFromConfig(s.others())
	listed, err := client.ListTasks(s.t.Context(), &ecs.ListTasksInput{Cluster: aws.String(clusterName)})
	s.must(listed, err)
	if len(listed.TaskArns) == 0 {
		return nil
	}
	out, err := client.DescribeTasks(s.t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String(clusterName), Tasks: listed.TaskArns})
	s.must(out, err)
	return out.Tasks
}
