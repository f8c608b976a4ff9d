package controlplane

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// launch makes a task of a service's deployment and sends it on its way.
func (c *ControlPlane) launch(s *service, d *deployment) *task {
	t := c.newTask(s.Cluster, c.state.definition(*d.TaskDefinition))
	t.Service, t.Deployment = *s.ServiceName, *d.Id
	t.StartedBy = d.Id
	t.Group = aws.String("service:" + *s.ServiceName)
	t.EnableExecuteCommand = s.EnableExecuteCommand
	switch s.PropagateTags {
	case types.PropagateTagsService:
		t.Tags = s.Tags
	case types.PropagateTagsTaskDefinition:
		t.Tags = c.state.definition(*d.TaskDefinition).Tags
	case types.PropagateTagsNone:
	}
	revision := s.revision(d.Revision)
	for i, lb := range revision.LoadBalancers {
		t.Targets = append(t.Targets, &target{Target: Target{
			TargetGroupARN: targetGroupOf(revision, i), TaskID: t.ID,
			Container: aws.ToString(lb.ContainerName), Port: aws.ToInt32(lb.ContainerPort),
		}})
	}
	c.provision(t)
	return t
}

// newTask makes a task with its containers, PROVISIONING.
func (c *ControlPlane) newTask(clusterName string, td *taskDefinition) *task {
	cl := c.state.Clusters[clusterName]
	id := randomHex(32)
	arn := c.arn("task/" + clusterName + "/" + id)
	typed := td.types()
	c.state.Launched++
	t := &task{ID: id, Number: c.state.Launched, Cluster: clusterName, Task: types.Task{
		TaskArn:           aws.String(arn),
		ClusterArn:        cl.ClusterArn,
		TaskDefinitionArn: aws.String(td.ARN),
		DesiredStatus:     aws.String(statusRunning),
		LastStatus:        aws.String(statusProvisioning),
		CreatedAt:         aws.Time(time.Now()),
		AvailabilityZone:  aws.String(c.options.Region + "a"),
		Connectivity:      types.ConnectivityConnected,
		Cpu:               typed.Cpu,
		Memory:            typed.Memory,
		LaunchType:        types.LaunchTypeFargate,
		PlatformVersion:   aws.String(platformVersion),
		PlatformFamily:    aws.String(platformFamily),
		Attributes:        []types.Attribute{},
		Attachments:       []types.Attachment{},
		Overrides:         &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{}},
		Tags:              []types.Tag{},
		Version:           1,
	}}
	for _, definition := range typed.ContainerDefinitions {
		container := types.Container{
			ContainerArn:      aws.String(c.arn("container/" + clusterName + "/" + id + "/" + randomUUID())),
			TaskArn:           t.TaskArn,
			Name:              definition.Name,
			Image:             definition.Image,
			LastStatus:        aws.String(statusPending),
			Cpu:               aws.String(fmt.Sprint(definition.Cpu)),
			NetworkBindings:   []types.NetworkBinding{},
			NetworkInterfaces: []types.NetworkInterface{},
		}
		if definition.HealthCheck != nil {
			container.HealthStatus = types.HealthStatusUnknown
			if essential(definition) {
				t.HealthStatus = types.HealthStatusUnknown
			}
		}
		t.Containers = append(t.Containers, container)
	}
	cl.Tasks[id] = t
	return t
}

func essential(definition types.ContainerDefinition) bool {
	return definition.Essential == nil || *definition.Essential
}

// become gives the task its next status.
func (t *task) become(status string) {
	t.LastStatus = aws.String(status)
	t.Version++
}

// step calls f after d if the task still has that status and was not told to
// stop in between.
func (c *ControlPlane) step(t *task, d time.Duration, f func()) {
	status, wanted := *t.LastStatus, t.wanted()
	c.after(d, func() {
		if *t.LastStatus == status && t.wanted() == wanted {
			f()
		}
	})
}

// provision waits for the network interface, then pulls the images.
func (c *ControlPlane) provision(t *task) {
	c.step(t, provisioningTime, func() {
		t.become(statusPending)
		c.pull(t)
	})
}

