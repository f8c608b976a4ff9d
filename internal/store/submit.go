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

// Submit writes a submission down and returns the executions that begin with
// it; those of busy pipelines wait. Superseding follows each execution's mode.
func (s *Store) Submit(ctx context.Context, in pipeline.Submission) ([]slipway.Execution, error) {
	var begun []slipway.Execution
	err := s.transact(ctx, func(tx *sql.Tx) error {
		for _, revision := range in.Adopted {
			if err := remember(ctx, tx, revision, in.At); err != nil {
				return err
			}
		}
		for _, app := range in.Returned {
			if err := setRemoved(ctx, tx, app, false, in.At); err != nil {
				return err
			}
		}
		for _, app := range in.Removed {
			if err := setRemoved(ctx, tx, app, true, in.At); err != nil {
				return err
			}
			if err := supersedeWaiting(ctx, tx, app, "the app was removed from git", in.At); err != nil {
				return err
			}
		}
		for _, execution := range in.Executions {
			started, err := submit(ctx, tx, execution, in.At)
			if err != nil {
				return err
			}
			begun = append(begun, started...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return begun, nil
}

func submit(ctx context.Context, tx *sql.Tx, e slipway.Execution, at time.Time) ([]slipway.Execution, error) {
	if err := remember(ctx, tx, e.Revision, at); err != nil {
		return nil, err
	}
	supersedes := pipeline.SupersedesBy(e.Pipeline.Mode)
	if supersedes.Waiting {
		reason := "superseded by commit " + slipway.ShortCommit(e.Revision.Commit)
		if err := supersedeWaiting(ctx, tx, e.App(), reason, at); err != nil {
			return nil, err
		}
	}
	if supersedes.Running {
		stop := slipway.StopRequest{By: e.Trigger.By, At: at, Abandon: true, Superseded: true}
		if _, err := tx.ExecContext(ctx, `UPDATE executions SET status = $1, stop_json = $2 WHERE app = $3 AND status = $4`,
			slipway.StatusStopping, encode(stop), e.App().String(), slipway.StatusInProgress); err != nil {
			return nil, fmt.Errorf("take over from the running execution of %s: %w", e.App(), err)
		}
	}
	e.Status = slipway.StatusQueued
	if err := insert(ctx, tx, e); err != nil {
		return nil, err
	}
	return beginNext(ctx, tx, e.App(), at)
}

// beginNext begins the oldest waiting execution of an app if none runs, and
// returns it: one or none.
func beginNext(ctx context.Context, tx *sql.Tx, app slipway.App, at time.Time) ([]slipway.Execution, error) {
	open, err := selectExecutions(ctx, tx, `WHERE app = $1 AND status IN ('Queued', 'InProgress', 'Stopping') ORDER BY id`, app.String())
	if err != nil {
		return nil, err
	}
	busy := slices.ContainsFunc(open, func(e slipway.Execution) bool { return e.Status != slipway.StatusQueued })
	if busy || len(open) == 0 {
		return nil, nil
	}
	next := open[0]
	next.Status, next.Stage, next.StartedAt = slipway.StatusInProgress, slipway.StageSource, at
	if _, err := tx.ExecContext(ctx, `UPDATE executions SET status = $1, stage = $2, started_at = $3 WHERE id = $4`,
		next.Status, next.Stage, toMicros(at), next.ID); err != nil {
		return nil, fmt.Errorf("begin execution %s: %w", next.ID, err)
	}
	return []slipway.Execution{next}, nil
}

func supersedeWaiting(ctx context.Context, tx *sql.Tx, app slipway.App, reason string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE executions SET status = $1, reason = $2, ended_at = $3 WHERE app = $4 AND status = $5`,
		slipway.StatusSuperseded, reason, toMicros(at), app.String(), slipway.StatusQueued)
	if err != nil {
		return fmt.Errorf("supersede the waiting executions of %s: %w", app, err)
	}
	return nil
}

func remember(ctx context.Context, tx *sql.Tx, revision slipway.Revision, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO pipelines (app, blob, commit_id, removed, seen_at) VALUES ($1, $2, $3, 0, $4)
		ON CONFLICT (app) DO UPDATE SET blob = excluded.blob, commit_id = excluded.commit_id, removed = 0, seen_at = excluded.seen_at`,
		revision.App.String(), revision.Blob, revision.Commit, toMicros(at))
	if err != nil {
		return fmt.Errorf("remember the revision of %s: %w", revision.App, err)
	}
	return nil
}

func setRemoved(ctx context.Context, tx *sql.Tx, app slipway.App, removed bool, at time.Time) error {
	flag := 0
	if removed {
		flag = 1
	}
	_, err := tx.ExecContext(ctx, `UPDATE pipelines SET removed = $1, seen_at = $2 WHERE app = $3`, flag, toMicros(at), app.String())
	if err != nil {
		return fmt.Errorf("mark %s: %w", app, err)
	}
	return nil
}
