package codepipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// Found is an app that an existing pipeline deploys.
type Found struct {
	Pipeline string
	App      slipway.App
	// Place is where the action says that it deploys.
	Place slipway.Place
	// Repository and Branch are the pipeline's CodeCommit source; empty with another.
	Repository, Branch string
	// Problem says why the app cannot be told; nil where it can.
	Problem error
}

// Discover returns the apps of all pipelines that deploy to ECS, by pipeline. It only
// reads.
func (c *Conductor) Discover(ctx context.Context) ([]Found, error) {
	api, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	pages := codepipeline.NewListPipelinesPaginator(api, &codepipeline.ListPipelinesInput{})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(err, "list the pipelines", "codepipeline:ListPipelines")
		}
		for _, summary := range out.Pipelines {
			names = append(names, aws.ToString(summary.Name))
		}
	}
	slices.Sort(names)
	found, failures := make([][]Found, len(names)), make([]error, len(names))
	each(len(names), func(i int) {
		out, err := api.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &names[i]})
		if err != nil {
			failures[i] = explain(err, "read the pipeline "+names[i], "codepipeline:GetPipeline")
			return
		}
		found[i] = discovered(*out.Pipeline)
	})
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(found...), nil
}

// discovered are the apps of one pipeline.
func discovered(declared types.PipelineDeclaration) (all []Found) {
	var repository, branch string
	for _, stage := range declared.Stages {
		for _, action := range stage.Actions {
			if action.ActionTypeId == nil {
				continue
			}
			if aws.ToString(action.ActionTypeId.Provider) == "CodeCommit" {
				repository, branch = action.Configuration["RepositoryName"], action.Configuration["BranchName"]
			}
			if f, deploys := deployed(action); deploys {
				f.Pipeline, f.Repository, f.Branch = aws.ToString(declared.Name), repository, branch
				all = append(all, f)
			}
		}
	}
	return all
}

// deployed is what an action deploys to ECS, if it does. An ECS action that reads
// another file than one app's revision.json is about the app that its service's names
// make.
func deployed(action types.ActionDeclaration) (Found, bool) {
	configuration := action.Configuration
	app, named := target(action)
	f := Found{App: app, Place: slipway.Place{Cluster: app.Cluster, Service: app.Name}}
	switch provider := aws.ToString(action.ActionTypeId.Provider); provider {
	case "ECS":
		f.Place = slipway.Place{Cluster: configuration["ClusterName"], Service: configuration["ServiceName"]}
		if !named {
			f.App = slipway.App{Cluster: f.Place.Cluster, Name: f.Place.Service}
		}
		if err := f.App.Validate(); err != nil {
			f.Problem = fmt.Errorf("its action %s names no service: %w", aws.ToString(action.Name), err)
		}
	case "CodeDeployToECS":
		f.Place.Kind = slipway.KindCodeDeploy
		f.Place.Application, f.Place.DeploymentGroup = configuration["ApplicationName"], configuration["DeploymentGroupName"]
		if !named {
			f.Problem = fmt.Errorf("its action %s says no more than CodeDeploy's application %s: add its app's revision.json by hand", aws.ToString(action.Name), f.Place.Application)
		}
	case "Lambda":
		return f, named && strings.Contains(configuration["UserParameters"], "commit")
	default:
		return f, false
	}
	return f, true
}
