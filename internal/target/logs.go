package target

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	// logLines is how many of a container's last lines a reason has.
	logLines = 20
	// logWidth is how many bytes of a line it has.
	logWidth = 400
)

// tail is the end of a container's log.
type tail struct {
	container, task string
	lines           []string
}

// tailOf reads the last lines of the container that failed in the newest of some
// stopped tasks, if its log driver is awslogs. Where a container's log is, only
// its task definition says. Developer guide, "Send Amazon ECS logs to CloudWatch":
// the stream is prefix/container/task.
func (c *client) tailOf(ctx context.Context, stopped []types.Task, behind string) (tail, error) {
	task, name := culprit(stopped, behind)
	if task == nil {
		return tail{}, nil
	}
	id := lastPart(aws.ToString(task.TaskArn))
	described, err := c.api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: task.TaskDefinitionArn})
	if err != nil {
		return tail{}, c.explain(ctx, err, "cannot read the task definition "+lastPart(aws.ToString(task.TaskDefinitionArn)))
	}
	for _, container := range described.TaskDefinition.ContainerDefinitions {
		to := container.LogConfiguration
		if aws.ToString(container.Name) != name || to == nil || to.LogDriver != types.LogDriverAwslogs {
			continue
		}
		group, prefix := to.Options["awslogs-group"], to.Options["awslogs-stream-prefix"]
		if group == "" || prefix == "" {
			break
		}
		out, err := c.logs(to.Options["awslogs-region"]).GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String(group), LogStreamName: aws.String(strings.Join([]string{prefix, name, id}, "/")),
			Limit: aws.Int32(logLines), StartFromHead: aws.Bool(false),
		})
		if err != nil {
			return tail{}, c.explain(ctx, err, "cannot read the log group "+group)
		}
		found := tail{container: name, task: id}
		for _, event := range out.Events {
			found.lines = append(found.lines, clip(aws.ToString(event.Message)))
		}
		return found, nil
	}
	return tail{}, nil
}

// culprit is the newest of some stopped tasks that failed after it had started,
// and its container that failed: one that ended badly or, where a health check
// failed, one that is UNHEALTHY, or the one behind the load balancer. The task is
// nil where there is none.
func culprit(stopped []types.Task, behind string) (newest *types.Task, container string) {
	for i := range stopped {
		task := &stopped[i]
		if task.StopCode == types.TaskStopCodeTaskFailedToStart || !failure(task) ||
			newest != nil && !aws.ToTime(task.CreatedAt).After(aws.ToTime(newest.CreatedAt)) {
			continue
		}
		for _, failed := range []func(types.Container) bool{
			func(c types.Container) bool { return c.HealthStatus == types.HealthStatusUnhealthy },
			func(c types.Container) bool {
				return task.StopCode != types.TaskStopCodeEssentialContainerExited && aws.ToString(c.Name) == behind
			},
			func(c types.Container) bool { return aws.ToInt32(c.ExitCode) != 0 },
			func(c types.Container) bool { return c.ExitCode != nil },
			func(types.Container) bool { return len(task.Containers) == 1 },
		} {
			if at := slices.IndexFunc(task.Containers, failed); at >= 0 {
				newest, container = task, aws.ToString(task.Containers[at].Name)
				break
			}
		}
	}
	return newest, container
}

// behind is the container that the service's load balancer sends traffic to, or
// the empty string.
func behind(s *types.Service) string {
	for _, balancer := range s.LoadBalancers {
		if name := aws.ToString(balancer.ContainerName); name != "" {
			return name
		}
	}
	return ""
}

// logs returns a client for CloudWatch Logs in a region: ECS's own where it is
// empty.
func (c *client) logs(region string) *cloudwatchlogs.Client {
	return cloudwatchlogs.NewFromConfig(c.config, func(o *cloudwatchlogs.Options) {
		o.Region = cmp.Or(region, c.region)
		o.Retryer = c.budget.retryer()
		if at := c.elsewhere(); at != nil {
			o.BaseEndpoint = at
		}
	})
}

// clip is one line of a log, bounded, and without what would move a terminal's
// cursor.
func clip(line string) string {
	line = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			return -1
		}
		return r
	}, line)
	if len(line) <= logWidth {
		return line
	}
	end := logWidth
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}
