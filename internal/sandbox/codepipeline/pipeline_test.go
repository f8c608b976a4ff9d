package codepipeline_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func second[T any](_ T, err error) error { return err }

func TestPipelines(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		ctx := t.Context()
		r.repository.commit("Deploy 1.1", revision("1.1"))
		d := declaration(stage("Deploy", deployAction(nil)))
		d.PipelineType = ""
		created, err := r.CreatePipeline(ctx, &sdk.CreatePipelineInput{Pipeline: d, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}})
		if err != nil {
			t.Fatal(err)
		}
		p := created.Pipeline
		if *p.Version != 1 || p.ExecutionMode != types.ExecutionModeSuperseded || p.PipelineType != types.PipelineTypeV1 || *p.Stages[1].Actions[0].RunOrder != 1 || len(created.Tags) != 1 {
			t.Errorf("%+v", created)
		}
		_, err = r.CreatePipeline(ctx, &sdk.CreatePipelineInput{Pipeline: d})
		r.refused(err, "PipelineNameInUseException", "already exists")

		// Update replaces the structure, and cancels what runs.
		running := *r.executions()[0].PipelineExecutionId
		d.Stages[1].Name = aws.String("Production")
		updated, err := r.UpdatePipeline(ctx, &sdk.UpdatePipelineInput{Pipeline: d})
		if err != nil || *updated.Pipeline.Version != 2 {
			t.Fatal(updated, err)
		}
		if got := r.get(running); got.Status != types.PipelineExecutionStatusCancelled || *got.PipelineVersion != 1 {
			t.Errorf("%+v", got)
		}
		got, err := r.GetPipeline(ctx, &sdk.GetPipelineInput{Name: aws.String(name)})
		if err != nil || *got.Pipeline.Stages[1].Name != "Production" || *got.Metadata.PipelineArn != "arn:aws:codepipeline:ca-central-1:111122223333:"+name || got.Metadata.Created == nil {
			t.Error(got, err)
		}
		got, err = r.GetPipeline(ctx, &sdk.GetPipelineInput{Name: aws.String(name), Version: aws.Int32(1)})
		if err != nil || *got.Pipeline.Stages[1].Name != "Deploy" {
			t.Error(got, err)
		}
		_, err = r.GetPipeline(ctx, &sdk.GetPipelineInput{Name: aws.String(name), Version: aws.Int32(3)})
		r.refused(err, "PipelineVersionNotFoundException", "")

		for _, other := range []string{"b", "a", "c"} {
			d.Name = aws.String(other)
			if _, err := r.CreatePipeline(ctx, &sdk.CreatePipelineInput{Pipeline: d}); err != nil {
				t.Fatal(err)
			}
		}
		var names []string
		pages := sdk.NewListPipelinesPaginator(r.Client, &sdk.ListPipelinesInput{MaxResults: aws.Int32(3)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Pipelines {
				names = append(names, *p.Name)
			}
		}
		if want := []string{"a", "b", "c", name}; !slices.Equal(names, want) {
			t.Errorf("pipelines %v, want %v", names, want)
		}
		for range 2 { // deleting what is gone is fine
			if _, err := r.DeletePipeline(ctx, &sdk.DeletePipelineInput{Name: aws.String("a")}); err != nil {
				t.Fatal(err)
			}
		}
		_, err = r.GetPipeline(ctx, &sdk.GetPipelineInput{Name: aws.String("a")})
		r.refused(err, "PipelineNotFoundException", "Account '111122223333' does not have a pipeline with name 'a'")
	})
}

func TestTags(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		ctx := t.Context()
		r.create(declaration(stage("Deploy", deployAction(nil))))
		arn := aws.String("arn:aws:codepipeline:ca-central-1:111122223333:" + name)
		if _, err := r.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		out, err := r.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: arn})
		if err != nil || len(out.Tags) != 1 || *out.Tags[0].Key != "b" || *out.Tags[0].Value != "2" {
			t.Error(out, err)
		}
		r.refused(second(r.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}})), "InvalidTagsException", "")
		r.refused(second(r.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: aws.String(*arn + "x")})), "ResourceNotFoundException", "")
		r.refused(second(r.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: aws.String("x")})), "InvalidArnException", "")
	})
}

