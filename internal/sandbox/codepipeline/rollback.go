package codepipeline

import (
	"context"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// RollbackStage runs a stage again with what an earlier execution had, as an
// execution of its own. The texts of the errors are ours.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html
func (a api) RollbackStage(ctx context.Context, in *codepipeline.RollbackStageInput) (*codepipeline.RollbackStageOutput, error) {
	p, target, err := a.both(in.PipelineName, in.TargetPipelineExecutionId)
	if err != nil {
		return nil, err
	}
	if _, _, err := p.stage(in.StageName); err != nil {
		return nil, err
	}
	if err := a.mayRollBack(p, target, *in.StageName); err != nil {
		return nil, err
	}
	e := a.rollBack(p, target, *in.StageName, types.ExecutionTrigger{TriggerType: types.TriggerTypeManualRollback, TriggerDetail: a.caller(ctx)})
	return &codepipeline.RollbackStageOutput{PipelineExecutionId: &e.ID}, nil
}

// mayRollBack says why a stage cannot be rolled back to an execution.
func (s *Service) mayRollBack(p *pipeline, target *execution, stage string) error {
	refuse := func(why string) error {
		return errCoded("UnableToRollbackStageException", "Unable to roll back the stage '%s' to the pipeline execution '%s': %s", stage, target.ID, why)
	}
	switch {
	case p.Declaration.PipelineType != types.PipelineTypeV2:
		return refuse("only V2 pipelines can be rolled back")
	case target.Version != *p.Declaration.Version:
		return errCoded("PipelineExecutionOutdatedException", "The pipeline execution '%s' is outdated: it ran in version %d of the pipeline, which is now version %d", target.ID, target.Version, *p.Declaration.Version)
	case p.index(stage) == 0:
		return refuse("a source stage cannot be rolled back")
	case target.Type == types.ExecutionTypeRollback:
		return refuse("it is a rollback itself")
	case !target.succeededIn(stage):
		return refuse("it did not succeed in the stage")
	case p.locked(stage):
		return refuse("the stage is currently running")
	}
	return nil
}

// rollBack begins an execution of one stage with what another had made before
// it.
func (s *Service) rollBack(p *pipeline, target *execution, stage string, trigger types.ExecutionTrigger) *execution {
	now := time.Now()
	e := &execution{
		ID: newUUID(), Version: target.Version, Type: types.ExecutionTypeRollback, RollbackTarget: target.ID, Trigger: trigger, Started: now, Updated: now,
		Status: types.PipelineExecutionStatusInProgress, Overrides: map[string]string{}, Variables: maps.Clone(target.Variables), Stage: stage,
		Made: maps.Clone(target.Made), Outputs: maps.Clone(target.Outputs),
	}
	p.Executions = append(p.Executions, e)
	s.emitPipeline(p, e, "STARTED")
	s.enter(p, e)
	return e
}
