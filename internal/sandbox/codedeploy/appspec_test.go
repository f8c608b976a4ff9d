package codedeploy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestParseAppSpec(t *testing.T) {
	json := `{"version":0.0,"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{
		"TaskDefinition":"arn:aws:ecs:ca-central-1:111122223333:task-definition/web:7","LoadBalancerInfo":{"ContainerName":"web","ContainerPort":80},
		"PlatformVersion":"1.4.0","NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["subnet-1"],"SecurityGroups":["sg-1"],"AssignPublicIp":"DISABLED"}},
		"CapacityProviderStrategy":[{"CapacityProvider":"FARGATE_SPOT","Base":1,"Weight":2}]}}}],
		"Hooks":[{"BeforeInstall":"check"},{"AfterAllowTraffic":"verify"}]}`
	yaml := `version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "arn:aws:ecs:ca-central-1:111122223333:task-definition/web:7"
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
        PlatformVersion: "1.4.0"
        NetworkConfiguration:
          AwsvpcConfiguration:
            Subnets: ["subnet-1"]
            SecurityGroups: ["sg-1"]
            AssignPublicIp: DISABLED
        CapacityProviderStrategy:
          - CapacityProvider: FARGATE_SPOT
            Base: 1
            Weight: 2
Hooks:
  - BeforeInstall: check
  - AfterAllowTraffic: verify
`
	provider := "FARGATE_SPOT"
	want := appSpec{
		TaskDefinition: "arn:aws:ecs:ca-central-1:111122223333:task-definition/web:7", ContainerName: "web", ContainerPort: 80, PlatformVersion: "1.4.0",
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: ecstypes.AssignPublicIpDisabled,
		}},
		CapacityProviderStrategy: []ecstypes.CapacityProviderStrategyItem{{CapacityProvider: &provider, Base: 1, Weight: 2}},
		Hooks:                    map[string]string{"BeforeInstall": "check", "AfterAllowTraffic": "verify"},
	}
	for form, content := range map[string]string{"JSON": json, "YAML": yaml} {
		got, err := parseAppSpec(content)
		if err != nil {
			t.Errorf("%s: %v", form, err)
		} else if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(
			ecstypes.NetworkConfiguration{}, ecstypes.AwsVpcConfiguration{}, ecstypes.CapacityProviderStrategyItem{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
	for what, content := range map[string]string{
		"no YAML":        "{",
		"no resource":    "version: 0.0",
		"another type":   `{"Resources":[{"TargetService":{"Type":"AWS::Lambda::Function"}}]}`,
		"no container":   `{"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":"web:7"}}}]}`,
		"a hook unknown": `{"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":"web:7","LoadBalancerInfo":{"ContainerName":"web","ContainerPort":80}}}}],"Hooks":[{"Install":"x"}]}`,
	} {
		if _, err := parseAppSpec(content); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

func TestWeight(t *testing.T) {
	for _, test := range []struct {
		config string
		after  time.Duration
		want   int
	}{
		{allAtOnce, 0, 100},
		{"CodeDeployDefault.ECSLinear10PercentEvery1Minutes", 0, 10},
		{"CodeDeployDefault.ECSLinear10PercentEvery1Minutes", 59 * time.Second, 10},
		{"CodeDeployDefault.ECSLinear10PercentEvery1Minutes", 9 * time.Minute, 100},
		{"CodeDeployDefault.ECSLinear10PercentEvery1Minutes", time.Hour, 100},
		{"CodeDeployDefault.ECSLinear10PercentEvery3Minutes", 7 * time.Minute, 30},
		{"CodeDeployDefault.ECSCanary10Percent5Minutes", 4 * time.Minute, 10},
		{"CodeDeployDefault.ECSCanary10Percent15Minutes", 15 * time.Minute, 100},
	} {
		if got := weight(routing(test.config), test.after); got != test.want {
			t.Errorf("%s after %v: %d %%, want %d", test.config, test.after, got, test.want)
		}
	}
}
