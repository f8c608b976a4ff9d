package controlplane

import (
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Printer keeps what containers with the awslogs driver print: CloudWatch Logs.
// Put is called with the control plane's lock held; it does not wait, and does
// not call back.
type Printer interface {
	Put(group, stream, line string)
}

// print has a container print lines, if it has the awslogs driver. There are no
// programs, so what they would say of what they do is said for them.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
func (c *ControlPlane) print(t *task, container *types.Container, lines ...string) {
	definition := c.state.definition(*t.TaskDefinitionArn).container(*container.Name)
	if c.options.Logs == nil || definition.LogConfiguration == nil || definition.LogConfiguration.LogDriver != types.LogDriverAwslogs {
		return
	}
	options := definition.LogConfiguration.Options
	stream := aws.ToString(container.RuntimeId)
	if prefix := options["awslogs-stream-prefix"]; prefix != "" {
		stream = prefix + "/" + *container.Name + "/" + t.ID
	}
	for _, line := range lines {
		c.options.Logs.Put(options["awslogs-group"], stream, line)
	}
}

// printStart has each container say what it does first.
func (c *ControlPlane) printStart(t *task) {
	for i := range t.Containers {
		container := &t.Containers[i]
		name := path.Base(*container.Image)
		c.print(t, container, name+" started")
		definition := c.state.definition(*t.TaskDefinitionArn).container(*container.Name)
		for _, port := range definition.PortMappings {
			if port.ContainerPort != nil {
				c.print(t, container, fmt.Sprintf("listening on port %d", *port.ContainerPort))
			}
		}
		switch BehaviourOf(*container.Image) {
		case BehaviourUnhealthy:
			c.print(t, container, "error: not ready: health checks are answered with 503")
		case BehaviourSlow:
			c.print(t, container, fmt.Sprintf("warming up: ready in %s", slowStart))
		case BehaviourCrash, BehaviourMissing, BehaviourHealthy:
		}
	}
}

// printEnd has a container say why it exits.
func (c *ControlPlane) printEnd(t *task, container *types.Container, exitCode int32, reason string) {
	switch {
	case exitCode == 0:
		c.print(t, container, "done")
	case reason != "":
		c.print(t, container, "error: "+strings.TrimSuffix(reason, "."))
	case BehaviourOf(*container.Image) == BehaviourCrash:
		c.print(t, container, fmt.Sprintf("error: %s cannot go on: its tag says crash", path.Base(*container.Image)), fmt.Sprintf("exiting with status %d", exitCode))
	default:
		c.print(t, container, "error: cannot go on", fmt.Sprintf("exiting with status %d", exitCode))
	}
}
