package controlplane

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// responseOnly are the members of a task definition that ECS adds. Whoever
// registers them has cloned carelessly; the sandbox refuses, so that tests see.
var responseOnly = []string{
	"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
	"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
}

var familyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// object is a JSON object of which only some members are looked at.
type object = map[string]json.RawMessage

// registrable checks what is to be registered, and returns the document that is
// kept: as it came, without the tags, with ECS's defaults filled in.
func registrable(document json.RawMessage, in *ecs.RegisterTaskDefinitionInput) (json.RawMessage, error) {
	if len(document) > taskDefinitionMostBytes {
		return nil, errClient("Actual length: '%d'. Max allowed length is '%d' bytes.", len(document), taskDefinitionMostBytes)
	}
	var members object
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	for _, name := range responseOnly {
		if _, found := members[name]; found {
			return nil, errClient("Unknown parameter in input: %q: it is for responses only.", name)
		}
	}
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	delete(members, "tags")
	dropNulls(members)
	setDefault(members, "volumes", "[]")
	setDefault(members, "placementConstraints", "[]")
	if fargate(in) {
		setDefault(members, "networkMode", `"awsvpc"`)
	}
	containers := []object{}
	if err := json.Unmarshal(members["containerDefinitions"], &containers); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	for _, container := range containers {
		if err := fillContainer(container); err != nil {
			return nil, err
		}
	}
	var err error
	if members["containerDefinitions"], err = json.Marshal(containers); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// fillContainer adds what ECS adds to each container definition.
func fillContainer(container object) error {
	dropNulls(container)
	setDefault(container, "cpu", "0")
	setDefault(container, "essential", "true")
	for _, name := range []string{"portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"} {
		setDefault(container, name, "[]")
	}
	var ports []object
	if err := json.Unmarshal(container["portMappings"], &ports); err != nil {
		return &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	for _, port := range ports {
		dropNulls(port)
		setDefault(port, "protocol", `"tcp"`)
		if number, found := port["containerPort"]; found {
			setDefault(port, "hostPort", string(number)) // as awsvpc demands
		}
	}
	if len(ports) == 0 {
		return nil
	}
	var err error
	container["portMappings"], err = json.Marshal(ports)
	return err
}

func setDefault(members object, name, value string) {
	if _, found := members[name]; !found {
		members[name] = json.RawMessage(value)
	}
}

// dropNulls removes members that are null, which are as if absent.
func dropNulls(members object) {
	for name, value := range members {
		if string(value) == "null" {
			delete(members, name)
		}
	}
}

// checkDefinition refuses what ECS refuses, as far as a deployment tool can get
// it wrong.
func checkDefinition(in *ecs.RegisterTaskDefinitionInput) error {
	if !familyPattern.MatchString(aws.ToString(in.Family)) {
		return errClient("Family contains invalid characters.")
	}
	if len(in.ContainerDefinitions) == 0 {
		return errClient("Container list cannot be empty.")
	}
	if len(in.ContainerDefinitions) > containersMost {
		return errClient("Too many containers: a task definition has at most %d.", containersMost)
	}
	seen := map[string]bool{}
	essential := false
	for _, container := range in.ContainerDefinitions {
		name, image := aws.ToString(container.Name), aws.ToString(container.Image)
		switch {
		case name == "":
			return errClient("Container.name should not be null or blank.")
		case seen[name]:
			return errClient("Container names must be unique: %s", name)
		case image == "":
			return errClient("Container.image should not be null or blank.")
		case len(image) > imageMostCharacters:
			return errClient("Container.image repository length %d exceeds the limit %d.", len(image), imageMostCharacters)
		}
		seen[name] = true
		essential = essential || container.Essential == nil || *container.Essential
	}
	if !essential {
		return errClient("Task definition does not have any essential containers. At least one container must be essential.")
	}
	if !fargate(in) {
		return nil
	}
	if in.NetworkMode != "" && in.NetworkMode != types.NetworkModeAwsvpc {
		return errClient("Fargate only supports network mode ‘awsvpc’.")
	}
	if in.Cpu == nil || in.Memory == nil {
		return errClient("Fargate requires that 'cpu' and 'memory' be defined at the task level.")
	}
	return nil
}

func fargate(in *ecs.RegisterTaskDefinitionInput) bool {
	return slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate)
}

// described is the answer of an action on one task definition; nil tags are
// left out.
func (c *ControlPlane) described(td *taskDefinition, tags []types.Tag) (*describedDefinition, error) {
	document, err := td.describe(c.caller())
	return &describedDefinition{TaskDefinition: document, Tags: tags}, err
}

// describe is the kept document with the members that ECS adds.
func (td *taskDefinition) describe(registeredBy string) (json.RawMessage, error) {
	added := types.TaskDefinition{
		TaskDefinitionArn: aws.String(td.ARN),
		Revision:          td.Revision,
		Status:            td.Status,
		RegisteredAt:      aws.Time(td.RegisteredAt),
		RegisteredBy:      aws.String(registeredBy),
		DeregisteredAt:    td.DeregisteredAt,
		DeleteRequestedAt: td.DeleteRequestedAt,
	}
	typed := td.types()
	added.Compatibilities = []types.Compatibility{types.CompatibilityEc2}
	if typed.NetworkMode == types.NetworkModeAwsvpc && typed.Cpu != nil && typed.Memory != nil {
		added.Compatibilities = append(added.Compatibilities, types.CompatibilityFargate)
	}
	added.RequiresAttributes = requiredAttributes(typed)
	more, err := awsjson.Marshal(&added)
	if err != nil {
		return nil, err
	}
	var members object
	for _, part := range []json.RawMessage{more, td.Document} {
		if err := json.Unmarshal(part, &members); err != nil {
			return nil, err
		}
	}
	return json.Marshal(members)
}

// requiredAttributes is what a container instance would have to offer.
func requiredAttributes(td *types.TaskDefinition) []types.Attribute {
	attributes := []types.Attribute{{Name: aws.String("com.amazonaws.ecs.capability.docker-remote-api.1.18")}}
	add := func(wanted bool, name string) {
		if wanted {
			attributes = append(attributes, types.Attribute{Name: aws.String(name)})
		}
	}
	add(td.NetworkMode == types.NetworkModeAwsvpc, "ecs.capability.task-eni")
	add(td.TaskRoleArn != nil, "com.amazonaws.ecs.capability.task-iam-role")
	add(td.ExecutionRoleArn != nil, "ecs.capability.execution-role-ecr-pull")
	add(slices.ContainsFunc(td.ContainerDefinitions, func(d types.ContainerDefinition) bool { return d.HealthCheck != nil }),
		"ecs.capability.container-health-check")
	return attributes
}

// types is the document as the SDK knows it.
func (td *taskDefinition) types() *types.TaskDefinition {
	if td.typed == nil {
		td.typed = &types.TaskDefinition{}
		// It was read in the same way when it was registered.
		_ = awsjson.Unmarshal(td.Document, td.typed)
	}
	return td.typed
}

// container finds a container definition by name, or nil.
func (td *taskDefinition) container(name string) *types.ContainerDefinition {
	containers := td.types().ContainerDefinitions
	for i := range containers {
		if aws.ToString(containers[i].Name) == name {
			return &containers[i]
		}
	}
	return nil
}

// stopTimeout is the longest of the containers' stop timeouts.
func (td *taskDefinition) stopTimeout() time.Duration {
	longest := time.Duration(0)
	for _, container := range td.types().ContainerDefinitions {
		timeout := stopTimeout
		if container.StopTimeout != nil {
			timeout = time.Duration(*container.StopTimeout) * time.Second
		}
		longest = max(longest, timeout)
	}
	return longest
}
