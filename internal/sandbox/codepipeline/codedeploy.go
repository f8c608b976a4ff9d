package codepipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// codeDeployTimeout is how long a CodeDeployToECS action may take.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const codeDeployTimeout = 5 * 24 * time.Hour

// templateMost is how large a template may be, in bytes.
const templateMost = 3 << 20

// deployByCodeDeploy registers the task definition of a template and has
// CodeDeploy deploy it by the AppSpec of another.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
func (s *Service) deployByCodeDeploy(ctx context.Context, w *work) outcome {
	switch {
	case w.progress.TaskDefinition == "":
		return w.registerTemplate(ctx)
	case w.progress.Deployment == "":
		return s.deployment(ctx, w)
	}
	out, err := w.ports.CodeDeploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &w.progress.Deployment})
	if err != nil {
		return failure(codeJobFailed, "%s", message(err))
	}
	switch info := out.DeploymentInfo; info.Status {
	case deploytypes.DeploymentStatusSucceeded:
		return outcome{done: true, update: func(a *actionRun) { a.Summary = "Deployment " + w.progress.Deployment + " succeeded" }}
	case deploytypes.DeploymentStatusFailed, deploytypes.DeploymentStatusStopped:
		why := "Deployment " + w.progress.Deployment + " failed"
		if info.ErrorInformation != nil {
			why = aws.ToString(info.ErrorInformation.Message)
		}
		return failure(codeJobFailed, "%s", why)
	default:
		return later(nil)
	}
}

// registerTemplate puts the images into the task definition, and registers it.
func (w *work) registerTemplate(ctx context.Context) outcome {
	name := w.configuration["TaskDefinitionTemplateArtifact"]
	template, err := w.template(ctx, name, cmp.Or(w.configuration["TaskDefinitionTemplatePath"], "taskdef.json"))
	if err != nil {
		return failure(codeConfiguration, "Exception while trying to read the task definition artifact file from: %s", name)
	}
	for n := 1; n <= imagesOfCodeDeploy; n++ {
		from, placeholder := w.configuration[fmt.Sprintf("Image%dArtifactName", n)], w.configuration[fmt.Sprintf("Image%dContainerName", n)]
		if from == "" || placeholder == "" {
			continue
		}
		var detail struct{ ImageURI string }
		content, err := w.template(ctx, from, "imageDetail.json")
		if err == nil {
			err = json.Unmarshal(content, &detail)
		}
		if err != nil || detail.ImageURI == "" {
			return failure(codeConfiguration, "Exception while trying to read the image artifact file from the artifact: %s", from)
		}
		template = bytes.ReplaceAll(template, []byte("<"+placeholder+">"), []byte(detail.ImageURI))
	}
	if !json.Valid(template) {
		return failure(codeConfiguration, "The task definition of the artifact %s is not a JSON document", name) // ours
	}
	arn, err := w.ports.ECS.RegisterDocument(ctx, template)
	if err != nil {
		return failure(codeJobFailed, "%s", message(err))
	}
	return outcome{update: func(a *actionRun) { a.Progress.TaskDefinition = arn }}
}

// imagesOfCodeDeploy is how many images the configuration has.
const imagesOfCodeDeploy = 4

// deployment begins CodeDeploy's deployment.
func (s *Service) deployment(ctx context.Context, w *work) outcome {
	name := w.configuration["AppSpecTemplateArtifact"]
	template, err := w.template(ctx, name, cmp.Or(w.configuration["AppSpecTemplatePath"], "appspec.yaml"))
	if err != nil {
		return failure(codeConfiguration, "Exception while trying to read the appspec artifact file from: %s", name)
	}
	content := string(bytes.ReplaceAll(template, []byte("<TASK_DEFINITION>"), []byte(w.progress.TaskDefinition)))
	out, err := w.ports.CodeDeploy.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String(w.configuration["ApplicationName"]), DeploymentGroupName: aws.String(w.configuration["DeploymentGroupName"]),
		Revision: &deploytypes.RevisionLocation{
			RevisionType: deploytypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &deploytypes.AppSpecContent{Content: &content},
		},
	})
	if err != nil {
		return failure(codeJobFailed, "%s", message(err))
	}
	id := *out.DeploymentId
	return later(func(a *actionRun) {
		a.Progress.Deployment, a.ExternalID = id, id
		a.ExternalURL = fmt.Sprintf("https://console.aws.amazon.com/codesuite/codedeploy/deployments/%s?region=%s", id, s.options.Region)
	})
}

// template reads a file of an input artifact, by the artifact's name.
func (w *work) template(ctx context.Context, name, path string) ([]byte, error) {
	i := slices.IndexFunc(w.inputs, func(a artifact) bool { return a.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no input artifact %s", name)
	}
	content, err := w.file(ctx, w.inputs[i], path)
	if err == nil && len(content) > templateMost {
		err = fmt.Errorf("%s is larger than 3 MB", path)
	}
	return content, err
}
