package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Execution returns the execution with this id. An id that there is none of is
// an error with NextUsage.
func (s *Store) Execution(ctx context.Context, id string) (slipway.Execution, error) {
	return oneExecution(ctx, s.db, id)
}

func oneExecution(ctx context.Context, q querier, id string) (slipway.Execution, error) {
	found, err := selectExecutions(ctx, q, "WHERE id = $1", text(id))
	if err != nil {
		return slipway.Execution{}, err
	}
	if len(found) == 0 {
		return slipway.Execution{}, slipway.Usagef("there is no execution %s", id)
	}
	return found[0], nil
}

// Save writes down how far an execution came: its stage, images, pipeline,
// deployment and observation, and an outcome that Finish is to make final. Its
// status, a request to stop and people's decisions are not Save's: others write
// them meanwhile.
func (s *Store) Save(ctx context.Context, e slipway.Execution) error {
	_, err := s.db.ExecContext(ctx, `UPDATE executions SET stage = $1, outcome = $2, rolled_back_by = $3, reason = $4, task_definition = $5,
		images_json = $6, pipeline_json = $7, deployment_json = $8, observation_json = $9 WHERE id = $10 AND ended_at = 0`,
		e.Stage, e.Outcome, e.RolledBackBy, text(e.Reason), e.Deployment.TaskDefinition,
		encode(e.Revision.Images), encode(e.Pipeline), encode(e.Deployment), encode(e.Observation), e.ID)
	if err != nil {
		return fmt.Errorf("save execution %s: %w", e.ID, err)
	}
	return nil
}

// Finish ends an execution with the status that its outcome means, and begins
// the app's next waiting one, which it returns: one or none. Finishing an
// execution that has ended changes nothing.
func (s *Store) Finish(ctx context.Context, e slipway.Execution, at time.Time) ([]slipway.Execution, error) {
	var next []slipway.Execution
	err := s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE executions SET status = $1, outcome = $2, rolled_back_by = $3, reason = $4, ended_at = $5
			WHERE id = $6 AND ended_at = 0`, e.Outcome.Status(), e.Outcome, e.RolledBackBy, text(e.Reason), toMicros(at), e.ID)
		if err != nil {
			return fmt.Errorf("finish execution %s: %w", e.ID, err)
		}
		next, err = beginNext(ctx, tx, e.App(), at)
		return err
	})
	if err != nil {
		return nil, err
	}
	return next, nil
}

// RequestStop asks for the stop of an execution and returns it as it is then:
// one that waits has ended, one that runs is Stopping. Asking again changes
// nothing. An execution that has ended is an error with NextUsage.
func (s *Store) RequestStop(ctx context.Context, id string, stop slipway.StopRequest) (asked slipway.Execution, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		e, err := oneExecution(ctx, tx, id)
		if err != nil {
			return err
		}
		switch e.Status {
		case slipway.StatusQueued:
			e.Status, e.Reason, e.EndedAt = slipway.StatusStopped, pipeline.StopReason(stop)+"; it had not begun", stop.At
		case slipway.StatusInProgress:
			e.Status = slipway.StatusStopping
		case slipway.StatusStopping:
			asked = e
			return nil
		default:
			return slipway.Usagef("execution %s has ended already: %s", id, e.Status)
		}
		e.Stop = &stop
		asked = e
		// The reason of one that runs is Save's, which does not wait for this transaction.
		_, err = tx.ExecContext(ctx, `UPDATE executions SET status = $1, ended_at = $2, stop_json = $3,
			reason = CASE WHEN status = 'Queued' THEN $4 ELSE reason END WHERE id = $5`,
			e.Status, toMicros(e.EndedAt), encode(stop), text(e.Reason), id)
		if err != nil {
			return fmt.Errorf("stop execution %s: %w", id, err)
		}
		return nil
	})
	return asked, err
}

// RecordDecision writes down what a person decided about an execution's hook, and
// returns the execution as it is then. Of two decisions about one hook the first
// stays.
func (s *Store) RecordDecision(ctx context.Context, id string, decision slipway.Decision) (decided slipway.Execution, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		if decided, err = oneExecution(ctx, tx, id); err != nil {
			return err
		}
		if slices.ContainsFunc(decided.Decisions, func(d slipway.Decision) bool { return d.Hook == decision.Hook }) {
			return nil
		}
		decided.Decisions = append(decided.Decisions, decision)
		_, err := tx.ExecContext(ctx, `UPDATE executions SET decisions_json = $1 WHERE id = $2`, encode(decided.Decisions), id)
		if err != nil {
			return fmt.Errorf("record a decision about execution %s: %w", id, err)
		}
		return nil
	})
	return decided, err
}

// TaskDefinitions returns the ARNs of the task definitions that this app
// registered for this content of revision.json, newest first, at most five:
// enough for a few changes of the service between a deployment and its
// repetition.
func (s *Store) TaskDefinitions(ctx context.Context, app slipway.App, blob string) ([]string, error) {
	return s.taskDefinitions(ctx, app, `AND blob = $2`, `LIMIT 5`, blob)
}

// Registered returns the ARNs of all task definitions that this app's executions
// ran, newest first. Some may have been registered by others, where a deployment
// was found in progress.
func (s *Store) Registered(ctx context.Context, app slipway.App) ([]string, error) {
	return s.taskDefinitions(ctx, app, "", "")
}

func (s *Store) taskDefinitions(ctx context.Context, app slipway.App, also, limit string, args ...any) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT task_definition FROM executions
		WHERE app = $1 AND task_definition <> '' `+also+` GROUP BY task_definition ORDER BY max(id) DESC `+limit, append([]any{app.String()}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read the task definitions of %s: %w", app, err)
	}
	defer func() { _ = rows.Close() }()
	var arns []string
	for rows.Next() {
		var arn string
		if err := rows.Scan(&arn); err != nil {
			return nil, fmt.Errorf("read the task definitions of %s: %w", app, err)
		}
		arns = append(arns, arn)
	}
	return arns, rows.Err()
}
