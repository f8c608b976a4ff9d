package controlplane

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// The actions that CodePipeline calls, for one that runs in this process. They
// take and return documents, so that nothing in a task definition is lost.

// DefinitionDocument describes a task definition, with its tags.
func (c *ControlPlane) DefinitionDocument(ctx context.Context, reference string) (json.RawMessage, []types.Tag, error) {
	out, err := locked(c, func(a api) (*describedDefinition, error) {
		return a.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
			TaskDefinition: &reference, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
		})
	})
	if err != nil {
		return nil, nil, err
	}
	return out.TaskDefinition, out.Tags, nil
}

// RegisterDocument registers a task definition, the document of a
// RegisterTaskDefinition request, and returns its ARN.
func (c *ControlPlane) RegisterDocument(ctx context.Context, document json.RawMessage) (string, error) {
	out, err := locked(c, func(a api) (*describedDefinition, error) { return a.RegisterTaskDefinition(ctx, document) })
	if err != nil {
		return "", err
	}
	var registered struct{ TaskDefinitionArn string }
	err = awsjson.Unmarshal(out.TaskDefinition, &registered)
	return registered.TaskDefinitionArn, err
}

// UpdateDocument updates a service by the document of an UpdateService request.
func (c *ControlPlane) UpdateDocument(ctx context.Context, document json.RawMessage) error {
	_, err := locked(c, func(a api) (*ecs.UpdateServiceOutput, error) { return a.UpdateService(ctx, document) })
	return err
}
