package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

// startTest runs d's task definition once, as the first of its targets would: in
// its network, with its overrides. RunTask knows the execution's token for a day,
// and answers with the task that it ran, so that an answer which was lost leads to
// no second one. API reference, RunTask, clientToken.
func (c *client) startTest(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	now, err := c.readTargets(ctx, d)
	if err != nil {
		return d, err
	}
	at := slices.IndexFunc(d.Targets, func(t slipway.ScheduledTarget) bool { return now[t.Name].Name != "" })
	if at < 0 {
		return c.restartSchedules(ctx, d) // all are gone
	}
	like := now[d.Targets[at].Name]
	doing := fmt.Sprintf("cannot make a test run of %s as %s does", lastPart(d.TaskDefinition), schedule.Label(like.Name))
	in, err := like.Task()
	if err != nil {
		return d, &slipway.Error{Next: slipway.NextPerson, Message: doing, Err: err, Hint: "correct the target, or take testRun out of pipeline.yaml"}
	}
	in.TaskDefinition, in.Count = aws.String(d.TaskDefinition), aws.Int32(1)
	in.StartedBy = aws.String("slipway/" + d.Execution)
	in.ClientToken = aws.String(fmt.Sprintf("%s-%d", d.Execution, d.Restarts))
	var sentAt time.Time
	out, err := c.api.RunTask(ctx, in, c.budget.once(&sentAt))
	if err != nil {
		return d, c.explain(ctx, err, doing)
	}
	for _, failure := range out.Failures {
		return d, &slipway.Error{
			Next: slipway.NextPerson, Message: strings.TrimSpace(fmt.Sprintf("%s: %s %s", doing, aws.ToString(failure.Reason), aws.ToString(failure.Detail))),
			Hint: "no schedule was touched; retry once ECS has room for the task",
		}
	}
	if len(out.Tasks) == 0 {
		return d, &slipway.Error{Next: slipway.NextRetry, RetryAfter: afterFailure, Message: doing + ": ECS answered without a task"}
	}
	d.TestTask = aws.ToString(out.Tasks[0].TaskArn)
	d.FirstWriteAt = earliest(d.FirstWriteAt, sentAt)
	c.log.InfoContext(ctx, "began a test run", keyApp, d.App.String(), keyExecution, d.Execution, "task", d.TestTask, keyTaskDefinition, d.TaskDefinition)
	return enter(d, slipway.PhaseTesting), nil
}

// observeTest says how the test run stands.
func (c *client) observeTest(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
	out, err := c.api.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(d.Place.Cluster), Tasks: []string{d.TestTask}})
	if err != nil {
		return slipway.Observation{}, c.explain(ctx, err, "cannot read the task of the test run")
	}
	var task *types.Task
	if len(out.Tasks) > 0 {
		task = &out.Tasks[0]
	}
	var logs tail
	o := judgeTest(d, task, logs, time.Now())
	if o.State == slipway.StateFailed && task != nil {
		logs, err = c.tailOf(ctx, []types.Task{*task}, "")
		c.forgo(ctx, d, "the container's log", err)
		o = judgeTest(d, task, logs, time.Now())
	}
	if !o.Final() {
		o.Next = pace(o.At, moved(task), c.budget.spare(clusterResourceRead))
	}
	return o, ctx.Err()
}

// moved is when something last happened to a task that was not stopped.
func moved(task *types.Task) time.Time {
	last := aws.ToTime(task.CreatedAt)
	for _, at := range []*time.Time{task.PullStartedAt, task.PullStoppedAt, task.StartedAt, task.ExecutionStoppedAt, task.StoppingAt} {
		if t := aws.ToTime(at); t.After(last) {
			last = t
		}
	}
	return last
}

// taskStopped is the lastStatus of a task that is over. Developer guide, "Task
// lifecycle".
const taskStopped = "STOPPED"

// judgeTest says what a task means for the test run that it is: well done is one
// in which every container that git names ended with exit code 0. task is nil where
// ECS knows it no more.
func judgeTest(d slipway.Deployment, task *types.Task, logs tail, now time.Time) slipway.Observation {
	o := slipway.Observation{At: now, TaskDefinition: d.TaskDefinition, Tasks: slipway.TaskCounts{Desired: 1}}
	run := "the test run of " + lastPart(d.TaskDefinition)
	if task == nil {
		o.State, o.Reason = slipway.StateFailed, run+" ended too long ago: ECS forgets a task an hour after it has stopped; retry"
		return o
	}
	id := lastPart(d.TestTask)
	if status := aws.ToString(task.LastStatus); status != taskStopped {
		o.State, o.Waiting = slipway.StateProgressing, fmt.Sprintf("%s, task %s, is %s", run, id, status)
		if status == "RUNNING" {
			o.Tasks.Running = 1
		} else {
			o.Tasks.Pending = 1
		}
		return o
	}
	if task.StopCode == types.TaskStopCodeEssentialContainerExited && !slices.ContainsFunc(d.Images, func(i slipway.Image) bool { return !endedWell(task, i.Container) }) {
		o.State, o.Reason = slipway.StateTested, fmt.Sprintf("%s, task %s, ended with exit code 0", run, id)
		return o
	}
	cause := causeOf(task, nil)
	if cause == "" {
		cause = "it was stopped"
	}
	o.State, o.Tasks.Failed, o.Reason = slipway.StateFailed, 1, fmt.Sprintf("%s, task %s, failed: %s", run, id, cause)
	if len(logs.lines) > 0 {
		o.Reason += fmt.Sprintf("\nthe last lines of container %s in task %s:\n    %s", logs.container, logs.task, strings.Join(logs.lines, "\n    "))
	}
	return o
}

// endedWell reports whether a task's container has ended with exit code 0.
func endedWell(task *types.Task, container string) bool {
	return slices.ContainsFunc(task.Containers, func(c types.Container) bool {
		return aws.ToString(c.Name) == container && c.ExitCode != nil && *c.ExitCode == 0
	})
}