// TestStructure: what a pipeline cannot be, in AWS's words.
func TestStructure(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		for what, c := range map[string]struct {
			change      func(d *types.PipelineDeclaration)
			code, words string
		}{
			"name":      {func(d *types.PipelineDeclaration) { d.Name = aws.String("a b") }, "ValidationException", "Value 'a b' at 'pipeline.name'"},
			"long name": {func(d *types.PipelineDeclaration) { d.Name = aws.String(strings.Repeat("a", 101)) }, "ValidationException", "less than or equal to 100"},
			"role":      {func(d *types.PipelineDeclaration) { d.RoleArn = aws.String("x") }, "ValidationException", "pipeline.roleArn"},
			"no store":  {func(d *types.PipelineDeclaration) { d.ArtifactStore = nil }, "ValidationException", "pipeline.artifactStore"},
			"other region's store": {func(d *types.PipelineDeclaration) {
				d.ArtifactStores = map[string]types.ArtifactStore{"eu-west-1": *d.ArtifactStore}
			}, "InvalidStructureException", "The following region is missing in 'pipeline.artifactStores': ca-central-1."},
			"one stage": {func(d *types.PipelineDeclaration) { d.Stages = d.Stages[:1] }, "InvalidStructureException", "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline"},
			"51 stages": {func(d *types.PipelineDeclaration) {
				for i := range 49 {
					d.Stages = append(d.Stages, stage(fmt.Sprint("s", i), deployAction(nil)))
				}
			}, "InvalidStructureException", "Pipeline has too many stages. There can only be up to 50 stages in a pipeline"},
			"stages' names": {func(d *types.PipelineDeclaration) { d.Stages[1].Name = aws.String("Source") }, "InvalidStageDeclarationException", "Stage name 'Source' is used more than once"},
			"actions' names": {func(d *types.PipelineDeclaration) {
				d.Stages[1].Actions = append(d.Stages[1].Actions, deployAction(nil))
			}, "InvalidActionDeclarationException", "'Deploy' is used more than once"},
			"no action":   {func(d *types.PipelineDeclaration) { d.Stages[1].Actions = []types.ActionDeclaration{} }, "InvalidStageDeclarationException", "0 actions"},
			"no source":   {func(d *types.PipelineDeclaration) { d.Stages[0].Actions[0] = deployAction(nil) }, "InvalidStructureException", "Pipeline should start with a stage that only contains source actions"},
			"late source": {func(d *types.PipelineDeclaration) { d.Stages = append(d.Stages, stage("More", sourceAction())) }, "InvalidStructureException", "Source actions can only be included in the first stage of the pipeline"},
			"no such type": {func(d *types.PipelineDeclaration) {
				d.Stages[1].Actions[0].ActionTypeId.Provider = aws.String("Heroku")
			}, "InvalidActionDeclarationException", "ActionType (Category: 'Deploy', Provider: 'Heroku', Owner: 'AWS', Version: '1') in action 'Deploy' is not available in region"},
			"configuration":         {func(d *types.PipelineDeclaration) { delete(d.Stages[1].Actions[0].Configuration, "ServiceName") }, "InvalidActionDeclarationException", "Action configuration for action 'Deploy' is missing required configuration 'ServiceName'"},
			"unknown configuration": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].Configuration["Servicename"] = "x" }, "InvalidActionDeclarationException", "contains unknown configuration 'Servicename'"},
			"artifact of nobody": {func(d *types.PipelineDeclaration) {
				d.Stages[1].Actions[0].InputArtifacts[0].Name = aws.String("other")
			}, "InvalidActionDeclarationException", "Input Artifact Bundle other in action Deploy is not declared as Output Artifact Bundle in any of the preceding actions"},
			"no artifact": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].InputArtifacts = nil }, "InvalidActionDeclarationException", "0 input artifacts, and its type takes 1"},
			"artifact twice": {func(d *types.PipelineDeclaration) {
				more := sourceAction()
				more.Name, more.Namespace = aws.String("More"), nil
				d.Stages[0].Actions = append(d.Stages[0].Actions, more)
			}, "InvalidActionDeclarationException", "Output Artifact Bundle name must be unique within the pipeline. source_output has been used more than once."},
			"namespace twice": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].Namespace = aws.String("SourceVariables") }, "InvalidActionDeclarationException", "Namespaces must be unique across the pipeline definition."},
			"runOrder":        {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].RunOrder = aws.Int32(1000) }, "ValidationException", "runOrder"},
			"variable twice": {func(d *types.PipelineDeclaration) {
				d.Variables = []types.PipelineVariableDeclaration{{Name: aws.String("a")}, {Name: aws.String("a")}}
			}, "InvalidStructureException", "Variable names must be unique. The following variable name is already in use: a"},
			"V1 with variables": {func(d *types.PipelineDeclaration) {
				d.PipelineType, d.Variables = types.PipelineTypeV1, []types.PipelineVariableDeclaration{{Name: aws.String("a")}}
			}, "InvalidStructureException", "Pipeline variable can only be used with V2 pipelines"},
			"V1 that queues": {func(d *types.PipelineDeclaration) {
				d.PipelineType, d.ExecutionMode = types.PipelineTypeV1, types.ExecutionModeQueued
			}, "InvalidStructureException", "QUEUED or PARALLEL mode can only be used with V2 pipelines"},
			"PARALLEL": {func(d *types.PipelineDeclaration) { d.ExecutionMode = types.ExecutionModeParallel }, "InvalidStructureException", "The sandbox has no PARALLEL mode"},
			"conditions": {func(d *types.PipelineDeclaration) {
				d.Stages[1].OnSuccess = &types.SuccessConditions{Conditions: []types.Condition{}}
			}, "InvalidStageDeclarationException", "The sandbox has no conditions of stages"},
		} {
			d := declaration(stage("Deploy", deployAction(nil)))
			c.change(d)
			_, err := r.CreatePipeline(t.Context(), &sdk.CreatePipelineInput{Pipeline: d})
			r.refused(err, c.code, c.words, what)
		}
	})
}

