package store

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Query chooses executions. Zero members do not restrict.
type Query struct {
	App    slipway.App
	Commit string
	ID     string // whole, or its beginning
	Limit  int    // 0 means 100
}

// Executions returns the executions that the query chooses, newest first.
func (s *Store) Executions(ctx context.Context, query Query) ([]slipway.Execution, error) {
	var where []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if query.App != (slipway.App{}) {
		add("app = $%d", query.App.String())
	}
	if query.Commit != "" {
		add("commit_id = $%d", text(query.Commit))
	}
	if id := text(strings.ToLower(query.ID)); id != "" {
		// The index finds those around it, in whatever order the database has for text.
		add("id >= $%d", id)
		add("id < $%d", id+"g") // behind every digit of a UUID
		add(fmt.Sprintf("substr(id, 1, %d) = $%%d", utf8.RuneCountInString(id)), id)
	}
	clause := ""
	if len(where) > 0 {
		clause = "WHERE " + strings.Join(where, " AND ")
	}
	limit := query.Limit
	if limit <= 0 {
		limit = 100
	}
	args = append(args, limit)
	return selectExecutions(ctx, s.db, fmt.Sprintf("%s ORDER BY id DESC LIMIT $%d", clause, len(args)), args...)
}

// Latest returns each app's execution that runs or, where none does, its newest.
func (s *Store) Latest(ctx context.Context) (map[slipway.App]slipway.Execution, error) {
	// Behind the one that runs, newer ones may wait, or have been superseded or
	// stopped already.
	found, err := selectExecutions(ctx, s.db, `WHERE id IN (SELECT max(id) FROM executions GROUP BY app)
		OR status IN ('InProgress', 'Stopping') ORDER BY id DESC`)
	if err != nil {
		return nil, err
	}
	latest := make(map[slipway.App]slipway.Execution, len(found))
	for _, e := range found {
		if _, newer := latest[e.App()]; !newer || !e.Status.Ended() {
			latest[e.App()] = e
		}
	}
	return latest, nil
}

// InProgress returns the executions that run or are stopping, oldest first.
func (s *Store) InProgress(ctx context.Context) ([]slipway.Execution, error) {
	return selectExecutions(ctx, s.db, `WHERE status IN ('InProgress', 'Stopping') ORDER BY id`)
}

// Known returns what is remembered of every app's pipeline.
func (s *Store) Known(ctx context.Context) (map[slipway.App]pipeline.Known, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT app, blob, removed FROM pipelines`)
	if err != nil {
		return nil, fmt.Errorf("read pipelines: %w", err)
	}
	defer func() { _ = rows.Close() }()
	known := make(map[slipway.App]pipeline.Known)
	for rows.Next() {
		var text, blob string
		var removed int
		if err := rows.Scan(&text, &blob, &removed); err != nil {
			return nil, fmt.Errorf("read a pipeline: %w", err)
		}
		app, err := slipway.ParseApp(text)
		if err != nil {
			return nil, fmt.Errorf("read a pipeline: %w", err)
		}
		known[app] = pipeline.Known{Blob: blob, Removed: removed != 0}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read pipelines: %w", err)
	}
	return known, nil
}
