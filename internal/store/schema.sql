-- What Slipway remembers. Times are microseconds since the Unix epoch, 0 where
-- something has not happened; columns named *_json hold one JSON document.

CREATE TABLE IF NOT EXISTS pipelines (
    app       TEXT PRIMARY KEY,           -- cluster/name
    blob      TEXT NOT NULL,              -- revision.json last executed or adopted
    commit_id TEXT NOT NULL,              -- the commit that it came with
    removed   INTEGER NOT NULL DEFAULT 0, -- 1: git no longer has the app
    seen_at   BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS executions (
    id               TEXT PRIMARY KEY,    -- UUID v7: ordered by creation
    app              TEXT NOT NULL,
    commit_id        TEXT NOT NULL,
    blob             TEXT NOT NULL,
    status           TEXT NOT NULL,
    stage            TEXT NOT NULL DEFAULT '',
    outcome          TEXT NOT NULL DEFAULT '',
    rolled_back_by   TEXT NOT NULL DEFAULT '',
    reason           TEXT NOT NULL DEFAULT '',
    task_definition  TEXT NOT NULL DEFAULT '',
    created_at       BIGINT NOT NULL,
    started_at       BIGINT NOT NULL DEFAULT 0,
    ended_at         BIGINT NOT NULL DEFAULT 0,
    images_json      TEXT NOT NULL,
    trigger_json     TEXT NOT NULL,
    pipeline_json    TEXT NOT NULL DEFAULT '',
    deployment_json  TEXT NOT NULL DEFAULT '',
    observation_json TEXT NOT NULL DEFAULT '',
    stop_json        TEXT NOT NULL DEFAULT '',
    decisions_json   TEXT NOT NULL DEFAULT ''
);

-- At most one execution of a pipeline runs.
CREATE UNIQUE INDEX IF NOT EXISTS executions_running
    ON executions (app) WHERE status IN ('InProgress', 'Stopping');

CREATE INDEX IF NOT EXISTS executions_by_app ON executions (app, id);
CREATE INDEX IF NOT EXISTS executions_by_commit ON executions (commit_id, app);
CREATE INDEX IF NOT EXISTS executions_open
    ON executions (status) WHERE status IN ('Queued', 'InProgress', 'Stopping');
