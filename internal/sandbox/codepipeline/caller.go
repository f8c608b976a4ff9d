package codepipeline

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// caller is a role that calls the ports' services, which is told. An artifact is a
// commit here and an object in S3 on AWS: what is told is what AWS would call.
type caller struct {
	role  string
	calls trail.Tell
}

// callerOf is the role of an action, or its pipeline's.
func (s *Service) callerOf(p *pipeline, declared types.ActionDeclaration) caller {
	role := aws.ToString(declared.RoleArn)
	if role == "" {
		role = aws.ToString(p.Declaration.RoleArn)
	}
	return caller{role, s.options.Calls}
}

func (c caller) of(service, operation string, request any) {
	c.calls.Of(c.role, service, operation, request)
}

// archived tells of the calls that make an artifact of a repository. CodeCommit's are
// for CodePipeline alone, and in no SDK.
// https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html
func (c caller) archived(repository string, a artifact) {
	document, _ := json.Marshal(map[string]string{"repositoryName": repository}) // strings always marshal
	for _, operation := range []string{"UploadArchive", "GetUploadArchiveStatus"} {
		c.of("codecommit", operation, json.RawMessage(document))
	}
	c.object("PutObject", a)
}

// object tells of a call about an artifact in S3.
func (c caller) object(operation string, a artifact) {
	document, _ := json.Marshal(map[string]string{"Bucket": a.Bucket, "Key": a.Key}) // strings always marshal
	c.of("s3", operation, json.RawMessage(document))
}

// by are the ports as a role calls them.
func (p Ports) by(c caller) Ports {
	p.CodeCommit, p.ECS, p.CodeDeploy = calledCodeCommit{p.CodeCommit, c}, calledECS{p.ECS, c}, calledCodeDeploy{p.CodeDeploy, c}
	if p.Functions != nil {
		p.Functions = calledFunctions{p.Functions, c}
	}
	return p
}

// calledCodeCommit has GetFile for artifacts alone, which is told as what it is.
type calledCodeCommit struct {
	CodeCommit
	caller caller
}

func (p calledCodeCommit) GetBranch(ctx context.Context, in *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
	p.caller.of("codecommit", "GetBranch", in)
	return p.CodeCommit.GetBranch(ctx, in)
}

func (p calledCodeCommit) GetCommit(ctx context.Context, in *codecommit.GetCommitInput) (*codecommit.GetCommitOutput, error) {
	p.caller.of("codecommit", "GetCommit", in)
	return p.CodeCommit.GetCommit(ctx, in)
}

type calledECS struct {
	ECS
	caller caller
}

func (p calledECS) DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	p.caller.of("ecs", "DescribeServices", in)
	return p.ECS.DescribeServices(ctx, in)
}

func (p calledECS) DefinitionDocument(ctx context.Context, reference string) (json.RawMessage, []ecstypes.Tag, error) {
	p.caller.of("ecs", "DescribeTaskDefinition", &ecs.DescribeTaskDefinitionInput{TaskDefinition: &reference})
	return p.ECS.DefinitionDocument(ctx, reference)
}

func (p calledECS) RegisterDocument(ctx context.Context, document json.RawMessage) (string, error) {
	p.caller.of("ecs", "RegisterTaskDefinition", document)
	return p.ECS.RegisterDocument(ctx, document)
}

func (p calledECS) UpdateDocument(ctx context.Context, document json.RawMessage) error {
	p.caller.of("ecs", "UpdateService", document)
	return p.ECS.UpdateDocument(ctx, document)
}

type calledCodeDeploy struct {
	CodeDeploy
	caller caller
}

func (p calledCodeDeploy) CreateDeployment(ctx context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	p.caller.of("codedeploy", "CreateDeployment", in)
	return p.CodeDeploy.CreateDeployment(ctx, in)
}

func (p calledCodeDeploy) GetDeployment(ctx context.Context, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	p.caller.of("codedeploy", "GetDeployment", in)
	return p.CodeDeploy.GetDeployment(ctx, in)
}

type calledFunctions struct {
	Functions
	caller caller
}

func (p calledFunctions) InvokeEvent(function string, payload []byte) error {
	p.caller.of("lambda", "InvokeFunction", &lambda.InvokeInput{FunctionName: &function})
	return p.Functions.InvokeEvent(function, payload)
}