// TestStart: what an execution can be started with.
func TestStart(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		ctx := t.Context()
		commit := r.repository.commit("Deploy 1.1", revision("1.1"))
		d := declaration(stage("Deploy", deployAction(map[string]string{"ServiceName": "#{variables.service}"})))
		d.Variables = []types.PipelineVariableDeclaration{{Name: aws.String("service"), DefaultValue: aws.String("webapp1")}}
		first := r.ready(d)
		token := aws.String("deployment-master-webapp1-" + commit)
		var ids []string
		for range 2 {
			out, err := r.StartPipelineExecution(ctx, &sdk.StartPipelineExecutionInput{
				Name: aws.String(name), ClientRequestToken: token, Variables: []types.PipelineVariable{{Name: aws.String("service"), Value: aws.String("other")}},
			})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, *out.PipelineExecutionId)
		}
		if ids[0] != ids[1] || ids[0] == first || len(r.executions()) != 2 {
			t.Errorf("started %v", ids)
		}
		r.ends(ids[0], types.PipelineExecutionStatusFailed) // there is no service other
		if got := r.get(ids[0]).Variables; len(got) != 1 || *got[0].ResolvedValue != "other" {
			t.Errorf("variables %+v", got)
		}
		if got := r.actions(ids[0])[0].Input; got.ResolvedConfiguration["ServiceName"] != "other" || got.Configuration["ServiceName"] != "#{variables.service}" {
			t.Errorf("%+v", got)
		}
		for what, c := range map[string]struct {
			change      func(in *sdk.StartPipelineExecutionInput)
			code, words string
		}{
			"no pipeline": {func(in *sdk.StartPipelineExecutionInput) { in.Name = aws.String("x") }, "PipelineNotFoundException", ""},
			"token":       {func(in *sdk.StartPipelineExecutionInput) { in.ClientRequestToken = aws.String("a/b") }, "ValidationException", "clientRequestToken"},
			"no action":   {func(in *sdk.StartPipelineExecutionInput) { in.SourceRevisions[0].ActionName = aws.String("x") }, "ValidationException", "source action with name 'x'"},
			"no commit":   {func(in *sdk.StartPipelineExecutionInput) { in.SourceRevisions[0].RevisionValue = aws.String("main") }, "ValidationException", "not a full commit ID"},
			"image digest": {func(in *sdk.StartPipelineExecutionInput) {
				in.SourceRevisions[0].RevisionType = types.SourceRevisionTypeImageDigest
			}, "ValidationException", "IMAGE_DIGEST"},
			"no variable": {func(in *sdk.StartPipelineExecutionInput) {
				in.Variables = []types.PipelineVariable{{Name: aws.String("x"), Value: aws.String("y")}}
			}, "ValidationException", "variable with name 'x'"},
		} {
			in := &sdk.StartPipelineExecutionInput{Name: aws.String(name), SourceRevisions: []types.SourceRevisionOverride{
				{ActionName: aws.String("Source"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &commit},
			}}
			c.change(in)
			_, err := r.StartPipelineExecution(ctx, in)
			r.refused(err, c.code, c.words, what)
		}
		if n := len(r.executions()); n != 2 {
			t.Errorf("%d executions after refusals", n)
		}
	})
}
