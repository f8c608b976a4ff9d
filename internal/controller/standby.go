package controller

import (
	"context"
	"net/http"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// StandBy serves the API of a process that does not conduct yet: it is alive,
// not ready, and answers every request with "try again".
func StandBy(version string) http.Handler {
	return api.Handler(standby{}, api.Options{Version: version, Ready: func(context.Context) error { return notYet() }})
}

// standby is a Backend that has nothing to tell.
type standby struct{}

func notYet() error {
	return &slipway.Error{
		Next: slipway.NextRetry, RetryAfter: time.Second,
		Message: "this controller does not conduct yet: it is starting, or another process has the database",
	}
}

func (standby) Apps(context.Context) ([]slipway.AppStatus, error) { return nil, notYet() }

func (standby) History(context.Context, slipway.App, int) ([]slipway.HistoryEntry, error) {
	return nil, notYet()
}

func (standby) Executions(context.Context, api.ExecutionQuery) ([]slipway.Execution, error) {
	return nil, notYet()
}

func (standby) Command(context.Context, api.Command) (slipway.Execution, error) {
	return slipway.Execution{}, notYet()
}

func (standby) Refresh(context.Context) error { return notYet() }
