package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// memory is a Backend in a few maps. err, when set, is what every method says.
type memory struct {
	apps       []slipway.AppStatus
	history    map[slipway.App][]slipway.HistoryEntry
	executions []slipway.Execution // newest first
	commands   []Command
	limits     []int
	refreshed  int
	err        error
}

func (m *memory) Apps(context.Context) ([]slipway.AppStatus, error) { return m.apps, m.err }

func (m *memory) History(_ context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error) {
	m.limits = append(m.limits, limit)
	entries, ok := m.history[app]
	if m.err == nil && !ok {
		return nil, NotFoundf("look at `slipway status`", "there is no app %s", app)
	}
	return entries[:min(limit, len(entries))], m.err
}

func (m *memory) Executions(_ context.Context, query ExecutionQuery) ([]slipway.Execution, error) {
	m.limits = append(m.limits, query.Limit)
	var found []slipway.Execution
	for _, execution := range m.executions {
		if (query.App == nil || *query.App == execution.App()) &&
			(query.Commit == "" || query.Commit == execution.Revision.Commit) &&
			strings.HasPrefix(execution.ID, query.ID) && len(found) < query.Limit {
			found = append(found, execution)
		}
	}
	return found, m.err
}

func (m *memory) Command(_ context.Context, command Command) (slipway.Execution, error) {
	m.commands = append(m.commands, command)
	if m.err != nil {
		return slipway.Execution{}, m.err
	}
	if command.Action == ActionStart {
		execution := slipway.Execution{
			ID: fmt.Sprintf("%04d", len(m.executions)+1), Status: slipway.StatusQueued, CreatedAt: monday,
			Revision: slipway.Revision{App: command.App},
			Trigger:  slipway.Trigger{Kind: slipway.TriggerManual, By: command.By, At: monday},
		}
		m.executions = slices.Insert(m.executions, 0, execution)
		return execution, nil
	}
	i := slices.IndexFunc(m.executions, func(e slipway.Execution) bool { return e.ID == command.Execution })
	if i < 0 {
		return slipway.Execution{}, NotFoundf("", "there is no execution %s", command.Execution)
	}
	if command.Action == ActionStop {
		m.executions[i].Stop = &slipway.StopRequest{By: command.By, At: monday, Reason: command.Reason, Abandon: command.Abandon}
	}
	return m.executions[i], nil
}

func (m *memory) Refresh(context.Context) error {
	m.refreshed++
	return m.err
}

// inProcess is a transport that calls a handler.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	t.handler.ServeHTTP(recorder, req)
	return recorder.Result(), nil
}
