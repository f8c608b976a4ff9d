package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// columns are those of executions, in the order that scan reads and insert
// writes them.
const columns = `id, app, commit_id, blob, status, stage, outcome, rolled_back_by, reason, task_definition,
	created_at, started_at, ended_at, images_json, trigger_json, pipeline_json, deployment_json, observation_json, stop_json, decisions_json`

// querier is what a database and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// selectExecutions returns the executions that the clause (WHERE and what
// follows) chooses.
func selectExecutions(ctx context.Context, q querier, clause string, args ...any) ([]slipway.Execution, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+columns+" FROM executions "+clause, args...)
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var found []slipway.Execution
	for rows.Next() {
		execution, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, execution)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	return found, nil
}

func scan(rows *sql.Rows) (slipway.Execution, error) {
	var e slipway.Execution
	var app, taskDefinition, images, trigger, pipeline, deployment, observation, stop, decisions string
	var created, started, ended int64
	err := rows.Scan(&e.ID, &app, &e.Revision.Commit, &e.Revision.Blob, &e.Status, &e.Stage, &e.Outcome, &e.RolledBackBy,
		&e.Reason, &taskDefinition, &created, &started, &ended, &images, &trigger, &pipeline, &deployment, &observation, &stop, &decisions)
	if err != nil {
		return e, fmt.Errorf("read an execution: %w", err)
	}
	e.CreatedAt, e.StartedAt, e.EndedAt = fromMicros(created), fromMicros(started), fromMicros(ended)
	err = cmp.Or(
		e.Revision.App.UnmarshalText([]byte(app)),
		decode(images, &e.Revision.Images),
		decode(trigger, &e.Trigger),
		decode(pipeline, &e.Pipeline),
		decode(deployment, &e.Deployment),
		decode(observation, &e.Observation),
		decode(stop, &e.Stop),
		decode(decisions, &e.Decisions),
	)
	if err != nil {
		return e, fmt.Errorf("execution %s: %w", e.ID, err)
	}
	return e, nil
}

func insert(ctx context.Context, q querier, e slipway.Execution) error {
	_, err := q.ExecContext(ctx, `INSERT INTO executions (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		e.ID, e.App().String(), e.Revision.Commit, e.Revision.Blob, e.Status, e.Stage, e.Outcome, e.RolledBackBy,
		text(e.Reason), e.Deployment.TaskDefinition, toMicros(e.CreatedAt), toMicros(e.StartedAt), toMicros(e.EndedAt),
		encode(e.Revision.Images), encode(e.Trigger), encode(e.Pipeline), encode(e.Deployment), encode(e.Observation), encode(e.Stop), encode(e.Decisions))
	if err != nil {
		return fmt.Errorf("write execution %s: %w", e.ID, err)
	}
	return nil
}

// encode writes a value of our own words as JSON; they all can be.
func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", value, err))
	}
	return string(text)
}

func decode(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// text is what PostgreSQL takes for text: a container's last log lines, which are in
// reasons, may be anything. JSON escapes it by itself.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
