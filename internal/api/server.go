package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/slipway-cd/slipway"
)

// Options are what the server tells about the process that it runs in.
type Options struct {
	// Version is that of the binary.
	Version string
	// Ready returns nil when the process can do its work, and otherwise why
	// not. Nil counts as always ready.
	Ready func(context.Context) error
}

// Handler serves the API over a Backend.
func Handler(backend Backend, options Options) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Slipway", options.Version)
	config.Info.Description = "Continuous delivery for AWS Fargate: what git says, what runs, and what became of each commit."
	// The documentation page would load scripts from a foreign host; schema
	// links would add a member to every answer.
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil

	server := &server{backend: backend, options: options}
	api := humago.New(mux, config)
	server.routes(api)
	tidy(api.OpenAPI().Components.Schemas)
	return http.NewCrossOriginProtection().Handler(mux)
}

// server holds the handlers, each a few lines between huma and the Backend.
type server struct {
	backend Backend
	options Options
}

// answer is a response with a body.
type answer[T any] struct{ Body T }

// AppPath is the path's app. Huma fills what is embedded only if it is exported.
type AppPath struct {
	Cluster string `path:"cluster" minLength:"1" doc:"The ECS cluster: the folder's name"`
	Name    string `path:"app" minLength:"1" doc:"The app: the folder's name"`
}

func (p AppPath) app() (slipway.App, error) {
	app := slipway.App{Cluster: p.Cluster, Name: p.Name}
	return app, app.Validate()
}

func (s *server) apps(ctx context.Context, _ *struct{}) (*answer[[]slipway.AppStatus], error) {
	apps, err := s.backend.Apps(ctx)
	return list(apps, err)
}

func (s *server) app(ctx context.Context, in *AppPath) (*answer[slipway.AppStatus], error) {
	app, err := in.app()
	if err != nil {
		return nil, asProblem(err)
	}
	apps, err := s.backend.Apps(ctx)
	if err != nil {
		return nil, asProblem(err)
	}
	at := slices.IndexFunc(apps, func(status slipway.AppStatus) bool { return status.App == app })
	if at < 0 {
		return nil, asProblem(NotFoundf("`slipway status` lists the apps there are", "there is no app %s", app))
	}
	return &answer[slipway.AppStatus]{apps[at]}, nil
}

type historyInput struct {
	AppPath
	Limit int `query:"limit" minimum:"0" maximum:"1000" doc:"The most that is returned; 0 stands for 50"`
}

func (s *server) history(ctx context.Context, in *historyInput) (*answer[[]slipway.HistoryEntry], error) {
	app, err := in.app()
	if err != nil {
		return nil, asProblem(err)
	}
	entries, err := s.backend.History(ctx, app, limit(in.Limit))
	return list(entries, err)
}

type executionsInput struct {
	App    string `query:"app" doc:"CLUSTER/APP"`
	Commit string `query:"commit" doc:"The whole id of the executed commit"`
	Limit  int    `query:"limit" minimum:"0" maximum:"1000" doc:"The most that is returned; 0 stands for 50"`
}

func (s *server) executions(ctx context.Context, in *executionsInput) (*answer[[]slipway.Execution], error) {
	query := ExecutionQuery{Commit: in.Commit, Limit: limit(in.Limit)}
	if in.App != "" {
		app, err := slipway.ParseApp(in.App)
		if err != nil {
			return nil, asProblem(err)
		}
		query.App = &app
	}
	executions, err := s.backend.Executions(ctx, query)
	return list(executions, err)
}

// ExecutionPath is the path's execution.
type ExecutionPath struct {
	ID string `path:"id" minLength:"1" doc:"The execution's id; for reading, a beginning that no other has will do"`
}

func (s *server) execution(ctx context.Context, in *ExecutionPath) (*answer[slipway.Execution], error) {
	executions, err := s.backend.Executions(ctx, ExecutionQuery{ID: in.ID, Limit: 2})
	switch {
	case err != nil:
	case len(executions) == 0:
		err = NotFoundf("`slipway history CLUSTER/APP` lists an app's executions", "there is no execution %s", in.ID)
	case len(executions) > 1:
		err = slipway.Usagef("the ids of several executions begin with %s: write more of it", in.ID)
	}
	if err != nil {
		return nil, asProblem(err)
	}
	return &answer[slipway.Execution]{executions[0]}, nil
}

