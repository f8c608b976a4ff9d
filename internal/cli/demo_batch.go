package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// batch tells of an app that a rule of EventBridge runs: the rule is moved to a new
// task definition, and what it runs next is the new version.
func (d *demo) batch(ctx context.Context) error {
	app := slipway.App{Cluster: "cluster1", Name: "batchapp1"}
	x, err := d.play(ctx, d.deploys(app, "1.1.0"), nil)
	if err != nil {
		return err
	}
	for _, target := range x.Deployment.Targets {
		d.say("moved: %s, which ran %s before", target.Name, lastPart(target.Before))
	}
	if len(x.Deployment.Targets) == 0 {
		return fmt.Errorf("nothing was moved")
	}
	config, err := sandboxConfig(d.sandbox.endpoints.AWS)(ctx, "")
	if err != nil {
		return err
	}
	code, err := ranBy(ctx, ecs.NewFromConfig(config), app, x.Deployment.TaskDefinition)
	if err != nil {
		return fmt.Errorf("wait for the next run of %s: %w", app, err)
	}
	d.say("the rule ran %s on time, and its task ended with exit code %d", lastPart(x.Deployment.TaskDefinition), code)
	if code != 0 {
		return fmt.Errorf("the task of %s ended with exit code %d", app, code)
	}
	return nil
}

// ranBy waits until a task of a task definition has ended by itself, and returns its
// exit code.
func ranBy(ctx context.Context, client *ecs.Client, app slipway.App, taskDefinition string) (int32, error) {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	for {
		list, err := client.ListTasks(ctx, &ecs.ListTasksInput{
			Cluster: aws.String(app.Cluster), Family: aws.String(app.Cluster + "-" + app.Name), DesiredStatus: types.DesiredStatusStopped,
		})
		if err != nil {
			return 0, err
		}
		if len(list.TaskArns) > 0 {
			out, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(app.Cluster), Tasks: list.TaskArns})
			if err != nil {
				return 0, err
			}
			for _, task := range out.Tasks {
				if aws.ToString(task.TaskDefinitionArn) == taskDefinition && len(task.Containers) > 0 && task.Containers[0].ExitCode != nil {
					return *task.Containers[0].ExitCode, nil
				}
			}
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
}
