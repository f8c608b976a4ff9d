package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway"
)

// Client is a Backend on another machine, or in another process of this one.
type Client struct {
	base *url.URL
	http *http.Client
}

var _ Backend = (*Client)(nil)

// NewClient talks to the server at base, such as http://127.0.0.1:7878, which
// may have a path. Nothing is sent yet.
func NewClient(base string, client *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, slipway.Usagef("%q is no server's address: write it like http://127.0.0.1:7878", base)
	}
	return &Client{base: u.JoinPath("api", "v1"), http: client}, nil
}

// Apps returns the state of every app, ordered by app.
func (c *Client) Apps(ctx context.Context) ([]slipway.AppStatus, error) {
	return get[[]slipway.AppStatus](ctx, c, nil, "apps")
}

// App returns the state of one app. An app that never was is an error that is
// ErrNotFound.
func (c *Client) App(ctx context.Context, app slipway.App) (slipway.AppStatus, error) {
	return get[slipway.AppStatus](ctx, c, nil, "apps", app.Cluster, app.Name)
}

// History returns an app's commits with what became of them.
func (c *Client) History(ctx context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	return get[[]slipway.HistoryEntry](ctx, c, query, "apps", app.Cluster, app.Name, "history")
}

// Executions returns the executions that match, newest first.
func (c *Client) Executions(ctx context.Context, q ExecutionQuery) ([]slipway.Execution, error) {
	if q.ID != "" {
		return c.execution(ctx, q)
	}
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if q.App != nil {
		query.Set("app", q.App.String())
	}
	if q.Commit != "" {
		query.Set("commit", q.Commit)
	}
	return get[[]slipway.Execution](ctx, c, query, "executions")
}

// execution asks by id, of which there is one or none.
func (c *Client) execution(ctx context.Context, q ExecutionQuery) ([]slipway.Execution, error) {
	execution, err := get[slipway.Execution](ctx, c, nil, "executions", q.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return []slipway.Execution{}, nil
	case err != nil:
		return nil, err
	case q.App != nil && *q.App != execution.App(), q.Commit != "" && q.Commit != execution.Revision.Commit:
		return []slipway.Execution{}, nil
	}
	return []slipway.Execution{execution}, nil
}

// Command does what a person asked for by name.
func (c *Client) Command(ctx context.Context, command Command) (slipway.Execution, error) {
	path := []string{"executions", command.Execution, string(command.Action)}
	if command.Action == ActionStart {
		path = []string{"apps", command.App.Cluster, command.App.Name, string(command.Action)}
	}
	body := any(commandBody{By: command.By})
	switch command.Action {
	case ActionStop:
		body = stopBody{By: command.By, Reason: command.Reason, Abandon: command.Abandon}
	case ActionApprove, ActionReject:
		body = decisionBody{By: command.By, Reason: command.Reason, Hook: command.Hook}
	case ActionStart, ActionRetry:
	}
	var execution slipway.Execution
	err := c.do(ctx, http.MethodPost, nil, path, body, &execution)
	return execution, err
}

// Refresh looks at the repository now.
func (c *Client) Refresh(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, nil, []string{"refresh"}, nil, nil)
}

func get[T any](ctx context.Context, c *Client, query url.Values, path ...string) (T, error) {
	var into T
	err := c.do(ctx, http.MethodGet, query, path, nil, &into)
	return into, err
}

// do sends one request and decodes its answer into into, unless that is nil.
func (c *Client) do(ctx context.Context, method string, query url.Values, path []string, body, into any) error {
	for i := range path {
		path[i] = url.PathEscape(path[i])
	}
	u := c.base.JoinPath(path...)
	u.RawQuery = query.Encode()

	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read to its end or is of no use

	if resp.StatusCode >= http.StatusBadRequest {
		return c.failed(resp)
	}
	if into == nil {
		return nil
	}
	if mediaType(resp) != "application/json" {
		return c.stranger(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return c.unreachable(ctx, fmt.Errorf("read the answer: %w", err))
	}
	return nil
}

// unreachable is about a server that did not answer in full.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &slipway.Error{
		Next:    slipway.NextRetry,
		Message: "the server at " + c.where() + " does not answer",
		Hint:    "start `slipway serve` or `slipway sandbox`, or pass --server",
		Err:     err,
	}
}

// failed reads the problem that a server answered with.
func (c *Client) failed(resp *http.Response) error {
	var p problem
	if mediaType(resp) != problemType || json.NewDecoder(resp.Body).Decode(&p) != nil {
		return c.stranger(resp)
	}
	p.Status = resp.StatusCode
	return p.asError(resp.Header)
}

// stranger is about an answer that a Slipway server would not give.
func (c *Client) stranger(resp *http.Response) error {
	next := slipway.NextPerson
	if resp.StatusCode >= http.StatusInternalServerError {
		next = slipway.NextRetry // a proxy in front of a server that restarts
	}
	return &slipway.Error{
		Next:    next,
		Message: fmt.Sprintf("%s answered %s, not as a Slipway server does", c.where(), resp.Status),
		Hint:    "check --server: it should be the address that `slipway serve` listens on",
	}
}

// where is the server's address for people, without a password.
func (c *Client) where() string {
	return strings.TrimSuffix(c.base.Redacted(), "/api/v1")
}

func mediaType(resp *http.Response) string {
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}
