package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// toCodePipeline writes the variables of the module pipelines, which Terraform has to
// apply before anything is deployed again, and who conducts.
func (c *migrateCmd) toCodePipeline(ctx context.Context, e *env) (migrateAnswer, error) {
	repository, err := e.openRepository(ctx)
	if err != nil {
		return migrateAnswer{}, err
	}
	tree, err := repository.Tree(ctx, repository.Head())
	if err != nil {
		return migrateAnswer{}, err
	}
	apps := tree.Sorted()
	loaded, err := repository.Load(ctx, tree, apps...)
	if err != nil {
		return migrateAnswer{}, err
	}
	variables := pipelineVariables{
		Repository: codepipeline.RepositoryName(repository.String()), Branch: repository.Branch(), Pipelines: make(map[string]pipelineVariable, len(apps)),
	}
	settings, err := repository.Config(ctx, repository.Head())
	if err != nil {
		return migrateAnswer{}, err
	}
	settings.Conductor = files.Conductor(slipway.ConductorCodePipeline)
	var leftOut, toDo []string
	acts := e.target(e.warnings())
	for _, app := range apps {
		if settings.ConductorOf(app.Cluster) != slipway.ConductorCodePipeline {
			continue
		}
		of := loaded[app]
		err := of.Err
		var prepared slipway.Deployment
		if err == nil {
			prepared, _, err = acts.Plan(ctx, slipway.Deployment{App: app, Images: of.Revision.Images, Place: of.Pipeline.Place})
		}
		if err != nil {
			leftOut = append(leftOut, fmt.Sprintf("%s: %v", app, err))
			continue
		}
		key := app.Cluster + "-" + app.Name
		if other, has := variables.Pipelines[key]; has {
			leftOut = append(leftOut, fmt.Sprintf("%s: its pipeline would be called as that of %s/%s: rename a folder", app, other.Cluster, other.App))
			continue
		}
		variables.Pipelines[key] = variableOf(app, of.Pipeline, prepared)
		if of.Pipeline.Mode == slipway.ModeReplace {
			toDo = append(toDo, fmt.Sprintf("%s has the mode replace, which CodePipeline has not: a newer commit waits for the deployment that runs", app))
		}
	}
	text, err := json.MarshalIndent(variables, "", "  ")
	if err != nil {
		return migrateAnswer{}, err
	}
	text = append(text, '\n')
	if !c.DryRun {
		if err := os.WriteFile(c.Out, text, 0o644); err != nil {
			return migrateAnswer{}, fmt.Errorf("write the variables: %w", err)
		}
	}
	answer, err := c.conductedBy(ctx, e, slipway.ConductorCodePipeline)
	answer.LeftOut, answer.ToDo = leftOut, append(answer.ToDo, toDo...)
	answer.Files = append(answer.Files, migratedFile{c.Out, string(text)})
	return answer, err
}

// pipelineVariables are variables of the Terraform module pipelines.
type pipelineVariables struct {
	Repository string                      `json:"repository_name"`
	Branch     string                      `json:"branch"`
	Pipelines  map[string]pipelineVariable `json:"pipelines"`
}

type pipelineVariable struct {
	Cluster string `json:"cluster_name"`
	App     string `json:"app_name"`
	Service string `json:"service_name,omitempty"`
	Action  string `json:"action"`
	Timeout int    `json:"deployment_timeout,omitempty"` // in minutes
	Mode    string `json:"execution_mode,omitempty"`
}

// variableOf is an app's pipeline. CodePipeline's own action is for rolling updates of
// the service of the app's folder's cluster, in the pipeline's own region and account;
// everything else is for Slipway's function, which reads the app's settings itself.
func variableOf(app slipway.App, settings slipway.Pipeline, prepared slipway.Deployment) pipelineVariable {
	v := pipelineVariable{Cluster: app.Cluster, App: app.Name, Action: "Lambda"}
	place := prepared.Place
	here := place.Cluster == app.Cluster && place.Region == "" && place.RoleARN == "" && place.Endpoint == ""
	if place.Kind == slipway.KindService && (prepared.Strategy == "" || prepared.Strategy == slipway.StrategyRolling) && here {
		const most = time.Hour // of the action
		v.Action, v.Timeout = "ECS", int((min(time.Duration(settings.Timeout), most)+time.Minute-1)/time.Minute)
		if place.Service != app.Name {
			v.Service = place.Service
		}
	}
	if settings.Mode == slipway.ModeQueued {
		v.Mode = "QUEUED"
	}
	return v
}