// pull gets the secrets, pulls the images, and starts the containers.
func (c *ControlPlane) pull(t *task) {
	if reason := c.missingSecret(t); reason != "" {
		c.step(t, secretFailure, func() { c.stop(t, types.TaskStopCodeTaskFailedToStart, reason) })
		return
	}
	t.PullStartedAt = aws.Time(time.Now())
	for _, container := range t.Containers {
		if BehaviourOf(*container.Image) == BehaviourMissing {
			c.step(t, pullFailure, func() { c.pullFailed(t, *container.Name, *container.Image) })
			return
		}
	}
	c.step(t, pullTime, func() {
		t.PullStoppedAt = aws.Time(time.Now())
		c.resolve(t)
		c.run(t)
	})
}

// pullFailed gives the task up.
func (c *ControlPlane) pullFailed(t *task, name, image string) {
	reason := fmt.Sprintf("CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref %s: %s: not found", image, image)
	t.container(name).Reason = aws.String(reason)
	c.stop(t, types.TaskStopCodeTaskFailedToStart, reason)
}

// resolve notes which digests the images have. A deployment's first task
// resolves for all that follow.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
func (c *ControlPlane) resolve(t *task) {
	s := c.serviceOf(t)
	for i := range t.Containers {
		container := &t.Containers[i]
		digest := digestOf(*container.Image)
		container.ImageDigest = aws.String(digest)
		if s == nil {
			continue
		}
		if d := s.deployment(t.Deployment); d != nil && d.Images[*container.Name] == "" {
			d.Images[*container.Name] = digest
			revision := s.revision(d.Revision)
			revision.ContainerImages = append(revision.ContainerImages, types.ContainerImage{
				ContainerName: container.Name, Image: container.Image, ImageDigest: aws.String(digest),
			})
		}
	}
}

// run starts the containers on the runtime. A task that ran before a restart is
// started again under its own id and keeps its status.
func (c *ControlPlane) run(t *task) {
	t.started = true
	spec := TaskSpec{ID: t.ID, ARN: *t.TaskArn, Cluster: t.Cluster, Group: aws.ToString(t.Group), Standalone: t.Service == ""}
	for _, definition := range c.state.definition(*t.TaskDefinitionArn).types().ContainerDefinitions {
		container := ContainerSpec{
			Name: *definition.Name, Image: *definition.Image,
			Essential: essential(definition), Environment: t.environment(definition),
		}
		for _, port := range definition.PortMappings {
			if port.ContainerPort != nil { // else it is a range
				container.Ports = append(container.Ports, *port.ContainerPort)
			}
		}
		spec.Containers = append(spec.Containers, container)
	}
	c.options.Runtime.StartTask(spec, TaskEvents{
		Running: func(address map[string]string) { c.do(func() { c.ran(t, address) }) },
		Exited: func(container string, exitCode int32, reason string) {
			c.do(func() { c.exited(t, container, exitCode, reason) })
		},
	})
}

// environment is a container's environment with the task's overrides.
func (t *task) environment(definition types.ContainerDefinition) map[string]string {
	environment := map[string]string{}
	add := func(pairs []types.KeyValuePair) {
		for _, pair := range pairs {
			environment[aws.ToString(pair.Name)] = aws.ToString(pair.Value)
		}
	}
	add(definition.Environment)
	for _, override := range t.Overrides.ContainerOverrides {
		if aws.ToString(override.Name) == *definition.Name {
			add(override.Environment)
		}
	}
	return environment
}

// ran is told that the containers run.
func (c *ControlPlane) ran(t *task, address map[string]string) {
	if !t.wanted() {
		return
	}
	for _, target := range t.Targets {
		target.Address = address[target.Container]
	}
	for i := range t.Containers {
		t.Containers[i].LastStatus = aws.String(statusRunning)
		if t.Containers[i].RuntimeId == nil {
			t.Containers[i].RuntimeId = aws.String(t.ID + "-" + randomDigits(10))
		}
	}
	c.printStart(t)
	if *t.LastStatus == statusRunning { // again, after a restart
		c.register(t)
		c.watchContainers(t)
		return
	}
	t.become(statusActivating)
	c.step(t, activatingTime, func() {
		t.become(statusRunning)
		t.StartedAt = aws.Time(time.Now())
		c.register(t)
		c.watchContainers(t)
		if s := c.serviceOf(t); s != nil {
			if d := s.deployment(t.Deployment); d != nil {
				d.StartFailures, d.RetryAt = 0, time.Time{}
			}
			c.kick(s)
		}
	})
}
