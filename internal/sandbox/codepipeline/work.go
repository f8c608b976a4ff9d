package codepipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Times of ours: AWS's actions are seen to begin within seconds, and to notice
// what became of a deployment within some more.
const (
	startsAfter = time.Second
	pollEvery   = 5 * time.Second
)

// The codes of an action's error that its users see. FailureType has most of them.
const (
	codeJobFailed     = "JobFailed"
	codeConfiguration = "ConfigurationError"
	codeRevision      = "RevisionUnavailable"
	codeTimedOut      = "TimedOut"
)

// work is what a step has to know of its action's execution.
type work struct {
	pipeline, execution, stage string
	id                         string // of the action's execution
	declared                   types.ActionDeclaration
	configuration              map[string]string // resolved
	override                   string            // a source action's commit
	inputs                     []artifact
	outputs                    []artifact // where they are to be
	started                    time.Time
	progress                   progress
	by                         caller
	ports                      Ports
}

// progress is what an action's execution has done so far.
type progress struct {
	TaskDefinition string // that was registered
	Updated        bool   // the service, to it
	Deployment     string // CodeDeploy's
	Job            *job   // Lambda's
	Jobs           []string
}

// outcome is what came of a step.
type outcome struct {
	// update notes what was done, with the lock held; nil for nothing.
	update func(*actionRun)
	// done says that the action succeeded, and failure that and why it did not.
	done    bool
	failure *types.ErrorDetails
	// again is when to step again; 0 is at once.
	again time.Duration
}

// failure ends an action for a reason.
func failure(code, format string, args ...any) outcome {
	return outcome{failure: &types.ErrorDetails{Code: aws.String(code), Message: aws.String(fmt.Sprintf(format, args...))}}
}

// later steps again in a while.
func later(update func(*actionRun)) outcome { return outcome{update: update, again: pollEvery} }

// begun begins an action's execution, with the lock held.
func (s *Service) begun(p *pipeline, e *execution, run *stageRun, declared *types.ActionDeclaration) {
	now := time.Now()
	a := &actionRun{
		ID: newUUID(), Name: *declared.Name, Status: types.ActionExecutionStatusInProgress, Started: now, Updated: now,
	}
	for _, in := range declared.InputArtifacts {
		a.Inputs = append(a.Inputs, e.Made[*in.Name])
	}
	for _, out := range declared.OutputArtifacts {
		a.Outputs = append(a.Outputs, p.place(*out.Name, s.options.Region))
	}
	run.Actions = append(run.Actions, a)
	p.known(run.Stage).Actions[a.Name] = a.ID
	s.emitAction(p, e, run.Stage, a, "STARTED")
	resolved, err := e.resolve(p, declared.Configuration)
	if err != nil {
		s.settle(p, e, run, a, failure(codeConfiguration, "%s", err))
		return
	}
	a.Resolved = resolved
	if isApproval(declared) {
		a.Token = newUUID()
	}
	s.drive(p, e, run, a)
}

// resume goes on with an execution's actions after a restart, with the lock held.
func (s *Service) resume(p *pipeline, e *execution) {
	for _, run := range e.Runs {
		for _, a := range run.Actions {
			if a.Status == types.ActionExecutionStatusInProgress {
				s.drive(p, e, run, a)
			}
		}
	}
}

// drive has an action's execution run until it is over, in a goroutine of its own:
// one that was abandoned is noticed before its next step.
func (s *Service) drive(p *pipeline, e *execution, run *stageRun, a *actionRun) {
	s.work.Go(func() {
		for wait := startsAfter; s.wait(wait); {
			w, t, goesOn := s.look(p, e, run, a)
			if !goesOn {
				return
			}
			out := t.step(s, s.ctx, w)
			if wait, goesOn = s.note(p, e, run, a, out, w.timeout(t)); !goesOn {
				return
			}
		}
	})
}

// look copies what a step has to know, and says whether there is to be one.
func (s *Service) look(p *pipeline, e *execution, run *stageRun, a *actionRun) (*work, actionType, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Status != types.ActionExecutionStatusInProgress {
		return nil, actionType{}, false
	}
	declared := p.action(e, run.Stage, a.Name)
	t, known := typeOf(declared.ActionTypeId)
	if !known { // a state of another version's
		s.settle(p, e, run, a, failure(codeConfiguration, "action '%s' is of a kind that is not known here", a.Name))
		s.advance(p)
		return nil, t, false
	}
	by := s.callerOf(p, declared)
	w := &work{
		pipeline: *p.Declaration.Name, execution: e.ID, stage: run.Stage, id: a.ID, declared: declared,
		configuration: maps.Clone(a.Resolved), override: e.Overrides[a.Name], started: a.Started, progress: a.Progress, by: by, ports: s.ports.by(by),
		inputs: slices.Clone(a.Inputs), outputs: slices.Clone(a.Outputs),
	}
	if w.progress.Job != nil {
		job := *w.progress.Job
		w.progress.Job = &job
	}
	return w, t, true
}

// note takes in what came of a step, and says when the next one is to be.
func (s *Service) note(p *pipeline, e *execution, run *stageRun, a *actionRun, out outcome, timeout time.Duration) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Status != types.ActionExecutionStatusInProgress {
		return 0, false
	}
	if out.failure != nil && s.ctx.Err() != nil { // it was interrupted
		return 0, false
	}
	if out.update != nil {
		out.update(a)
		s.options.Changed()
	}
	left := timeout - s.since(a.Started)
	if !out.done && out.failure == nil && left <= 0 {
		// The text is ours: none of AWS's is known.
		out = failure(codeTimedOut, "The action timed out after %d minutes.", int(timeout.Minutes()))
	}
	if !out.done && out.failure == nil {
		return min(out.again, left), true
	}
	s.settle(p, e, run, a, out)
	s.proceed(p, e)
	s.advance(p)
	return 0, false
}

// settle ends an action's execution, with the lock held; what the execution does
// next is proceed's.
func (s *Service) settle(p *pipeline, e *execution, run *stageRun, a *actionRun, out outcome) {
	a.Updated = time.Now()
	e.Updated = a.Updated
	defer s.options.Changed()
	if out.failure != nil {
		a.Status, a.Error = types.ActionExecutionStatusFailed, out.failure
		s.emitAction(p, e, run.Stage, a, "FAILED")
		s.options.Logger.Debug("an action failed", "pipeline", *p.Declaration.Name, "action", a.Name, "error", aws.ToString(out.failure.Message))
		return
	}
	a.Status = types.ActionExecutionStatusSucceeded
	for _, out := range a.Outputs {
		e.Made[out.Name] = out
	}
	if namespace := aws.ToString(p.action(e, run.Stage, a.Name).Namespace); namespace != "" {
		e.Outputs[namespace] = a.OutputVariables
	}
	s.emitAction(p, e, run.Stage, a, "SUCCEEDED")
}

// action is an action's declaration in the version that an execution follows.
func (p *pipeline) action(e *execution, stage, name string) types.ActionDeclaration {
	for _, st := range p.declaration(e.Version).Stages {
		for _, a := range st.Actions {
			if *st.Name == stage && *a.Name == name {
				return a
			}
		}
	}
	return types.ActionDeclaration{Name: &name}
}

// timeout is when the action fails, whatever it does.
func (w *work) timeout(t actionType) time.Duration {
	if isApproval(&w.declared) && w.declared.TimeoutInMinutes != nil {
		return time.Duration(*w.declared.TimeoutInMinutes) * time.Minute
	}
	return min(t.timeout, cmp.Or(minutes(w.configuration["DeploymentTimeout"]), t.timeout))
}
