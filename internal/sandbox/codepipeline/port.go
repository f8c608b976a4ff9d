package codepipeline

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Ports are the services that CodePipeline works with. All may be called from any
// goroutine.
type Ports struct {
	CodeCommit CodeCommit
	ECS        ECS
	CodeDeploy CodeDeploy
	Functions  Functions // none if nil
	Events     Events    // nobody is told if nil
}

// CodeCommit is what source actions do with repositories, and what artifacts are
// read from.
type CodeCommit interface {
	GetBranch(context.Context, *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error)
	GetCommit(context.Context, *codecommit.GetCommitInput) (*codecommit.GetCommitOutput, error)
	GetFile(context.Context, *codecommit.GetFileInput) (*codecommit.GetFileOutput, error)
}

// ECS is what the deploy action does with ECS: what AWS's policy for it allows. A
// task definition is a document, so that nothing in it is lost.
type ECS interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error)
	// DefinitionDocument describes a task definition, with its tags.
	DefinitionDocument(ctx context.Context, reference string) (document json.RawMessage, tags []ecstypes.Tag, err error)
	// RegisterDocument registers a task definition, the document of a
	// RegisterTaskDefinition request, and returns its ARN.
	RegisterDocument(ctx context.Context, document json.RawMessage) (arn string, err error)
	// UpdateDocument updates a service by the document of an UpdateService request.
	UpdateDocument(ctx context.Context, document json.RawMessage) error
}

// CodeDeploy is what the CodeDeployToECS action does with CodeDeploy.
type CodeDeploy interface {
	CreateDeployment(context.Context, *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error)
	GetDeployment(context.Context, *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error)
}

// Functions are the account's Lambda functions, by name or ARN. InvokeEvent does
// not wait for the function, which reports with PutJobSuccessResult or
// PutJobFailureResult; what fails may be tried again. An error says that there is no
// such function.
type Functions interface {
	InvokeEvent(function string, payload []byte) error
}

// Events takes events, as an event bus does. It may be called from any goroutine,
// does not wait for those who get them, and may call back.
type Events interface {
	Emit(source, detailType string, resources []string, detail any)
}
