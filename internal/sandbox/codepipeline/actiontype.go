package codepipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// actionType is a kind of action that there is.
type actionType struct {
	category types.ActionCategory
	provider string
	// inputs and outputs are how many artifacts there are at least and at most.
	inputs, outputs [2]int
	// required and optional are the keys of the configuration.
	required, optional []string
	// timeout is after which time the action fails, whatever it does.
	timeout time.Duration
	// step works on the action: see work.
	step func(*Service, context.Context, *work) outcome
}

// actionTypes are all kinds. The numbers of artifacts are in
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html,
// the times in https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html,
// and the configurations in each action's reference there.
func actionTypes() []actionType {
	return []actionType{
		{
			category: types.ActionCategorySource, provider: "CodeCommit", outputs: [2]int{1, 1}, timeout: time.Hour, step: (*Service).source,
			required: []string{"BranchName", "RepositoryName"}, optional: []string{"OutputArtifactFormat", "PollForSourceChanges"},
		},
		{
			category: types.ActionCategoryDeploy, provider: "ECS", inputs: [2]int{1, 1}, timeout: time.Hour, step: (*Service).deployECS,
			required: []string{"ClusterName", "ServiceName"}, optional: []string{"DeploymentTimeout", "FileName"},
		},
		{
			category: types.ActionCategoryDeploy, provider: "CodeDeployToECS", inputs: [2]int{1, 5}, timeout: codeDeployTimeout, step: (*Service).deployByCodeDeploy,
			required: []string{"AppSpecTemplateArtifact", "ApplicationName", "DeploymentGroupName", "TaskDefinitionTemplateArtifact"},
			optional: []string{
				"AppSpecTemplatePath", "TaskDefinitionTemplatePath", "Image1ArtifactName", "Image1ContainerName", "Image2ArtifactName", "Image2ContainerName",
				"Image3ArtifactName", "Image3ContainerName", "Image4ArtifactName", "Image4ContainerName",
			},
		},
		{
			category: types.ActionCategoryInvoke, provider: "Lambda", inputs: [2]int{0, 5}, outputs: [2]int{0, 5}, timeout: invokeTimeout, step: (*Service).invoke,
			required: []string{"FunctionName"}, optional: []string{"UserParameters"},
		},
		{
			category: types.ActionCategoryApproval, provider: "Manual", timeout: approvalTimeout, step: (*Service).approve,
			optional: []string{"CustomData", "ExternalEntityLink", "NotificationArn"},
		},
	}
}

// typeOf finds the kind of an action.
func typeOf(id *types.ActionTypeId) (actionType, bool) {
	if id == nil || id.Owner != types.ActionOwnerAws || aws.ToString(id.Version) != "1" {
		return actionType{}, false
	}
	all := actionTypes()
	i := slices.IndexFunc(all, func(t actionType) bool { return t.category == id.Category && t.provider == aws.ToString(id.Provider) })
	if i < 0 {
		return actionType{}, false
	}
	return all[i], true
}

// check says what is wrong with an action of this kind. The texts about the
// configuration are AWS's, those about numbers of artifacts ours.
func (t actionType) check(a *types.ActionDeclaration) error {
	for _, key := range t.required {
		if a.Configuration[key] == "" {
			return errAction("Action configuration for action '%s' is missing required configuration '%s'", *a.Name, key)
		}
	}
	for key, value := range a.Configuration {
		if !slices.Contains(t.required, key) && !slices.Contains(t.optional, key) {
			return errAction("Action configuration for action '%s' contains unknown configuration '%s'", *a.Name, key)
		}
		if len(value) > configurationMost {
			return errAction("Action configuration for action '%s' has a value of more than %d characters for '%s'", *a.Name, configurationMost, key)
		}
	}
	if err := between(a, "input", len(a.InputArtifacts), t.inputs); err != nil {
		return err
	}
	return between(a, "output", len(a.OutputArtifacts), t.outputs)
}

// configurationMost is how many characters a value of a configuration has at most.
const configurationMost = 1000

func between(a *types.ActionDeclaration, what string, n int, bounds [2]int) error {
	if n >= bounds[0] && n <= bounds[1] {
		return nil
	}
	want := fmt.Sprintf("%d to %d", bounds[0], bounds[1])
	if bounds[0] == bounds[1] {
		want = fmt.Sprint(bounds[0])
	}
	return errAction("Action '%s' has %d %s artifacts, and its type takes %s", *a.Name, n, what, want)
}

func errAction(format string, args ...any) error {
	return errCoded("InvalidActionDeclarationException", format, args...)
}
