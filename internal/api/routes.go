package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// HealthPath answers for the process alone, whatever becomes of its work.
const HealthPath = "/healthz"

// routes is the table of what there is.
func (s *server) routes(api huma.API) {
	add(api, http.MethodGet, "/api/v1/apps", "list-apps", "All apps: what git says, what runs, the newest execution", s.apps)
	add(api, http.MethodGet, "/api/v1/apps/{cluster}/{app}", "get-app", "One app", s.app)
	add(api, http.MethodGet, "/api/v1/apps/{cluster}/{app}/history", "get-history", "An app's commits and what became of them, newest first", s.history)
	add(api, http.MethodPost, "/api/v1/apps/{cluster}/{app}/start", "start-app", "Run an app's pipeline on what git says now", s.start)
	add(api, http.MethodGet, "/api/v1/executions", "list-executions", "Executions, newest first", s.executions)
	add(api, http.MethodGet, "/api/v1/executions/{id}", "get-execution", "One execution", s.execution)
	add(api, http.MethodPost, "/api/v1/executions/{id}/stop", "stop-execution", "End an execution early", s.stop)
	add(api, http.MethodPost, "/api/v1/executions/{id}/retry", "retry-execution", "Run an ended execution's revision again", s.retry)
	add(api, http.MethodPost, "/api/v1/executions/{id}/approve", "approve-execution", "Let a deployment go on that pauses for a person", s.decide(ActionApprove))
	add(api, http.MethodPost, "/api/v1/executions/{id}/reject", "reject-execution", "Have a deployment rolled back that pauses for a person", s.decide(ActionReject))
	add(api, http.MethodPost, "/api/v1/refresh", "refresh", "Look at the repository now", s.refresh)
	add(api, http.MethodGet, "/api/v1/version", "get-version", "The server's version", s.version)
	add(api, http.MethodGet, HealthPath, "get-health", "The process is alive", s.alive)
	add(api, http.MethodGet, "/readyz", "get-ready", "The process can do its work", s.ready)
}

// add registers one operation; every one may answer with a problem.
func add[I, O any](api huma.API, method, path, id, summary string, handler func(context.Context, *I) (*O, error)) {
	schemas := api.OpenAPI().Components.Schemas
	huma.Register(api, huma.Operation{
		OperationID: id,
		Method:      method,
		Path:        path,
		Summary:     summary,
		Responses: map[string]*huma.Response{"default": {
			Description: "What went wrong",
			Content: map[string]*huma.MediaType{
				problemType: {Schema: huma.SchemaFromType(schemas, typeOf[problem]())},
			},
		}},
	}, handler)
}