// commandBody is the body of what a person asks for.
type commandBody struct {
	By string `json:"by" minLength:"1" doc:"Who asks, for the record"`
}

// stopBody is the body of a stop.
type stopBody struct {
	By      string `json:"by" minLength:"1" doc:"Who asks, for the record"`
	Reason  string `json:"reason,omitempty" doc:"Why"`
	Abandon bool   `json:"abandon,omitempty" doc:"Leave the service as it is instead of putting back what ran before"`
}

// decisionBody is the body of an approval or a rejection.
type decisionBody struct {
	By     string `json:"by" minLength:"1" doc:"Who decides, for the record"`
	Reason string `json:"reason,omitempty" doc:"Why"`
	Hook   string `json:"hook,omitempty" doc:"The id of the pause, as the execution's observation names it; empty where there is one alone"`
}

type startInput struct {
	AppPath
	Body commandBody
}

func (s *server) start(ctx context.Context, in *startInput) (*answer[slipway.Execution], error) {
	app, err := in.app()
	if err != nil {
		return nil, asProblem(err)
	}
	return s.command(ctx, Command{Action: ActionStart, App: app, By: in.Body.By})
}

type stopInput struct {
	ExecutionPath
	Body stopBody
}

func (s *server) stop(ctx context.Context, in *stopInput) (*answer[slipway.Execution], error) {
	return s.command(ctx, Command{
		Action: ActionStop, Execution: in.ID, By: in.Body.By, Reason: in.Body.Reason, Abandon: in.Body.Abandon,
	})
}

type retryInput struct {
	ExecutionPath
	Body commandBody
}

func (s *server) retry(ctx context.Context, in *retryInput) (*answer[slipway.Execution], error) {
	return s.command(ctx, Command{Action: ActionRetry, Execution: in.ID, By: in.Body.By})
}

type decisionInput struct {
	ExecutionPath
	Body decisionBody
}

// decide serves both ways to answer a pause.
func (s *server) decide(action Action) func(context.Context, *decisionInput) (*answer[slipway.Execution], error) {
	return func(ctx context.Context, in *decisionInput) (*answer[slipway.Execution], error) {
		return s.command(ctx, Command{
			Action: action, Execution: in.ID, By: in.Body.By, Reason: in.Body.Reason, Hook: in.Body.Hook,
		})
	}
}

func (s *server) command(ctx context.Context, command Command) (*answer[slipway.Execution], error) {
	execution, err := s.backend.Command(ctx, command)
	if err != nil {
		return nil, asProblem(err)
	}
	return &answer[slipway.Execution]{execution}, nil
}

func (s *server) refresh(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, asProblem(s.backend.Refresh(ctx))
}

// Version is the answer of /api/v1/version.
type Version struct {
	Version string `json:"version"`
}

func (s *server) version(context.Context, *struct{}) (*answer[Version], error) {
	return &answer[Version]{Version{s.options.Version}}, nil
}

// health is the answer of /healthz and /readyz when all is well.
type health struct {
	Status string `json:"status" example:"ok"`
}

func (s *server) alive(context.Context, *struct{}) (*answer[health], error) {
	return &answer[health]{health{"ok"}}, nil
}

// ready answers 503 whatever the error says of what happens next: whoever asks
// is a load balancer.
func (s *server) ready(ctx context.Context, _ *struct{}) (*answer[health], error) {
	if s.options.Ready != nil {
		if err := s.options.Ready(ctx); err != nil {
			return nil, asProblem(&slipway.Error{Next: slipway.NextRetry, Hint: slipway.HintOf(err), Message: "not ready", Err: err})
		}
	}
	return &answer[health]{health{"ok"}}, nil
}

// list answers with a list that is never null.
func list[T any](items []T, err error) (*answer[[]T], error) {
	if err != nil {
		return nil, asProblem(err)
	}
	if items == nil {
		items = []T{}
	}
	return &answer[[]T]{items}, nil
}

func limit(asked int) int {
	if asked == 0 {
		return DefaultLimit
	}
	return asked
}
