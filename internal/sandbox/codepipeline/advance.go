package codepipeline

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// What is here is called with the lock held, and calls nobody.

// begin adds an execution to a pipeline and has it wait for the first stage.
func (s *Service) begin(p *pipeline, e *execution) {
	now := time.Now()
	e.ID, e.Version, e.Started, e.Updated = newUUID(), *p.Declaration.Version, now, now
	e.Type, e.Status = types.ExecutionTypeStandard, types.PipelineExecutionStatusInProgress
	e.Made, e.Outputs = map[string]artifact{}, map[string]map[string]string{}
	p.Executions = append(p.Executions, e)
	s.emitPipeline(p, e, "STARTED")
	s.arrive(p, e, *p.Declaration.Stages[0].Name)
	s.advance(p)
}

// arrive has an execution wait for a stage. One that waits already is superseded,
// unless the pipeline queues them.
func (s *Service) arrive(p *pipeline, e *execution, stage string) {
	if p.Declaration.ExecutionMode == types.ExecutionModeSuperseded {
		for _, other := range p.Executions {
			if other.waits(stage) {
				s.end(p, other, types.PipelineExecutionStatusSuperseded)
			}
		}
	}
	e.Stage, e.Waiting = stage, true
}

// waits says whether the execution waits to enter a stage.
func (e *execution) waits(stage string) bool { return !e.over() && e.Waiting && e.Stage == stage }

// holds says whether the execution is in a stage, and so locks it.
func (e *execution) holds(stage string) bool { return !e.over() && !e.Waiting && e.Stage == stage }

// locked says whether any execution is in a stage.
func (p *pipeline) locked(stage string) bool {
	return slices.ContainsFunc(p.Executions, func(e *execution) bool { return e.holds(stage) })
}

// advance lets all that wait enter where they may, oldest first, until nobody may.
func (s *Service) advance(p *pipeline) {
	for entered := true; entered; {
		entered = false
		for _, e := range p.Executions {
			if e.over() || !e.Waiting || p.locked(e.Stage) || p.known(e.Stage).disabled() {
				continue
			}
			s.enter(p, e)
			entered = true
		}
	}
}

// disabled says whether executions are kept from entering the stage.
func (s *stage) disabled() bool { return s.Transition != nil && !s.Transition.Enabled }

// enter has an execution enter the stage that it waits for.
func (s *Service) enter(p *pipeline, e *execution) {
	e.Waiting = false
	e.Runs = append(e.Runs, &stageRun{Stage: e.Stage, Status: types.StageExecutionStatusInProgress})
	p.known(e.Stage).Latest = e.ID
	s.emitStage(p, e, e.Stage, "STARTED")
	s.proceed(p, e)
}

// proceed has an execution that is in a stage do what is next there.
func (s *Service) proceed(p *pipeline, e *execution) {
	run := e.run(e.Stage)
	declared := p.Declaration.Stages[p.index(e.Stage)]
	for _, group := range groups(&declared) {
		due := slices.DeleteFunc(slices.Clone(group), func(a *types.ActionDeclaration) bool {
			return run.newest(*a.Name) != nil && !slices.Contains(run.Redo, *a.Name)
		})
		if len(due) > 0 && e.Status == types.PipelineExecutionStatusStopping && !run.busy() {
			s.end(p, e, types.PipelineExecutionStatusStopped)
			return
		}
		if e.Status == types.PipelineExecutionStatusInProgress {
			for _, a := range due {
				run.Redo = slices.DeleteFunc(run.Redo, func(name string) bool { return name == *a.Name })
				s.begun(p, e, run, a)
			}
		}
		if run.busy() {
			return
		}
		for _, a := range group {
			if run.newest(*a.Name).Status != types.ActionExecutionStatusSucceeded {
				s.failed(p, e, &declared)
				return
			}
		}
	}
	s.passed(p, e, run)
}

// busy says whether an action runs.
func (r *stageRun) busy() bool {
	return slices.ContainsFunc(r.Actions, func(a *actionRun) bool { return a.Status == types.ActionExecutionStatusInProgress })
}

// passed has an execution go on to the next stage, or end: a rollback is one of
// its stage alone.
func (s *Service) passed(p *pipeline, e *execution, run *stageRun) {
	run.Status = types.StageExecutionStatusSucceeded
	s.emitStage(p, e, run.Stage, "SUCCEEDED")
	next := p.index(run.Stage) + 1
	switch {
	case e.Status == types.PipelineExecutionStatusStopping:
		s.end(p, e, types.PipelineExecutionStatusStopped)
	case next == len(p.Declaration.Stages), e.Type == types.ExecutionTypeRollback:
		s.end(p, e, types.PipelineExecutionStatusSucceeded)
	default:
		e.Updated = time.Now()
		s.arrive(p, e, *p.Declaration.Stages[next].Name)
	}
}

// failed ends an execution one of whose actions failed. One that was asked to stop
// and wait has waited, and is stopped.
func (s *Service) failed(p *pipeline, e *execution, declared *types.StageDeclaration) {
	if e.Status == types.PipelineExecutionStatusStopping {
		s.end(p, e, types.PipelineExecutionStatusStopped)
		return
	}
	s.end(p, e, types.PipelineExecutionStatusFailed)
	if declared.OnFailure == nil || declared.OnFailure.Result != types.ResultRollback || e.Type == types.ExecutionTypeRollback {
		return
	}
	// The newest that succeeded, if there is one.
	for _, target := range slices.Backward(p.Executions) {
		if s.mayRollBack(p, target, *declared.Name) == nil {
			s.rollBack(p, target, *declared.Name, types.ExecutionTrigger{TriggerType: types.TriggerTypeAutomatedRollback, TriggerDetail: aws.String(e.ID)})
			return
		}
	}
}

// end gives an execution the status with which it is over, and the stage that it
// is in as well.
func (s *Service) end(p *pipeline, e *execution, status types.PipelineExecutionStatus) {
	if run := e.run(e.Stage); run != nil && !e.Waiting && run.Status != types.StageExecutionStatusSucceeded {
		run.Status = types.StageExecutionStatus(status) // they have the same names
		s.emitStage(p, e, run.Stage, eventState(string(status)))
	}
	e.Status, e.Updated, e.Waiting = status, time.Now(), false
	s.emitPipeline(p, e, eventState(string(status)))
	s.options.Logger.Debug("a pipeline's execution ended", "pipeline", *p.Declaration.Name, "execution", e.ID, "status", status)
	s.options.Changed()
}

// abandon has the actions of an execution that run go on without anybody who
// waits for them.
func (s *Service) abandon(p *pipeline, e *execution) {
	for _, run := range e.Runs {
		for _, a := range run.Actions {
			if a.Status != types.ActionExecutionStatusInProgress {
				continue
			}
			a.Status, a.Updated = types.ActionExecutionStatusAbandoned, time.Now()
			s.emitAction(p, e, run.Stage, a, "ABANDONED")
		}
	}
}
