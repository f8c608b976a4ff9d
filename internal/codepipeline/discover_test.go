package codepipeline

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// What pipelines that people made by hand deploy, and what in them is not as the
// Terraform modules make it.
func TestDiscovered(t *testing.T) {
	t.Parallel()
	action := func(name, provider string, configuration ...string) types.ActionDeclaration {
		a := types.ActionDeclaration{Name: &name, ActionTypeId: &types.ActionTypeId{Provider: &provider}, Configuration: map[string]string{}}
		for i := 0; i < len(configuration); i += 2 {
			a.Configuration[configuration[i]] = configuration[i+1]
		}
		return a
	}
	source := action("Source", "CodeCommit", "RepositoryName", "deployment", "BranchName", "main")
	ecs := func(name, service, file string) types.ActionDeclaration {
		return action(name, "ECS", "ClusterName", "prod", "ServiceName", service, "FileName", file)
	}
	abroad, foreign := ecs("Deploy", "web", "prod/web/revision.json"), ecs("Deploy", "web", "prod/web/revision.json")
	abroad.Region = aws.String("us-east-1")
	foreign.RoleArn = aws.String("arn:aws:iam::444455556666:role/deployer")
	for name, test := range map[string]struct {
		source  types.ActionDeclaration
		deploys []types.ActionDeclaration
		v1      bool
		want    string // apps, their places, and what is to be done
	}{
		"as the modules make it":        {source, []types.ActionDeclaration{ecs("Deploy", "web", "prod/web/revision.json")}, false, "prod/web=prod/web"},
		"a service of another name":     {source, []types.ActionDeclaration{ecs("Deploy", "web-service", "prod/web/revision.json")}, false, "prod/web=prod/web-service"},
		"the default file":              {source, []types.ActionDeclaration{action("Go", "ECS", "ClusterName", "prod", "ServiceName", "web")}, false, "prod/web=prod/web [its action Go reads imagedefinitions.json: have it read prod/web/revision.json]"},
		"another file in two folders":   {source, []types.ActionDeclaration{ecs("Deploy", "web", "build/out/images.json")}, false, "prod/web=prod/web [its action Deploy reads build/out/images.json: have it read prod/web/revision.json]"},
		"several actions":               {source, []types.ActionDeclaration{ecs("A", "web", "prod/web/revision.json"), ecs("B", "worker", "prod/worker/revision.json")}, false, "prod/web=prod/web, prod/worker=prod/worker"},
		"in another region":             {source, []types.ActionDeclaration{abroad}, false, "prod/web=prod/web in us-east-1"},
		"in another account":            {source, []types.ActionDeclaration{foreign}, false, "prod/web: its action Deploy deploys to the account 444455556666: add"},
		"of type V1, with other names":  {action("Fetch", "CodeCommit", "RepositoryName", "deployment"), []types.ActionDeclaration{ecs("Deploy", "web", "prod/web/revision.json")}, true, "prod/web=prod/web [it is of type V1, which a push cannot start at its commit: make it V2; its source action is called Fetch: call it Source, at which pushes start it]"},
		"from S3":                       {action("Source", "S3"), []types.ActionDeclaration{ecs("Deploy", "web", "prod/web/revision.json")}, false, "prod/web=prod/web [its source is no repository of CodeCommit's: have it read the deployment repository]"},
		"a service that a variable has": {source, []types.ActionDeclaration{ecs("Deploy", "#{variables.service}", "images.json")}, false, "prod/#{variables.service}: its action Deploy names no service"},
		"CodeDeploy's":                  {source, []types.ActionDeclaration{action("Deploy", "CodeDeployToECS", "ApplicationName", "shop", "DeploymentGroupName", "web", "TaskDefinitionTemplatePath", "prod/web/taskdef.json")}, false, "prod/web=prod/web"},
		"CodeDeploy's, of no app":       {source, []types.ActionDeclaration{action("Deploy", "CodeDeployToECS", "ApplicationName", "shop", "TaskDefinitionTemplatePath", "taskdef.json")}, false, ": its action Deploy says no more than CodeDeploy's application shop"},
		"somebody's function":           {source, []types.ActionDeclaration{action("Notify", "Lambda", "FunctionName", "notify", "UserParameters", `{"channel":"ops"}`)}, false, ""},
	} {
		declared := types.PipelineDeclaration{
			Name: aws.String("release"), PipelineType: types.PipelineTypeV2, RoleArn: aws.String("arn:aws:iam::111122223333:role/pipelines"),
			Stages: []types.StageDeclaration{{Actions: []types.ActionDeclaration{test.source}}, {Actions: test.deploys}},
		}
		if test.v1 {
			declared.PipelineType = types.PipelineTypeV1
		}
		var got []string
		for _, f := range discovered(declared, "eu-west-1") {
			got = append(got, shown(f))
		}
		if text := strings.Join(got, ", "); text != test.want && (test.want == "" || !strings.Contains(test.want, ": its action") || !strings.HasPrefix(text, test.want)) {
			t.Errorf("%s:\n got %s\nwant %s", name, text, test.want)
		}
	}
}

func shown(f Found) string {
	if f.Problem != nil {
		return f.App.String() + ": " + f.Problem.Error()
	}
	text := f.App.String() + "=" + slipway.App{Cluster: f.Place.Cluster, Name: f.Place.Service}.String()
	if f.Place.Region != "" {
		text += " in " + f.Place.Region
	}
	if len(f.Unlike) > 0 {
		text += " [" + strings.Join(f.Unlike, "; ") + "]"
	}
	return text
}
