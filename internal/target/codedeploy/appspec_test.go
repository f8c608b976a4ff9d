package codedeploy

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestAppSpec(t *testing.T) {
	serving := ecstypes.TaskSet{
		Id: aws.String("ecs-svc/1"), PlatformVersion: aws.String("1.4.0"),
		LoadBalancers: []ecstypes.LoadBalancer{{ContainerName: aws.String("web"), ContainerPort: aws.Int32(80), TargetGroupArn: aws.String("arn:blue")}},
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: []string{"subnet-1"}, AssignPublicIp: ecstypes.AssignPublicIpDisabled,
		}},
		CapacityProviderStrategy: []ecstypes.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Base: 1, Weight: 2}},
	}
	for _, test := range []struct {
		change func()
		want   string
	}{
		{func() {}, `{"version":0.0,"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":"web:8",` +
			`"LoadBalancerInfo":{"ContainerName":"web","ContainerPort":80},"PlatformVersion":"1.4.0",` +
			`"NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["subnet-1"],"SecurityGroups":[],"AssignPublicIp":"DISABLED"}},` +
			`"CapacityProviderStrategy":[{"CapacityProvider":"FARGATE_SPOT","Base":1,"Weight":2}]}}}]}`},
		{func() {
			serving.PlatformVersion, serving.NetworkConfiguration, serving.CapacityProviderStrategy = nil, nil, nil
		},
			`{"version":0.0,"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":"web:8",` +
				`"LoadBalancerInfo":{"ContainerName":"web","ContainerPort":80}}}}]}`},
	} {
		test.change()
		if got, err := AppSpec(serving, "web:8"); err != nil || got != test.want {
			t.Errorf("got  %s, %v\nwant %s", got, err, test.want)
		}
	}
	serving.LoadBalancers = nil
	if _, err := AppSpec(serving, "web:8"); err == nil {
		t.Error("a task set without a load balancer is deployed")
	}
}
