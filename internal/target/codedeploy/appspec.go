package codedeploy

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// appSpec is an AppSpec for ECS, in JSON.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
type appSpec struct {
	Version   json.Number `json:"version"` // 0.0, the only one there is
	Resources []resource  `json:"Resources"`
}

type resource struct {
	TargetService targetService `json:"TargetService"`
}

type targetService struct {
	Type       string     `json:"Type"`
	Properties properties `json:"Properties"`
}

type properties struct {
	TaskDefinition           string                `json:"TaskDefinition"`
	LoadBalancerInfo         loadBalancer          `json:"LoadBalancerInfo"`
	PlatformVersion          string                `json:"PlatformVersion,omitempty"`
	NetworkConfiguration     *networkConfiguration `json:"NetworkConfiguration,omitempty"`
	CapacityProviderStrategy []capacityProvider    `json:"CapacityProviderStrategy,omitempty"`
}

type loadBalancer struct {
	ContainerName string `json:"ContainerName"`
	ContainerPort int32  `json:"ContainerPort"`
}

type networkConfiguration struct {
	AwsvpcConfiguration awsvpcConfiguration `json:"AwsvpcConfiguration"`
}

type awsvpcConfiguration struct {
	Subnets        []string `json:"Subnets"`
	SecurityGroups []string `json:"SecurityGroups"`
	AssignPublicIP string   `json:"AssignPublicIp"`
}

type capacityProvider struct {
	CapacityProvider string `json:"CapacityProvider"`
	Base             int32  `json:"Base"`
	Weight           int32  `json:"Weight"`
}

// AppSpec is what CodeDeploy is to deploy: the task set that serves, as it is, with
// another task definition. The task set must be behind a load balancer.
func AppSpec(serving ecstypes.TaskSet, taskDefinition string) (string, error) {
	if len(serving.LoadBalancers) == 0 {
		return "", fmt.Errorf("task set %s is behind no load balancer", aws.ToString(serving.Id))
	}
	balanced := serving.LoadBalancers[0]
	p := properties{
		TaskDefinition: taskDefinition, PlatformVersion: aws.ToString(serving.PlatformVersion),
		LoadBalancerInfo: loadBalancer{aws.ToString(balanced.ContainerName), aws.ToInt32(balanced.ContainerPort)},
	}
	if n := serving.NetworkConfiguration; n != nil && n.AwsvpcConfiguration != nil {
		vpc := n.AwsvpcConfiguration
		p.NetworkConfiguration = &networkConfiguration{awsvpcConfiguration{
			// All three or none: an empty list stays one.
			Subnets: append([]string{}, vpc.Subnets...), SecurityGroups: append([]string{}, vpc.SecurityGroups...),
			AssignPublicIP: string(vpc.AssignPublicIp),
		}}
	}
	for _, item := range serving.CapacityProviderStrategy {
		p.CapacityProviderStrategy = append(p.CapacityProviderStrategy, capacityProvider{aws.ToString(item.CapacityProvider), item.Base, item.Weight})
	}
	content, err := json.Marshal(appSpec{Version: "0.0", Resources: []resource{{targetService{Type: "AWS::ECS::Service", Properties: p}}}})
	return string(content), err
}
