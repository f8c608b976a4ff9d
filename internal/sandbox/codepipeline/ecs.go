package codepipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// deployECS deploys images to a service: it clones the task definition that the
// service runs, replaces the images that the file names, registers, updates the
// service, and waits until it is stable on that revision. A deployment that ECS
// rolls back is not noticed: the action goes on until it times out, as AWS's does
// (https://github.com/aws/containers-roadmap/issues/1399).
//
// Each step does one thing, which is noted before the next: a restart between
// them repeats none.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
func (s *Service) deployECS(ctx context.Context, w *work) outcome {
	switch {
	case w.progress.TaskDefinition == "":
		return w.register(ctx)
	case !w.progress.Updated:
		return w.updateService(ctx)
	}
	service, failed := w.service(ctx)
	if failed != nil {
		return *failed
	}
	if len(service.Deployments) == 1 && service.RunningCount == service.DesiredCount &&
		aws.ToString(service.TaskDefinition) == w.progress.TaskDefinition && aws.ToString(service.Deployments[0].TaskDefinition) == w.progress.TaskDefinition {
		return outcome{done: true}
	}
	return later(nil)
}

// service describes the service. AWS's texts for one that is not there are not
// known: these are ECS's.
func (w *work) service(ctx context.Context) (*ecstypes.Service, *outcome) {
	cluster, name := w.configuration["ClusterName"], w.configuration["ServiceName"]
	out, err := w.ports.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{name}})
	switch {
	case err != nil:
		failed := failure(codeConfiguration, "%s", message(err))
		return nil, &failed
	case len(out.Services) == 0 || aws.ToString(out.Services[0].Status) == "INACTIVE":
		failed := failure(codeConfiguration, "Service not found: cluster %s, service %s", cluster, name)
		return nil, &failed
	}
	return &out.Services[0], nil
}

// register registers the revision that is to be deployed.
func (w *work) register(ctx context.Context) outcome {
	images, failed := w.images(ctx)
	if failed != nil {
		return *failed
	}
	service, failed := w.service(ctx)
	if failed != nil {
		return *failed
	}
	document, tags, err := w.ports.ECS.DefinitionDocument(ctx, aws.ToString(service.TaskDefinition))
	if err != nil {
		return failure(codeConfiguration, "%s", message(err))
	}
	clone, err := cloned(document, tags, images)
	if err != nil {
		return failure(codeConfiguration, "%s", err)
	}
	arn, err := w.ports.ECS.RegisterDocument(ctx, clone)
	if err != nil {
		return failure(codeJobFailed, "%s", message(err))
	}
	return outcome{update: func(a *actionRun) { a.Progress.TaskDefinition = arn }}
}

// updateService has the service run the revision.
func (w *work) updateService(ctx context.Context) outcome {
	document, err := json.Marshal(map[string]string{
		"cluster": w.configuration["ClusterName"], "service": w.configuration["ServiceName"], "taskDefinition": w.progress.TaskDefinition,
	})
	if err != nil {
		return failure(codeJobFailed, "%s", err)
	}
	if err := w.ports.ECS.UpdateDocument(ctx, document); err != nil {
		return failure(codeJobFailed, "%s", message(err))
	}
	return later(func(a *actionRun) { a.Progress.Updated = true })
}

// image is an entry of an image definitions file.
type image struct {
	Name     string `json:"name"`
	ImageURI string `json:"imageUri"`
}

// imagesMost is how large an image definitions file may be, in bytes.
const imagesMost = 100 << 10

// images reads the image definitions file of the input artifact.
func (w *work) images(ctx context.Context) ([]image, *outcome) {
	name, in := cmp.Or(w.configuration["FileName"], "imagedefinitions.json"), w.inputs[0]
	refuse := func(format string, args ...any) ([]image, *outcome) {
		failed := failure(codeConfiguration, format, args...)
		return nil, &failed
	}
	content, err := w.file(ctx, in, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("Did not find the image definition file %s in the input artifacts ZIP file. Verify the file is stored in your pipeline's Amazon S3 artifact bucket: %s key: %s", name, in.Bucket, in.Key)
	case err != nil:
		return refuse("%s", err)
	case len(content) > imagesMost:
		return refuse("The image definition file %s is larger than 100 KB", name) // ours
	}
	var images []image
	if err := json.Unmarshal(content, &images); err != nil || slices.ContainsFunc(images, func(i image) bool { return i.Name == "" || i.ImageURI == "" }) {
		return refuse("The image definition file %s contains invalid JSON format", name)
	}
	return images, nil
}

// described are the members of a described task definition that cannot be
// registered again.
func described() []string {
	return []string{
		"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
		"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
	}
}

// cloned is the document that registers a task definition again with other images.
func cloned(document json.RawMessage, tags []ecstypes.Tag, images []image) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	for _, name := range described() {
		delete(members, name)
	}
	var containers []map[string]json.RawMessage
	if err := json.Unmarshal(members["containerDefinitions"], &containers); err != nil {
		return nil, err
	}
	for _, i := range images {
		quoted, err := json.Marshal(i.ImageURI)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(containers, func(c map[string]json.RawMessage) bool {
			var name string
			return json.Unmarshal(c["name"], &name) == nil && name == i.Name
		})
		if at < 0 {
			return nil, fmt.Errorf("The AWS ECS container %s does not exist", i.Name) //nolint:staticcheck // AWS's words
		}
		containers[at]["image"] = quoted
	}
	var err error
	if members["containerDefinitions"], err = json.Marshal(containers); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		list := make([]json.RawMessage, len(tags))
		for i := range tags {
			if list[i], err = awsjson.Marshal(&tags[i]); err != nil {
				return nil, err
			}
		}
		if members["tags"], err = json.Marshal(list); err != nil {
			return nil, err
		}
	}
	return json.Marshal(members)
}
