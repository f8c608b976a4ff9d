package sandboxtest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// CodeDeploy is a client of the World, recorded like every client of its Config.
func (w *World) CodeDeploy() *codedeploy.Client { return codedeploy.NewFromConfig(w.Config()) }

// ByCodeDeploy puts the service behind a load balancer with two target groups, NAME
// and NAME-green, and has CodeDeploy deploy it: all at once, with a wait of five
// minutes before the original task set goes and a rollback when it fails, unless
// changes say otherwise. The application and the deployment group are named as the
// console names them.
func ByCodeDeploy(changes ...func(*codedeploy.CreateDeploymentGroupInput)) ServiceOption {
	return func(s *seed) {
		LoadBalanced()(s)
		s.service.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy}
		cluster, name := *s.service.Cluster, *s.service.ServiceName
		group := func(name string) deploytypes.TargetGroupInfo {
			return deploytypes.TargetGroupInfo{Name: aws.String(name)}
		}
		s.group = &codedeploy.CreateDeploymentGroupInput{
			ApplicationName:     aws.String("AppECS-" + cluster + "-" + name),
			DeploymentGroupName: aws.String("DgpECS-" + cluster + "-" + name),
			ServiceRoleArn:      aws.String("arn:aws:iam::" + Account + ":role/ecsCodeDeployRole"),
			EcsServices:         []deploytypes.ECSService{{ClusterName: aws.String(cluster), ServiceName: aws.String(name)}},
			LoadBalancerInfo: &deploytypes.LoadBalancerInfo{TargetGroupPairInfoList: []deploytypes.TargetGroupPairInfo{{
				TargetGroups:     []deploytypes.TargetGroupInfo{group(name), group(name + "-green")},
				ProdTrafficRoute: &deploytypes.TrafficRoute{ListenerArns: []string{listenerARN(name)}},
			}}},
			AutoRollbackConfiguration: &deploytypes.AutoRollbackConfiguration{
				Enabled: true,
				Events: []deploytypes.AutoRollbackEvent{
					deploytypes.AutoRollbackEventDeploymentFailure, deploytypes.AutoRollbackEventDeploymentStopOnAlarm,
				},
			},
			BlueGreenDeploymentConfiguration: &deploytypes.BlueGreenDeploymentConfiguration{
				TerminateBlueInstancesOnDeploymentSuccess: &deploytypes.BlueInstanceTerminationOption{
					Action: deploytypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: 5,
				},
				DeploymentReadyOption: &deploytypes.DeploymentReadyOption{ActionOnTimeout: deploytypes.DeploymentReadyActionContinueDeployment},
			},
		}
		for _, change := range changes {
			change(s.group)
		}
	}
}

// Weights are the percentages of the production traffic that the target groups of
// a service of ByCodeDeploy have, by name; empty until CodeDeploy has shifted it
// for the first time.
func (s *Service) Weights() map[string]float64 {
	weights := map[string]float64{}
	for arn, weight := range s.w.Weights(listenerARN(s.Name)) {
		weights[strings.Split(arn, "/")[1]] = weight
	}
	return weights
}

// createGroup makes the deployment group of a service that CodeDeploy deploys.
func (w *World) createGroup(in *codedeploy.CreateDeploymentGroupInput) {
	w.t.Helper()
	client := codedeploy.NewFromConfig(w.OthersConfig())
	if _, err := client.CreateApplication(w.t.Context(), &codedeploy.CreateApplicationInput{
		ApplicationName: in.ApplicationName, ComputePlatform: deploytypes.ComputePlatformEcs,
	}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := client.CreateDeploymentGroup(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
}

// deployGroup has CodeDeploy deploy a task definition to the service.
func (s *Service) deployGroup(taskDefinition string) {
	s.w.t.Helper()
	content := fmt.Sprintf(`{"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {
		"TaskDefinition": %q, "LoadBalancerInfo": {"ContainerName": %q, "ContainerPort": %d}}}}]}`, taskDefinition, s.Name, port)
	if _, err := codedeploy.NewFromConfig(s.w.OthersConfig()).CreateDeployment(s.w.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("AppECS-" + s.Cluster + "-" + s.Name), DeploymentGroupName: aws.String("DgpECS-" + s.Cluster + "-" + s.Name),
		Revision: &deploytypes.RevisionLocation{
			RevisionType: deploytypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &deploytypes.AppSpecContent{Content: &content},
		},
	}); err != nil {
		s.w.t.Fatal(err)
	}
}

// steady says whether a service that CodeDeploy deploys has one task set left,
// with all its tasks; others have none.
func steady(s *types.Service) bool {
	return len(s.TaskSets) == 1 && s.TaskSets[0].StabilityStatus == types.StabilityStatusSteadyState
}

// targetGroupARN is the ARN of the target group of any name.
func targetGroupARN(name string) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/73e2d6bc24d8a067", Region, Account, name)
}

// targetGroup finds a target group for CodeDeploy: there is one of any name.
func targetGroup(name string) (arn string, found bool) { return targetGroupARN(name), true }

// listenerARN is the ARN of the listener in front of a service.
func listenerARN(service string) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:listener/app/%s/50dc6c495c0c9188/f2f7dc8efc522ab2", Region, Account, service)
}
