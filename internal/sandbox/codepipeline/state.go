package codepipeline

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// state is all that is kept. It is written and read as JSON.
type state struct {
	Pipelines map[string]*pipeline // by name
}

// pipeline is a pipeline with its history.
type pipeline struct {
	Declaration      types.PipelineDeclaration           // the newest version
	Earlier          map[int32]types.PipelineDeclaration // versions before it
	Created, Updated time.Time
	Tags             map[string]string
	Executions       []*execution      // oldest first
	Tokens           map[string]string // executions by their clientRequestToken
	Stages           map[string]*stage // by name
}

// stage is what a pipeline knows of a stage beside its declaration.
type stage struct {
	// Transition leads into it; nil if nobody has ever touched it, as enabled.
	Transition *types.TransitionState
	// Latest is the execution that entered last.
	Latest string
	// Actions are the newest execution of each action, by the action's name.
	Actions map[string]string
}

// execution is a pipeline's execution.
type execution struct {
	ID               string
	Version          int32 // of the pipeline
	Type             types.ExecutionType
	RollbackTarget   string
	Trigger          types.ExecutionTrigger
	Started, Updated time.Time
	Status           types.PipelineExecutionStatus
	StopReason       *string
	Overrides        map[string]string // commits by source action
	Variables        map[string]string // the pipeline's
	// Stage is the name of the stage that it is in, or that it waits to enter.
	Stage   string
	Waiting bool
	Runs    []*stageRun                  // in the order of entry
	Made    map[string]artifact          // by name
	Outputs map[string]map[string]string // variables by namespace
}

// stageRun is an execution's passage through a stage, with all its attempts.
type stageRun struct {
	Stage   string
	Status  types.StageExecutionStatus
	Retries int32
	Redo    []string     // actions that a retry runs again, by name
	Actions []*actionRun // oldest first
}

// actionRun is an action's execution.
type actionRun struct {
	ID, Name         string
	Status           types.ActionExecutionStatus
	Started, Updated time.Time
	UpdatedBy        string
	Resolved         map[string]string // the configuration, variables resolved
	Inputs, Outputs  []artifact
	OutputVariables  map[string]string
	Error            *types.ErrorDetails
	ExternalID       string
	ExternalURL      string
	Summary          string
	PercentComplete  *int32
	Token            string // of a manual approval
	Progress         progress
	Revision         *types.ArtifactRevision // that a source action found
}

// artifact is what a source action made: a commit, and where AWS would put it.
type artifact struct {
	Name               string
	Repository, Commit string
	Bucket, Key        string
}

// over says whether the execution has ended. One that failed or was stopped can
// be taken up again.
func (e *execution) over() bool {
	return e.Status != types.PipelineExecutionStatusInProgress && e.Status != types.PipelineExecutionStatusStopping
}

// run is the execution's passage through a stage, nil if it never entered.
func (e *execution) run(stage string) *stageRun {
	for _, r := range slices.Backward(e.Runs) {
		if r.Stage == stage {
			return r
		}
	}
	return nil
}

// newest is the newest execution of an action in any attempt, nil if there is
// none.
func (r *stageRun) newest(action string) *actionRun {
	for _, a := range slices.Backward(r.Actions) {
		if a.Name == action {
			return a
		}
	}
	return nil
}

// pipeline finds a pipeline by its name.
func (s *Service) pipeline(name *string) (*pipeline, error) {
	p := s.state.Pipelines[aws.ToString(name)]
	if p == nil {
		return nil, errCoded("PipelineNotFoundException", "Account '%s' does not have a pipeline with name '%s'", s.options.Account, aws.ToString(name))
	}
	return p, nil
}

// execution finds a pipeline's execution. The text of the error is ours.
func (p *pipeline) execution(id *string) (*execution, error) {
	for _, e := range slices.Backward(p.Executions) {
		if e.ID == aws.ToString(id) {
			return e, nil
		}
	}
	return nil, errCoded("PipelineExecutionNotFoundException", "Pipeline '%s' does not have an execution with id '%s'", *p.Declaration.Name, aws.ToString(id))
}

// both finds a pipeline and its execution.
func (s *Service) both(name, id *string) (*pipeline, *execution, error) {
	p, err := s.pipeline(name)
	if err != nil {
		return nil, nil, err
	}
	e, err := p.execution(id)
	return p, e, err
}

// index is a stage's place, -1 if there is none of that name.
func (p *pipeline) index(name string) int {
	return slices.IndexFunc(p.Declaration.Stages, func(d types.StageDeclaration) bool { return *d.Name == name })
}

// stage finds a stage. The text of the error is ours.
func (p *pipeline) stage(name *string) (*stage, *types.StageDeclaration, error) {
	i := p.index(aws.ToString(name))
	if i < 0 {
		return nil, nil, errCoded("StageNotFoundException", "Pipeline '%s' does not have a stage with name '%s'", *p.Declaration.Name, aws.ToString(name))
	}
	return p.known(*name), &p.Declaration.Stages[i], nil
}

// known is what is known of a stage.
func (p *pipeline) known(name string) *stage {
	if p.Stages[name] == nil {
		p.Stages[name] = &stage{Actions: map[string]string{}}
	}
	return p.Stages[name]
}

// declaration is the structure that an execution follows.
func (p *pipeline) declaration(version int32) *types.PipelineDeclaration {
	if d, found := p.Earlier[version]; found {
		return &d
	}
	return &p.Declaration
}

// errCoded is an AWS error.
func errCoded(code, format string, args ...any) error {
	return &awsjson.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// errNotUp says that nothing is served before Start and after Close.
func errNotUp() error {
	return &awsjson.Error{Code: "InternalFailure", Message: "the sandbox is not up", Status: http.StatusServiceUnavailable}
}

// newUUID is the id of an execution of any kind, of a job, and an approval's token.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// pageMost is how many results a page has at most, and unless less is asked for.
const pageMost = 100

// page cuts the page that token names out of items.
func page[T any](items []T, token *string, size *int32, most int) ([]T, *string, error) {
	n := most
	if size != nil {
		if *size < 1 || int(*size) > most {
			return nil, nil, errCoded("ValidationException", "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *size, most)
		}
		n = int(*size)
	}
	cut, next, err := awsjson.Page(items, token, n)
	if err != nil {
		return nil, nil, errCoded("InvalidNextTokenException", "The next token was specified in an invalid format.")
	}
	return cut, next, nil
}

// tagList is a pipeline's tags, by key.
func (p *pipeline) tagList() []types.Tag {
	tags := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		tags = append(tags, types.Tag{Key: aws.String(key), Value: aws.String(p.Tags[key])})
	}
	return tags
}
