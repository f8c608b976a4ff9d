package codepipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// structure is what is known of an app's pipeline in CodePipeline.
type structure struct {
	name string
	// source is the name of the action that reads the repository.
	source string
	// pinned reports whether an execution can be started at a commit: V2 pipelines
	// alone have source overrides.
	pinned bool
	// timeouts are how long manual approvals wait that say so, by their hooks' ids.
	timeouts map[string]time.Duration
}

// pipeline finds an app's pipeline by its name. One whose deploy action is about
// another app is an error: names can be ambiguous, and nothing may be done to it.
func (c *Conductor) pipeline(ctx context.Context, app slipway.App, settings slipway.Pipeline) (structure, error) {
	name := c.pipelineName(app, settings)
	return c.cache.pipelines.get(app.String()+" "+name, func() (structure, error) {
		api, err := c.client(ctx)
		if err != nil {
			return structure{}, err
		}
		out, err := api.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &name})
		if err != nil {
			return structure{}, explain(err, fmt.Sprintf("read the pipeline %s of %s", name, app), "codepipeline:GetPipeline")
		}
		found, err := read(*out.Pipeline, app)
		if err != nil {
			return structure{}, &slipway.Error{
				Next: slipway.NextPerson, Message: fmt.Sprintf("the pipeline %s is not one of %s: %v", name, app, err),
				Hint: "correct pipelineName in slipway.yaml, or the pipeline",
			}
		}
		return found, nil
	})
}

// read finds an app's source and deploy actions in a pipeline's structure. The error
// says why it is not the app's.
func read(declared types.PipelineDeclaration, app slipway.App) (structure, error) {
	p := structure{name: aws.ToString(declared.Name), pinned: declared.PipelineType == types.PipelineTypeV2, timeouts: map[string]time.Duration{}}
	var deploys string // the action
	var others []string
	for _, stage := range declared.Stages {
		for _, action := range stage.Actions {
			if action.ActionTypeId == nil {
				continue
			}
			if action.ActionTypeId.Category == types.ActionCategorySource && p.source == "" {
				p.source = aws.ToString(action.Name)
			}
			if action.TimeoutInMinutes != nil {
				p.timeouts[approvalID(aws.ToString(stage.Name), aws.ToString(action.Name))] = time.Duration(*action.TimeoutInMinutes) * time.Minute
			}
			of, does := target(action)
			switch {
			case !does:
			case of == app && deploys != "":
				return p, fmt.Errorf("it deploys the app twice, in the actions %s and %s", deploys, aws.ToString(action.Name))
			case of == app:
				deploys = aws.ToString(action.Name)
			default:
				others = append(others, of.String())
			}
		}
	}
	switch {
	case deploys == "" && len(others) > 0:
		return p, fmt.Errorf("it deploys %s", strings.Join(others, ", "))
	case deploys == "":
		return p, fmt.Errorf("it has no action that deploys a revision.json: neither ECS, nor CodeDeployToECS, nor a Lambda function with UserParameters of Slipway's")
	}
	return p, nil
}

// target is the app whose revision.json an action deploys, if it does. CodeDeploy's
// action names no such file: its artifact holds the app's folder, which the name of
// the artifact's template says, "<cluster>/<app>/taskdef.json".
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
func target(action types.ActionDeclaration) (slipway.App, bool) {
	configuration := action.Configuration
	switch aws.ToString(action.ActionTypeId.Provider) {
	case "ECS":
		app, ok := folder(configuration["FileName"])
		return app, ok && app.RevisionPath() == configuration["FileName"]
	case "CodeDeployToECS":
		return folder(configuration["TaskDefinitionTemplatePath"])
	case "Lambda":
		var parameters struct{ Cluster, App string }
		if json.Unmarshal([]byte(configuration["UserParameters"]), &parameters) != nil {
			return slipway.App{}, false
		}
		app := slipway.App{Cluster: parameters.Cluster, Name: parameters.App}
		return app, app.Validate() == nil
	}
	return slipway.App{}, false
}

// folder is the app whose folder a file is in.
func folder(path string) (slipway.App, bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return slipway.App{}, false
	}
	app := slipway.App{Cluster: parts[0], Name: parts[1]}
	return app, app.Validate() == nil
}
