package codepipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
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
	// Unlike says what keeps the pipeline as it is from being conducted: what in it is
	// not as the Terraform modules make it. Its name is not looked at.
	Unlike []string
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
		found[i] = discovered(*out.Pipeline, api.Options().Region)
	})
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(found...), nil
}

// discovered are the apps of one pipeline of a region.
func discovered(declared types.PipelineDeclaration, region string) (all []Found) {
	var repository, branch string
	var unlike []string
	if declared.PipelineType != types.PipelineTypeV2 {
		unlike = append(unlike, "it is of type V1, which a push cannot start at its commit: make it V2")
	}
	for _, stage := range declared.Stages {
		for _, action := range stage.Actions {
			if action.ActionTypeId == nil {
				continue
			}
			if aws.ToString(action.ActionTypeId.Provider) == "CodeCommit" {
				repository, branch = action.Configuration["RepositoryName"], action.Configuration["BranchName"]
				if name := aws.ToString(action.Name); name != SourceAction {
					unlike = append(unlike, fmt.Sprintf("its source action is called %s: call it %s, at which pushes start it", name, SourceAction))
				}
			}
			f, deploys := deployed(action)
			if !deploys {
				continue
			}
			f.Pipeline, f.Repository, f.Branch = aws.ToString(declared.Name), repository, branch
			f.Unlike = slices.Concat(unlike, f.Unlike)
			if repository == "" {
				f.Unlike = append(f.Unlike, "its source is no repository of CodeCommit's: have it read the deployment repository")
			}
			f.elsewhere(declared, action, region)
			all = append(all, f)
		}
	}
	return all
}

// SourceAction is what the trigger function takes the pipelines' action to be called that
// reads the deployment repository.
const SourceAction = "Source"

// elsewhere says where the action deploys, if that is not the pipeline's own region. What
// is in another account, Slipway reaches by a role of its own that only people know.
func (f *Found) elsewhere(declared types.PipelineDeclaration, action types.ActionDeclaration, region string) {
	if other := aws.ToString(action.Region); other != "" && other != region {
		f.Place.Region = other
	}
	account := func(role *string) string {
		if parsed, err := arn.Parse(aws.ToString(role)); err == nil {
			return parsed.AccountID
		}
		return ""
	}
	if other := account(action.RoleArn); other != "" && other != account(declared.RoleArn) && f.Problem == nil {
		f.Problem = fmt.Errorf("its action %s deploys to the account %s: add its app's revision.json by hand, and the role to assume there under clusters in slipway.yaml", aws.ToString(action.Name), other)
	}
}

// deployed is what an action deploys to ECS, if it does. An ECS action that reads
// another file than one app's revision.json is about the app that its service's names
// make.
func deployed(action types.ActionDeclaration) (Found, bool) {
	configuration, name := action.Configuration, aws.ToString(action.Name)
	app, named := target(action)
	f := Found{App: app, Place: slipway.Place{Cluster: app.Cluster, Service: app.Name}}
	switch provider := aws.ToString(action.ActionTypeId.Provider); provider {
	case "ECS":
		f.Place = slipway.Place{Cluster: configuration["ClusterName"], Service: configuration["ServiceName"]}
		if !named {
			f.App = slipway.App{Cluster: f.Place.Cluster, Name: f.Place.Service}
			f.Unlike = []string{fmt.Sprintf("its action %s reads %s: have it read %s", name, cmp.Or(configuration["FileName"], "imagedefinitions.json"), f.App.RevisionPath())}
		}
		if err := f.App.Validate(); err != nil {
			f.Problem = fmt.Errorf("its action %s names no service: %w", name, err)
		}
	case "CodeDeployToECS":
		f.Place.Kind = slipway.KindCodeDeploy
		f.Place.Application, f.Place.DeploymentGroup = configuration["ApplicationName"], configuration["DeploymentGroupName"]
		if !named {
			f.Problem = fmt.Errorf("its action %s says no more than CodeDeploy's application %s: add its app's revision.json by hand", name, f.Place.Application)
		}
	case "Lambda":
		return f, named && strings.Contains(configuration["UserParameters"], "commit")
	default:
		return f, false
	}
	return f, true
}
