package history

import (
	"maps"
	"slices"
	"time"

	"github.com/slipway-cd/slipway"
)

// Head is one app at the head of the deployment branch.
type Head struct {
	App slipway.App
	// Revision is what the app's revision.json says; nil when it is broken.
	Revision *slipway.Revision
	// Problem says what is broken, with the line and column.
	Problem string
}

// Status says for each app what git says, what runs and what was executed
// last, ordered by app; the answer is never nil. An app that is known from
// running or newest but not from heads was removed from git and is shown as
// removed. An app without an element in running is one whose service was not
// read; newest holds the newest execution of each app, or the one in progress.
func Status(heads []Head, running map[slipway.App]slipway.Running, newest map[slipway.App]slipway.Execution) []slipway.AppStatus {
	apps := make(map[slipway.App]slipway.AppStatus, len(heads))
	for app := range running {
		apps[app] = slipway.AppStatus{App: app, Removed: true}
	}
	for app := range newest {
		apps[app] = slipway.AppStatus{App: app, Removed: true}
	}
	for _, head := range heads {
		status := slipway.AppStatus{App: head.App, Problem: head.Problem}
		if head.Revision != nil {
			status.Revision = &slipway.RevisionSummary{Commit: head.Revision.Commit, Images: head.Revision.Images}
		}
		apps[head.App] = status
	}

	statuses := make([]slipway.AppStatus, 0, len(apps))
	for _, app := range slices.SortedFunc(maps.Keys(apps), slipway.App.Compare) {
		status := apps[app]
		if execution, ok := newest[app]; ok {
			status.Execution = execution.Summary()
		}
		if now, ok := running[app]; ok {
			status = withRunning(status, now)
			if status.Drift {
				status.DriftSince = driftSince(status, now, newest[app])
			}
		}
		statuses = append(statuses, status)
	}
	return statuses
}

// withRunning adds what runs. What is broken in git is told before what could
// not be read from ECS: it comes first for whoever repairs the app.
func withRunning(status slipway.AppStatus, now slipway.Running) slipway.AppStatus {
	if now.Err != nil {
		if status.Problem == "" && !status.Removed {
			status.Problem = now.Err.Error()
		}
		return status
	}
	status.Running = &slipway.RunningSummary{Images: now.Images, TaskDefinition: now.TaskDefinition, Since: now.Since}
	status.Drift = status.Revision != nil && !slipway.Runs(now.Images, status.Revision.Images)
	return status
}

// driftSince is since when an app has drifted: when the execution of what git says
// began, for example if it was rolled back, or when what runs was deployed after it,
// by somebody else. What was deployed from git and has drifted since then has done so
// at a time that only AWS may know.
func driftSince(status slipway.AppStatus, now slipway.Running, newest slipway.Execution) time.Time {
	switch {
	case newest.Revision.Commit != status.Revision.Commit || newest.CreatedAt.Before(now.Since):
		return now.Since
	case now.Since.IsZero() && newest.Outcome.Status() == slipway.StatusSucceeded:
		return time.Time{}
	}
	return newest.CreatedAt
}
