package codepipeline

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// What a pipeline may have at most.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	pipelinesMost = 1000
	stagesMost    = 50
	actionsMost   = 50 // in a stage
	variablesMost = 50
	nameMost      = 100 // characters, of anything
	runOrderMost  = 999
)

var (
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9.@\-_]+$`)
	artifactPattern = regexp.MustCompile(`^[a-zA-Z0-9_\-]+$`)
	variablePattern = regexp.MustCompile(`^[A-Za-z0-9@\-_]+$`)
	rolePattern     = regexp.MustCompile(`^arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*$`)
)

// check says what is wrong with a pipeline's structure, in AWS's words where they
// were seen.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
func (s *Service) check(d *types.PipelineDeclaration) error {
	if d == nil {
		return errRequired("pipeline")
	}
	if err := named("pipeline.name", d.Name, namePattern); err != nil {
		return err
	}
	if d.RoleArn == nil {
		return errRequired("pipeline.roleArn")
	}
	if !rolePattern.MatchString(*d.RoleArn) {
		return errConstraint(*d.RoleArn, "pipeline.roleArn", "Member must satisfy regular expression pattern: "+rolePattern.String())
	}
	if err := s.checkStores(d); err != nil {
		return err
	}
	if err := checkType(d); err != nil {
		return err
	}
	if n := len(d.Stages); n < 2 {
		return errStructure("Pipeline has only %d stage(s). There should be a minimum of 2 stages in a pipeline", n)
	} else if n > stagesMost {
		return errStructure("Pipeline has too many stages. There can only be up to %d stages in a pipeline", stagesMost)
	}
	return s.checkStages(d)
}

// checkStores says what is wrong with the artifact stores. The sandbox has one
// region.
func (s *Service) checkStores(d *types.PipelineDeclaration) error {
	if d.ArtifactStores != nil {
		if _, found := d.ArtifactStores[s.options.Region]; !found {
			return errStructure("Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an action. The following region is missing in 'pipeline.artifactStores': %s.", s.options.Region)
		}
		return nil
	}
	if d.ArtifactStore == nil || aws.ToString(d.ArtifactStore.Location) == "" {
		return errRequired("pipeline.artifactStore")
	}
	return nil
}

// checkType says what the pipeline has that its type or the sandbox does not.
func checkType(d *types.PipelineDeclaration) error {
	if d.ExecutionMode == types.ExecutionModeParallel {
		return errStructure("The sandbox has no PARALLEL mode: use QUEUED or SUPERSEDED")
	}
	if d.PipelineType != types.PipelineTypeV2 {
		switch {
		case d.ExecutionMode == types.ExecutionModeQueued:
			return errStructure("QUEUED or PARALLEL mode can only be used with V2 pipelines")
		case len(d.Variables) > 0:
			return errStructure("Pipeline variable can only be used with V2 pipelines")
		case len(d.Triggers) > 0:
			return errStructure("Triggers on tag can only be used with V2 pipelines")
		}
	}
	if len(d.Triggers) > 0 { // there is no other kind of source here
		return errStructure("Triggers for connections must reference a CodeStarSourceConnection action.")
	}
	if len(d.Variables) > variablesMost {
		return errConstraint("", "pipeline.variables", fmt.Sprintf("Member must have length less than or equal to %d", variablesMost))
	}
	var names []string
	for _, v := range d.Variables {
		if err := named("pipeline.variables.name", v.Name, variablePattern); err != nil {
			return err
		}
		if slices.Contains(names, *v.Name) {
			return errStructure("Variable names must be unique. The following variable name is already in use: %s", *v.Name)
		}
		names = append(names, *v.Name)
	}
	return nil
}

// found is what the actions so far have.
type found struct {
	stages, artifacts, namespaces []string
	work                          bool // an action that is no source
}

func (s *Service) checkStages(d *types.PipelineDeclaration) error {
	var f found
	for i := range d.Stages {
		stage := &d.Stages[i]
		if err := named("pipeline.stages.name", stage.Name, namePattern); err != nil {
			return err
		}
		if slices.Contains(f.stages, *stage.Name) {
			return errStage("Stage name '%s' is used more than once", *stage.Name)
		}
		f.stages = append(f.stages, *stage.Name)
		if err := checkConditions(d, stage); err != nil {
			return err
		}
		if err := s.checkActions(&f, stage, i == 0); err != nil {
			return err
		}
	}
	if !f.work {
		return errStructure("Pipeline should contain at least 1 action whose category is not Source")
	}
	return nil
}

// checkConditions refuses what the sandbox does not do, rather than ignore it.
func checkConditions(d *types.PipelineDeclaration, stage *types.StageDeclaration) error {
	fail := stage.OnFailure
	if stage.BeforeEntry == nil && stage.OnSuccess == nil && fail == nil {
		return nil
	}
	if d.PipelineType != types.PipelineTypeV2 {
		return errStage("Stage level conditions can only be used with V2 pipelines.")
	}
	if stage.BeforeEntry != nil || stage.OnSuccess != nil || len(fail.Conditions) > 0 || fail.Result != types.ResultRollback {
		return errStage("The sandbox has no conditions of stages, and of what follows a failure only the result ROLLBACK: stage '%s'", *stage.Name)
	}
	return nil
}

// checkActions checks a stage's actions in the order in which they run.
func (s *Service) checkActions(f *found, stage *types.StageDeclaration, first bool) error {
	if n := len(stage.Actions); n == 0 || n > actionsMost {
		return errStage("Stage '%s' has %d actions. There should be 1 to %d actions in a stage", *stage.Name, n, actionsMost)
	}
	var names []string
	for i := range stage.Actions {
		a := &stage.Actions[i]
		if err := named("pipeline.stages.actions.name", a.Name, namePattern); err != nil {
			return err
		}
		if slices.Contains(names, *a.Name) {
			return errAction("Action name '%s' is used more than once in stage '%s'", *a.Name, *stage.Name)
		}
		names = append(names, *a.Name)
		if err := s.checkAction(f, a, first); err != nil {
			return err
		}
	}
	return f.checkArtifacts(stage)
}

func (s *Service) checkAction(f *found, a *types.ActionDeclaration, first bool) error {
	if a.ActionTypeId == nil {
		return errRequired("pipeline.stages.actions.actionTypeId")
	}
	source := a.ActionTypeId.Category == types.ActionCategorySource
	switch {
	case first && !source:
		return errStructure("Pipeline should start with a stage that only contains source actions")
	case !first && source:
		return errStructure("Source actions can only be included in the first stage of the pipeline")
	}
	f.work = f.work || !source
	t, known := typeOf(a.ActionTypeId)
	if !known {
		return errAction("ActionType (Category: '%s', Provider: '%s', Owner: '%s', Version: '%s') in action '%s' is not available in region '%s'",
			a.ActionTypeId.Category, aws.ToString(a.ActionTypeId.Provider), a.ActionTypeId.Owner, aws.ToString(a.ActionTypeId.Version), *a.Name, s.options.Region)
	}
	if n := aws.ToInt32(a.RunOrder); a.RunOrder != nil && (n < 1 || n > runOrderMost) {
		return errConstraint(fmt.Sprint(n), "pipeline.stages.actions.runOrder", fmt.Sprintf("Member must have value between 1 and %d", runOrderMost))
	}
	if name := aws.ToString(a.Namespace); name != "" {
		if slices.Contains(f.namespaces, name) {
			return errAction("Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline. ActionName=[%s], Namespace=[%s]", *a.Name, name)
		}
		f.namespaces = append(f.namespaces, name)
	}
	if n := a.TimeoutInMinutes; n != nil && (!isApproval(a) || *n < approvalLeast || *n > approvalMost) {
		return errAction("Action '%s' has a timeout of %d minutes: only manual approvals have one, of %d to %d minutes", *a.Name, *n, approvalLeast, approvalMost) // ours
	}
	if region := aws.ToString(a.Region); region != "" && region != s.options.Region {
		return errAction("The sandbox has one region, %s: action '%s' is in %s", s.options.Region, *a.Name, region)
	}
	return t.check(a)
}

// checkArtifacts follows a stage's artifacts: what an action takes in must have
// been made before it runs.
func (f *found) checkArtifacts(stage *types.StageDeclaration) error {
	for _, group := range groups(stage) {
		for _, a := range group {
			for _, in := range a.InputArtifacts {
				if !slices.Contains(f.artifacts, aws.ToString(in.Name)) {
					return errAction("Input Artifact Bundle %s in action %s is not declared as Output Artifact Bundle in any of the preceding actions", aws.ToString(in.Name), *a.Name)
				}
			}
		}
		for _, a := range group {
			for _, out := range a.OutputArtifacts {
				if err := named("pipeline.stages.actions.outputArtifacts.name", out.Name, artifactPattern); err != nil {
					return err
				}
				if slices.Contains(f.artifacts, *out.Name) {
					return errAction("Output Artifact Bundle name must be unique within the pipeline. %s has been used more than once.", *out.Name)
				}
				f.artifacts = append(f.artifacts, *out.Name)
			}
		}
	}
	return nil
}

// groups are a stage's actions as they run: one group after the other, the
// actions of a group at once.
func groups(stage *types.StageDeclaration) [][]*types.ActionDeclaration {
	by := map[int32][]*types.ActionDeclaration{}
	var orders []int32
	for i := range stage.Actions {
		a := &stage.Actions[i]
		order := runOrder(a)
		if by[order] == nil {
			orders = append(orders, order)
		}
		by[order] = append(by[order], a)
	}
	slices.Sort(orders)
	all := make([][]*types.ActionDeclaration, 0, len(orders))
	for _, order := range orders {
		all = append(all, by[order])
	}
	return all
}

func runOrder(a *types.ActionDeclaration) int32 {
	if a.RunOrder == nil {
		return 1
	}
	return *a.RunOrder
}

// named checks a name that must be there.
func named(at string, name *string, pattern *regexp.Regexp) error {
	switch {
	case name == nil:
		return errRequired(at)
	case !pattern.MatchString(*name):
		return errConstraint(*name, at, "Member must satisfy regular expression pattern: "+pattern.String())
	case len(*name) > nameMost:
		return errConstraint(*name, at, fmt.Sprintf("Member must have length less than or equal to %d", nameMost))
	}
	return nil
}

func errStructure(format string, args ...any) error {
	return errCoded("InvalidStructureException", format, args...)
}

func errStage(format string, args ...any) error {
	return errCoded("InvalidStageDeclarationException", format, args...)
}

func errRequired(at string) error {
	return errCoded("ValidationException", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", at)
}

func errConstraint(value, at, constraint string) error {
	return errCoded("ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, at, constraint)
}
