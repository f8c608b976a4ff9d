package codedeploy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/goccy/go-yaml"
)

// appSpec is an AppSpec for ECS.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
type appSpec struct {
	TaskDefinition           string
	ContainerName            string
	ContainerPort            int32
	PlatformVersion          string // empty keeps the service's
	NetworkConfiguration     *ecstypes.NetworkConfiguration
	CapacityProviderStrategy []ecstypes.CapacityProviderStrategyItem
	Hooks                    map[string]string // function by lifecycle event
}

// appSpecFile is the file's form. JSON is YAML too.
type appSpecFile struct {
	Resources []struct {
		TargetService *struct {
			Type       string `yaml:"Type"`
			Properties struct {
				TaskDefinition   string `yaml:"TaskDefinition"`
				LoadBalancerInfo struct {
					ContainerName string `yaml:"ContainerName"`
					ContainerPort int32  `yaml:"ContainerPort"`
				} `yaml:"LoadBalancerInfo"`
				PlatformVersion      string `yaml:"PlatformVersion"`
				NetworkConfiguration *struct {
					AwsvpcConfiguration struct {
						Subnets        []string `yaml:"Subnets"`
						SecurityGroups []string `yaml:"SecurityGroups"`
						AssignPublicIP string   `yaml:"AssignPublicIp"`
					} `yaml:"AwsvpcConfiguration"`
				} `yaml:"NetworkConfiguration"`
				CapacityProviderStrategy []struct {
					CapacityProvider string `yaml:"CapacityProvider"`
					Base             int32  `yaml:"Base"`
					Weight           int32  `yaml:"Weight"`
				} `yaml:"CapacityProviderStrategy"`
			} `yaml:"Properties"`
		} `yaml:"TargetService"`
	} `yaml:"Resources"`
	Hooks []map[string]string `yaml:"Hooks"`
}

// parseAppSpec reads an AppSpec's content, YAML or JSON.
func parseAppSpec(content string) (appSpec, error) {
	var file appSpecFile
	if err := yaml.Unmarshal([]byte(content), &file); err != nil {
		return appSpec{}, err
	}
	if len(file.Resources) != 1 || file.Resources[0].TargetService == nil {
		return appSpec{}, errors.New("there must be one TargetService in Resources")
	}
	target := file.Resources[0].TargetService
	if target.Type != "AWS::ECS::Service" {
		return appSpec{}, fmt.Errorf("the type of TargetService is %q, not AWS::ECS::Service", target.Type)
	}
	p := target.Properties
	spec := appSpec{
		TaskDefinition: p.TaskDefinition, ContainerName: p.LoadBalancerInfo.ContainerName, ContainerPort: p.LoadBalancerInfo.ContainerPort,
		PlatformVersion: p.PlatformVersion, Hooks: map[string]string{},
	}
	if spec.TaskDefinition == "" || spec.ContainerName == "" || spec.ContainerPort == 0 {
		return appSpec{}, errors.New("TaskDefinition and LoadBalancerInfo are required")
	}
	if n := p.NetworkConfiguration; n != nil {
		vpc := n.AwsvpcConfiguration
		spec.NetworkConfiguration = &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: vpc.Subnets, SecurityGroups: vpc.SecurityGroups, AssignPublicIp: ecstypes.AssignPublicIp(vpc.AssignPublicIP),
		}}
	}
	for _, item := range p.CapacityProviderStrategy {
		spec.CapacityProviderStrategy = append(spec.CapacityProviderStrategy, ecstypes.CapacityProviderStrategyItem{
			CapacityProvider: aws.String(item.CapacityProvider), Base: item.Base, Weight: item.Weight,
		})
	}
	for _, entry := range file.Hooks {
		for event, function := range entry {
			if !slices.Contains(hookEvents(), event) {
				return appSpec{}, fmt.Errorf("there is no hook %q", event)
			}
			spec.Hooks[event] = function
		}
	}
	return spec, nil
}
